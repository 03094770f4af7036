//! The configuration: what is wrong with it, and what is in force.

use std::{collections::BTreeSet, path::Path};

use crate::{
    config::{self, Config, Examined, FILE_NAME, LoadRequest},
    context::Ctx,
    error::{Error, Result},
    model::{ConfigCheckReport, ConfigProblem, ConfigReport, ConfigRequest, SettingOrigin},
    rules::manifests::RULES,
};

/// The checks that the configuration may name, with what each finds.
fn checks() -> Vec<(&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.code, rule.summary)).collect()
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    config::schema(&checks())
}

/// Loads the configuration; none when there is no file.
///
/// # Errors
/// Usage: the first problem in the file, or an unknown profile.
pub fn load(ctx: &Ctx, request: &ConfigRequest) -> Result<Option<Config>> {
    config::load(&load_request(ctx, request, &checks()))
}

/// Reads the configuration with all its problems; none when there is no file.
///
/// # Errors
/// Usage, when it cannot be read.
pub(crate) fn examine(ctx: &Ctx, request: &ConfigRequest) -> Result<Option<Examined>> {
    config::examine(&load_request(ctx, request, &checks()))
}

fn load_request<'a>(ctx: &'a Ctx, request: &'a ConfigRequest, checks: &'a [(&str, &str)]) -> LoadRequest<'a> {
    LoadRequest {
        start: &ctx.environment.folder,
        file: request.file.as_deref().map(Path::new),
        profile: request.profile.as_deref(),
        checks,
    }
}

/// Lists every problem in the file, and the paths that lead nowhere in any of its profiles.
///
/// # Errors
/// Usage, when there is no file or it cannot be read.
pub fn check(ctx: &Ctx, request: &ConfigRequest) -> Result<ConfigCheckReport> {
    let examined = examined(ctx, request)?;
    let mut problems = examined.problems.clone();
    if problems.is_empty() {
        // A profile may define what the file as a whole does not, so each is looked at.
        let profiles = std::iter::once(None).chain(examined.profiles.iter().map(|name| Some(name.as_str())));
        let mut seen = BTreeSet::new();
        for profile in profiles {
            let config = examined.resolve(profile)?;
            let new = dead_paths(&ctx.environment.folder, &config);
            problems.extend(new.into_iter().filter(|problem| seen.insert(problem.place.clone())));
        }
        problems.sort_by(|one, other| one.place.cmp(&other.place));
    }
    Ok(ConfigCheckReport { file: examined.file.display().to_string(), profiles: examined.profiles, problems })
}

/// The settings in force for the profile, and where each came from.
///
/// # Errors
/// Usage, when there is no file, or a problem in it.
pub fn show(ctx: &Ctx, request: &ConfigRequest) -> Result<ConfigReport> {
    let config = examined(ctx, request)?.resolve(request.profile.as_deref())?;
    let settings = serde_json::to_value(&config.settings)
        .map_err(|cause| Error::failed("the settings cannot be written as JSON").because(cause))?;
    let origin = |path: &String| config.origins.get(path).cloned().unwrap_or(SettingOrigin::Default);
    let origins = config::leaves(&settings).into_iter().map(|(path, _)| (path.clone(), origin(&path))).collect();
    Ok(ConfigReport { file: config.file.display().to_string(), profile: config.profile, settings, origins })
}

fn examined(ctx: &Ctx, request: &ConfigRequest) -> Result<Examined> {
    examine(ctx, request)?.ok_or_else(|| {
        Error::usage(format!("there is no {FILE_NAME} in the working directory or above"))
            .hint("name the file with --config FILE; none is needed for `deploy -f FILE`")
    })
}

/// A problem for each manifest and kustomization that is not there.
fn dead_paths(start: &Path, config: &Config) -> Vec<ConfigProblem> {
    let settings = &config.settings;
    let lists = [("manifests", &settings.manifests), ("kustomize", &settings.kustomize)];
    let paths = lists
        .into_iter()
        .flat_map(|(key, list)| list.iter().enumerate().map(move |(index, path)| (format!("{key}[{index}]"), path)));
    let dead = paths.filter(|(_, path)| !path.contains("://") && !start.join(path).exists());
    dead.map(|(path, location)| ConfigProblem {
        place: config.place(&path),
        message: format!("{path}: there is no file or folder {location}"),
        path,
        hint: None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{cluster::ConnectOptions, context::Environment, event::Silent};

    fn report(text: &str) -> Result<ConfigCheckReport> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let environment = Environment { folder: folder.path().to_owned(), ..Environment::default() };
        let ctx = Ctx::new(Arc::new(Silent), environment, ConnectOptions::default());
        check(&ctx, &ConfigRequest::default())
    }

    #[test]
    fn a_path_that_leads_nowhere_is_a_problem_in_any_profile() {
        let text =
            "name: a\nmanifests: [evolve.yaml, https://example.com/a.yaml]\nprofiles:\n  b: {kustomize: [none]}\n";
        snapbox::assert_data_eq!(
            serde_json::to_string_pretty(&report(text).unwrap()).unwrap(),
            snapbox::str![[r#"
{
  "file": "evolve.yaml",
  "profiles": [
    "b"
  ],
  "problems": [
    {
      "place": {
        "file": "evolve.yaml",
        "line": 4,
        "column": 19
      },
      "path": "kustomize[0]",
      "message": "kustomize[0]: there is no file or folder none"
    }
  ]
}
"#]]
        );
    }

    #[test]
    fn no_file_is_an_error_of_usage() {
        let environment = Environment { folder: "/".into(), ..Environment::default() };
        let ctx = Ctx::new(Arc::new(Silent), environment, ConnectOptions::default());
        let error = check(&ctx, &ConfigRequest::default()).unwrap_err();
        assert_eq!(error.message(), "there is no evolve.yaml in the working directory or above");
    }
}
