//! From the request and the configuration to the manifests and the options of a deploy.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::plan::Policy;
use crate::{
    cluster::Cluster,
    config::Config,
    context::Ctx,
    error::{Error, Result},
    model::{DeployRequest, Manifest, OnFailure},
    ops::application::Application,
    rules::selector::Selector,
    source::{self, Input, ReadRequest, Sources, Substitution},
};

/// How long another deploy of the application is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// How a deploy is to be carried out: the request's wishes over the configuration's.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub wait: bool,
    pub timeout: Duration,
    pub grace: Duration,
    pub restart_budget: u32,
    /// None: keep a first deploy, roll a later one back.
    pub on_failure: Option<OnFailure>,
    pub prune: bool,
    /// Whether the user asked for pruning in so many words.
    pub prune_asked: bool,
    pub prune_claims: bool,
    pub create_namespace: bool,
    pub history_limit: u32,
    pub lock_timeout: Duration,
    pub policy: Policy,
}

/// What was read, before any cluster is asked.
pub(crate) struct Loaded {
    pub application: Application,
    pub sources: Sources,
    /// The inputs as the user knows them.
    pub inputs: Vec<String>,
    /// The namespace that the application's manifests name, where all that name one name the same; those that are not
    /// of this part count too.
    only_namespace: Option<String>,
    /// Whether this is only a part of the application's manifests.
    pub partial: bool,
    pub options: Options,
}

impl Options {
    pub fn of(request: &DeployRequest, config: Option<&Config>) -> Self {
        let settings = config.map(|config| config.settings.deploy.clone()).unwrap_or_default();
        Self {
            wait: request.wait.unwrap_or(settings.wait),
            timeout: request.timeout.unwrap_or(settings.timeout),
            grace: request.grace.unwrap_or(settings.grace),
            restart_budget: request.restart_budget.unwrap_or(settings.restart_budget),
            on_failure: request.on_failure.or(settings.on_failure),
            prune: request.prune.unwrap_or(settings.prune),
            prune_asked: request.prune == Some(true),
            prune_claims: request.prune_claims,
            create_namespace: request.create_namespace || settings.create_namespace,
            history_limit: settings.history_limit,
            lock_timeout: request.lock_timeout.unwrap_or(LOCK_TIMEOUT),
            policy: Policy {
                force_conflicts: request.force_conflicts || settings.force_conflicts,
                conflicts: settings.conflicts,
                recreate: request.recreate,
                adopt: request.adopt,
                try_creations: false,
            },
        }
    }
}

/// Finds and reads the manifests.
///
/// # Errors
/// Usage, with the place, for whatever is wrong with the configuration or a manifest, and when there is nothing.
pub(crate) async fn load(ctx: &Ctx, request: &DeployRequest) -> Result<Loaded> {
    let asked = request_inputs(request);
    let named = asked.iter().find_map(|input| match input {
        Input::File(path) | Input::Kustomize(path) => Some(path.as_path()),
        Input::Url(_) | Input::Stdin => None,
    });
    let mut application = Application::find(ctx, &request.target, named)?;
    if is_elsewhere(ctx, request, &asked, application.config.as_ref()) {
        ctx.note("evolve.yaml names other manifests, so it does not count here; --config says otherwise");
        application = Application::of(ctx, &request.target, named, None)?;
    }
    let config = application.config.as_ref();
    let given = !request.files.is_empty() || !request.kustomize.is_empty();
    let inputs = if given { asked } else { default_inputs(ctx, config)? };
    let read = ReadRequest {
        inputs: inputs.clone(),
        substitute: config.and_then(|config| substitution(ctx, config)),
        base: ctx.environment.folder.clone(),
    };
    let only_secrets = inputs.is_empty();
    let mut sources =
        if only_secrets { Sources::default() } else { source::read(&read, std::io::stdin(), &ctx.cancel).await? };
    let has_manifests =
        config.is_some_and(|config| !config.settings.manifests.is_empty() || !config.settings.kustomize.is_empty());
    let mut partial = given && has_manifests;
    let mut only_namespace = only_namespace(&sources.manifests);
    if let Some(config) = config.filter(|_| partial && only_namespace.is_none() && application.namespace.is_none()) {
        only_namespace = namespace_of_whole(ctx, config, &read).await?;
    }
    if let Some(text) = &request.selector {
        let selector = Selector::parse(text).map_err(|wrong| Error::usage(format!("-l {text}: {wrong}")))?;
        sources.retain(|manifest| selector.matches(&manifest.object));
        if sources.manifests.is_empty() {
            return Err(Error::usage(format!("no manifest has the labels {text}")));
        }
        partial = true;
    }
    let options = Options::of(request, config);
    Ok(Loaded {
        inputs: inputs.iter().map(ToString::to_string).collect(),
        application,
        sources,
        only_namespace,
        partial,
        options,
    })
}

/// Whether the inputs were named by hand and are none of the configuration's, which was only found on the way up.
fn is_elsewhere(ctx: &Ctx, request: &DeployRequest, asked: &[Input], config: Option<&Config>) -> bool {
    let Some(config) = config.filter(|_| request.target.config.is_none() && request.target.profile.is_none()) else {
        return false;
    };
    let real = |path: &Path| ctx.environment.folder.join(path).canonicalize().ok();
    let paths = |inputs: &[Input]| -> Option<Vec<PathBuf>> {
        let path = |input: &Input| match input {
            Input::File(path) | Input::Kustomize(path) => real(path),
            Input::Url(_) | Input::Stdin => None,
        };
        inputs.iter().map(path).collect()
    };
    // Standard input and URLs may be anything, so the configuration counts for them.
    let (Some(asked), own) = (paths(asked).filter(|asked| !asked.is_empty()), config_inputs(config)) else {
        return false;
    };
    let own: Vec<PathBuf> = own.iter().filter_map(|input| paths(std::slice::from_ref(input))).flatten().collect();
    let together = |one: &PathBuf| own.iter().any(|own| one.starts_with(own) || own.starts_with(one));
    !own.is_empty() && !asked.iter().any(together)
}

fn config_inputs(config: &Config) -> Vec<Input> {
    let kustomize = config.settings.kustomize.iter().map(|folder| Input::Kustomize(folder.into()));
    config.settings.manifests.iter().map(|text| Input::parse(text)).chain(kustomize).collect()
}

/// The namespace of objects that name none: as asked for, else the only one that the manifests name, else the
/// context's.
pub(crate) fn namespace_of(loaded: &Loaded, cluster: Option<&Cluster>) -> Option<String> {
    let named = loaded.application.namespace.clone().or_else(|| loaded.only_namespace.clone());
    named.or_else(|| cluster.map(|cluster| cluster.namespace().to_owned()))
}

/// The namespace that all of the configuration's manifests name, so that a part of them lands where the whole did.
async fn namespace_of_whole(ctx: &Ctx, config: &Config, read: &ReadRequest) -> Result<Option<String>> {
    let whole = ReadRequest { inputs: config_inputs(config), ..read.clone() };
    let sources = source::read(&whole, std::io::empty(), &ctx.cancel).await.map_err(|error| {
        error.hint("the other manifests of evolve.yaml are read to learn their namespace; -n NAMESPACE says it")
    })?;
    Ok(only_namespace(&sources.manifests))
}

/// The namespace of the manifests, where all that name one name the same.
fn only_namespace(manifests: &[Manifest]) -> Option<String> {
    let made = |manifest: &Manifest| {
        let reference = &manifest.reference;
        let own = (reference.kind == "Namespace").then(|| reference.name.clone());
        own.or_else(|| reference.namespace.clone())
    };
    let mut names: Vec<String> = manifests.iter().filter_map(made).collect();
    names.sort();
    names.dedup();
    if names.len() == 1 { names.pop() } else { None }
}

fn request_inputs(request: &DeployRequest) -> Vec<Input> {
    let kustomize = request.kustomize.iter().map(|folder| Input::Kustomize(folder.into()));
    request.files.iter().map(|text| Input::parse(text)).chain(kustomize).collect()
}

/// The configuration's manifests, else those that lie in the folder by habit.
fn default_inputs(ctx: &Ctx, config: Option<&Config>) -> Result<Vec<Input>> {
    let inputs = config.map(config_inputs).unwrap_or_default();
    if !inputs.is_empty() {
        return Ok(inputs);
    }
    let folder = config.map_or(Path::new(""), |config| &config.folder);
    let secrets = config.is_some_and(|config| !config.settings.secrets.is_empty());
    match source::discover(&ctx.environment.folder, folder) {
        Some(inputs) => Ok(inputs),
        None if secrets => Ok(Vec::new()),
        None => {
            Err(Error::usage(format!("nothing to deploy: no manifests were named, and {} has none", shown(folder)))
                .hint("name them with -f FILE|FOLDER|URL or -k FOLDER, or under `manifests:` in evolve.yaml")
                .hint("looked for: manifests/, k8s/, deploy/, kustomization.yaml"))
        }
    }
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "the working directory".into() } else { folder.display().to_string() }
}

fn substitution(ctx: &Ctx, config: &Config) -> Option<Substitution> {
    let wanted = config.settings.substitute.as_ref()?;
    Some(Substitution::new(wanted, &ctx.environment.variables))
}
