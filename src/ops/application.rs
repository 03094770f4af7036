//! Which application is meant.

use std::path::Path;

use crate::{
    config::Config,
    context::Ctx,
    error::{Error, Result},
    model::{ConfigRequest, Target},
    ops,
};

/// Folders that are named after what is in them; the folder above has the application's name.
const GENERIC: [&str; 6] = ["manifests", "k8s", "deploy", "kubernetes", "base", "kustomize"];
const LONGEST_NAME: usize = 40;

/// An application, by its name and its configuration.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub name: String,
    /// The namespace that `-n` or the configuration names.
    pub namespace: Option<String>,
    pub config: Option<Config>,
}

impl Application {
    /// Finds the configuration, and the name where there is none: that of the folder or file `input`, or of the working
    /// directory.
    ///
    /// # Errors
    /// Usage, when the configuration is wrong or no name can be had.
    pub fn find(ctx: &Ctx, target: &Target, input: Option<&Path>) -> Result<Self> {
        let request = ConfigRequest { file: target.config.clone(), profile: target.profile.clone() };
        Self::of(ctx, target, input, ops::config::load(ctx, &request)?)
    }

    /// The same where the configuration is known, or is known not to count.
    pub fn of(ctx: &Ctx, target: &Target, input: Option<&Path>, config: Option<Config>) -> Result<Self> {
        let settings = config.as_ref().map(|config| &config.settings);
        let named = target.application.clone().or_else(|| settings.map(|settings| settings.name.clone()));
        let name = match named {
            Some(name) => checked(name)?,
            None => name_of(&ctx.environment.folder.join(input.unwrap_or(Path::new("")))).ok_or_else(|| {
                Error::usage("the application has no name").hint("name it with --app NAME, or in evolve.yaml (`name:`)")
            })?,
        };
        let namespace = target.namespace.clone().or_else(|| settings.and_then(|settings| settings.namespace.clone()));
        Ok(Self { name, namespace, config })
    }
}

/// Records are named after the application, so its name must be a DNS label, and short.
fn checked(name: String) -> Result<String> {
    if name.len() <= LONGEST_NAME && sanitised(&name).as_deref() == Some(name.as_str()) {
        return Ok(name);
    }
    Err(Error::usage(format!("{name:?} is no name for an application"))
        .hint(format!("use up to {LONGEST_NAME} small letters, digits and dashes, as in my-shop")))
}

fn name_of(path: &Path) -> Option<String> {
    let mut path = path;
    loop {
        let stem = if path.extension().is_some() && !path.is_dir() { path.file_stem() } else { path.file_name() };
        let stem = stem?.to_str()?;
        if !GENERIC.contains(&stem) {
            return sanitised(stem);
        }
        path = path.parent()?;
    }
}

fn sanitised(name: &str) -> Option<String> {
    let dashed = name.to_ascii_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let name: String = dashed.trim_matches('-').chars().take(LONGEST_NAME).collect();
    Some(name.trim_matches('-').to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_first_telling_folder() {
        assert_eq!(name_of(Path::new("/home/ann/My Shop/manifests")), Some("my-shop".into()));
        assert_eq!(name_of(Path::new("/home/ann/shop/k8s/api.yaml")), Some("api".into()));
        assert_eq!(name_of(Path::new("/")), None);
        assert!(checked("My_Shop".into()).is_err() && checked("my-shop".into()).is_ok());
    }
}
