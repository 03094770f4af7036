//! A sandbox for a command's life, or until the user ends it.

use std::{fs, path::Path, time::Instant};

use serde::de::DeserializeOwned;
use serde_yaml::with::singleton_map_recursive;

use super::{kubeconfig::Written, place::Place};
use crate::{
    context::Ctx,
    error::{Error, Result},
    model::{SandboxReport, SandboxRequest},
    sandbox::{Options, Sandbox, pods::Scenario},
};

/// A sandbox that this process runs, or joined where another runs it.
pub struct Running {
    pub report: SandboxReport,
    /// How to connect to it.
    pub kubeconfig: String,
    own: Option<Own>,
}

struct Own {
    sandbox: Sandbox,
    written: Vec<Written>,
    _held: Option<crate::ops::kept::Held>,
}

/// Starts the sandbox, or joins the named one that another process runs.
///
/// # Errors
/// Usage, for a name, a file or a port that cannot be; failed, when it does not start.
pub async fn start(ctx: &Ctx, request: &SandboxRequest) -> Result<Running> {
    let began = Instant::now();
    let place = request.name.as_ref().map(|name| Place::of(&ctx.environment, name)).transpose()?;
    let held = match &place {
        None => None,
        Some(place) => match place.hold()? {
            Some(held) => Some(held),
            None => return join(place, request, began),
        },
    };
    let folder = &ctx.environment.folder;
    let options = Options {
        port: request.port,
        fast: request.fast,
        scenario: match &request.scenario {
            Some(file) => read(&folder.join(file), "a scenario")?,
            None => Scenario::todo(),
        },
        faults: request.faults.as_ref().map(|file| read(&folder.join(file), "faults")).transpose()?.unwrap_or_default(),
        journal: place.as_ref().map(Place::journal),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await?;
    let kubeconfig = sandbox.kubeconfig().to_owned();
    let mut written = Vec::new();
    if let Some(place) = &place {
        written.push(Written::to(&place.kubeconfig(), &kubeconfig)?);
    }
    if let Some(file) = &request.write {
        written.push(Written::to(&folder.join(file), &kubeconfig)?);
    }
    let report = SandboxReport {
        name: request.name.clone(),
        url: sandbox.url().to_owned(),
        kubeconfig_file: written.last().map(|written| written.path().to_owned()),
        kubeconfig: written.is_empty().then(|| kubeconfig.clone()),
        ready_milliseconds: elapsed(began),
    };
    Ok(Running { report, kubeconfig, own: Some(Own { sandbox, written, _held: held }) })
}

/// The sandbox as another process runs it.
fn join(place: &Place, request: &SandboxRequest, began: Instant) -> Result<Running> {
    let name = &place.name;
    if request.port != 0 || request.fast || request.scenario.is_some() || request.faults.is_some() {
        return Err(Error::usage(format!("the sandbox {name} runs already, as another process started it"))
            .hint("end that process to start it in another way"));
    }
    let file = place.kubeconfig();
    let kubeconfig = fs::read_to_string(&file).map_err(|cause| {
        Error::failed(format!("the sandbox {name} is being started or ended by another process"))
            .because(cause)
            .hint("try again in a moment")
    })?;
    let url = kubeconfig.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap_or_default().to_owned();
    let report = SandboxReport {
        name: Some(name.clone()),
        url,
        kubeconfig_file: Some(file),
        kubeconfig: None,
        ready_milliseconds: elapsed(began),
    };
    Ok(Running { report, kubeconfig, own: None })
}

impl Running {
    /// Whether this process runs it, and its end is the sandbox's end.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends it in order; one that another process runs goes on.
    ///
    /// # Errors
    /// The file of a named sandbox does not hold everything.
    pub async fn stop(self) -> Result<()> {
        let Some(Own { sandbox, written, _held }) = self.own else { return Ok(()) };
        let stopped = sandbox.stop().await;
        drop(written);
        stopped
    }
}

fn elapsed(began: Instant) -> u64 {
    began.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
}

fn read<T: DeserializeOwned>(file: &Path, what: &str) -> Result<T> {
    let text = fs::read_to_string(file)
        .map_err(|cause| Error::usage(format!("{} cannot be read", file.display())).because(cause))?;
    // As in JSON, a variant with fields is a map of one key.
    singleton_map_recursive::deserialize(serde_yaml::Deserializer::from_str(&text)).map_err(|cause| {
        Error::usage(format!("{}: this is no file of {what}", file.display()))
            .because(cause)
            .hint("docs/sandbox.md shows one")
    })
}
