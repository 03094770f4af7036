//! The configuration as a whole: found, read, checked, and resolved for a profile.

use std::path::{Path, PathBuf};

use super::{
    check::{below, check, nearest},
    document::{self, Node, Value},
    find::{FILE_NAME, below_folder, find},
    profile::{Origins, merge, origins},
    schema::schema,
    types::{SecretSource, Settings},
};
use crate::{
    error::{Error, Place, Result},
    model::{ConfigProblem, SettingOrigin},
};

/// What to load.
#[derive(Debug, Clone, Copy)]
pub struct LoadRequest<'a> {
    /// The folder from which `evolve.yaml` is looked for upward; empty is the working directory.
    pub start: &'a Path,
    /// The file to use instead, seen from `start`.
    pub file: Option<&'a Path>,
    /// The profile; without it, or with an empty name, the file's `defaultProfile`, or none.
    pub profile: Option<&'a str>,
    /// The checks that there are, by code, with what each finds. Empty lets `checks` name any.
    pub checks: &'a [(&'a str, &'a str)],
}

/// The settings, resolved for a profile. All paths are seen from where the file was looked for, so that they read well
/// in messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub file: PathBuf,
    /// The folder of the file.
    pub folder: PathBuf,
    pub profile: Option<String>,
    /// The settings with their defaults; paths are joined to `folder`.
    pub settings: Settings,
    pub origins: Origins,
}

impl Config {
    /// Where a setting is written, by its path as in `origins`; the file, for one that is not.
    pub fn place(&self, path: &str) -> Place {
        match self.origins.get(path) {
            Some(SettingOrigin::File { place } | SettingOrigin::Profile { place, .. }) => place.clone(),
            Some(SettingOrigin::Default) | None => Place { file: self.file.display().to_string(), ..Place::default() },
        }
    }
}

/// The file as read, with every problem in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    pub file: PathBuf,
    /// The names of the profiles.
    pub profiles: Vec<String>,
    /// Every problem, in the order of the file.
    pub problems: Vec<ConfigProblem>,
    document: Node,
}

/// Loads the configuration; none when there is no file.
///
/// # Errors
/// The first problem of the file, an unknown profile, and a file that cannot be read; all are errors of usage.
pub fn load(request: &LoadRequest) -> Result<Option<Config>> {
    let Some(examined) = examine(request)? else {
        let Some(profile) = request.profile.filter(|profile| !profile.is_empty()) else { return Ok(None) };
        let message = format!("the profile {profile:?} is asked for, and there is no {FILE_NAME} to define it");
        return Err(Error::usage(message).hint("name the file with --config FILE"));
    };
    examined.resolve(request.profile).map(Some)
}

/// Reads the file and lists every problem in it; none when there is no file.
///
/// # Errors
/// A file that cannot be read.
pub fn examine(request: &LoadRequest) -> Result<Option<Examined>> {
    let found = match request.file {
        Some(file) => Some(file.to_owned()),
        None => find(request.start)?,
    };
    let Some(file) = found else { return Ok(None) };
    let text = std::fs::read_to_string(request.start.join(&file))
        .map_err(|error| Error::usage(format!("{} cannot be read", file.display())).because(error))?;
    let name = file.display().to_string();
    let mut problems = Vec::new();
    let document = match document::read(&name, &text, &mut problems) {
        Ok(document) => document,
        Err(problem) => {
            return Ok(Some(Examined { file, profiles: Vec::new(), problems: vec![problem], document: Node::empty() }));
        }
    };
    problems.extend(check(&name, &document, &schema(request.checks)));
    problems.extend(same_secrets(&name, &document));
    problems.extend(missing_default(&name, &document));
    problems.sort_by(|one, other| one.place.cmp(&other.place));
    let profiles = document.get("profiles").map(Node::entries).unwrap_or_default();
    let profiles = profiles.iter().map(|entry| entry.key.clone()).collect();
    Ok(Some(Examined { file, profiles, problems, document }))
}

impl Examined {
    /// The settings for a profile; without one, for the file's `defaultProfile`, or as they are.
    ///
    /// # Errors
    /// The first problem of the file, and an unknown profile.
    pub fn resolve(&self, profile: Option<&str>) -> Result<Config> {
        if let Some(first) = self.problems.first() {
            return Err(problem_error(first, self.problems.len() - 1));
        }
        let name = self.file.display().to_string();
        let default = self.document.get("defaultProfile").and_then(Node::text);
        let profile = profile.filter(|profile| !profile.is_empty()).or(default);
        let over = match profile {
            Some(profile) => Some((profile, chosen(&name, self.document.get("profiles"), profile)?)),
            None => None,
        };
        let mut merged = self.document.clone();
        if let Value::Map(entries) = &mut merged.value {
            entries.retain(|entry| entry.key != "profiles" && entry.key != "defaultProfile");
        }
        if let Some((_, over)) = over.filter(|(_, over)| over.value != Value::Null) {
            merged = merge(merged, over.clone());
        }
        let origins = origins(&name, &merged, over);
        let mut settings: Settings = serde_json::from_value(merged.to_json())
            .map_err(|error| Error::usage(error.to_string()).at(Place { file: name, ..Place::default() }))?;
        let folder = self.file.parent().unwrap_or(Path::new("")).to_owned();
        join_paths(&mut settings, &folder);
        Ok(Config { file: self.file.clone(), folder, profile: profile.map(str::to_owned), settings, origins })
    }
}

/// The error for a file with problems: the first of them, and how many more there are.
fn problem_error(first: &ConfigProblem, more: usize) -> Error {
    let others = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    let mut error = Error::usage(format!("{}{others}", first.message)).at(first.place.clone());
    if let Some(hint) = &first.hint {
        error = error.hint(hint.clone());
    }
    if more > 0 {
        error = error.hint("`kubectl evolve config check` lists every problem");
    }
    error
}

fn chosen<'a>(file: &str, profiles: Option<&'a Node>, profile: &str) -> Result<&'a Node> {
    let entries = profiles.map(Node::entries).unwrap_or_default();
    if let Some(entry) = entries.iter().find(|entry| entry.key == profile) {
        return Ok(&entry.value);
    }
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let suggestion = nearest(profile, names.iter().copied()).map(|near| format!("; did you mean {near:?}?"));
    let error = Error::usage(format!("there is no profile {profile:?}{}", suggestion.unwrap_or_default()));
    let error = error.at(Place { file: file.to_owned(), ..Place::default() });
    Err(error.hint(match names.as_slice() {
        [] => "the file has no profiles".to_owned(),
        names => format!("the profiles are {}", names.join(", ")),
    }))
}

/// A problem for each Secret that a list names twice.
fn same_secrets(file: &str, document: &Node) -> Vec<ConfigProblem> {
    let profiles = document.get("profiles").map(Node::entries).unwrap_or_default();
    let layers = profiles.iter().map(|entry| (below("profiles", &entry.key), &entry.value));
    let mut problems = Vec::new();
    for (path, layer) in std::iter::once((String::new(), document)).chain(layers) {
        let items = layer.get("secrets").map(Node::items).unwrap_or_default();
        let identity =
            |item: &Node| (item.get("namespace").cloned().map(|n| n.value), item.get("name").cloned().map(|n| n.value));
        for (index, item) in items.iter().enumerate() {
            let Some(name) = item.get("name") else { continue };
            if items.iter().take(index).any(|earlier| identity(earlier) == identity(item)) {
                let path = format!("{}[{index}]", below(&path, "secrets"));
                let message = format!(
                    "{path}: a Secret with the name {:?} is in the list already",
                    name.text().unwrap_or_default()
                );
                problems.push(ConfigProblem { place: name.position.of(file), path, message, hint: None });
            }
        }
    }
    problems
}

/// A problem when `defaultProfile` names no profile.
fn missing_default(file: &str, document: &Node) -> Option<ConfigProblem> {
    let node = document.get("defaultProfile")?;
    let error = chosen(file, document.get("profiles"), node.text()?).err()?;
    let hint = error.hints().first().cloned();
    let message = format!("defaultProfile: {}", error.message());
    Some(ConfigProblem { place: node.position.of(file), path: "defaultProfile".to_owned(), message, hint })
}

/// Makes every path in the settings one that can be opened.
fn join_paths(settings: &mut Settings, folder: &Path) {
    let join = |path: &mut PathBuf| *path = below_folder(folder, path);
    for location in settings.manifests.iter_mut().chain(&mut settings.kustomize) {
        if !location.contains("://") {
            *location = below_folder(folder, Path::new(location.as_str())).display().to_string();
        }
    }
    for image in settings.images.values_mut() {
        join(&mut image.context);
        image.secrets.iter_mut().filter_map(|secret| secret.file.as_mut()).for_each(join);
    }
    settings.substitute.iter_mut().flat_map(|substitute| &mut substitute.env_file).for_each(join);
    for key in settings.secrets.iter_mut().flat_map(|secret| secret.keys.values_mut()) {
        if let SecretSource::File(path) = &mut key.source {
            join(path);
        }
    }
}
