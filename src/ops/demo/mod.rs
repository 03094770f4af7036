//! The demo: the reference application in a sandbox, deployed, broken and rolled back.

mod application;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use application::Mistake;
use tempfile::TempDir;

use crate::{
    cluster::ConnectOptions,
    context::{Ctx, Environment},
    error::{Error, Result},
    model::{
        DemoAct, DemoRequest, DeployOutcome, DeployReport, DeployRequest, HistoryReport, ScopeRequest, StatusReport,
        Target,
    },
    ops::{deploy, revisions, sandbox::Written, status},
    sandbox::{Options, Sandbox, pods::Scenario},
};

/// One deploy of the demo.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    pub title: &'static str,
    /// What somebody did to the manifests, for the reader.
    pub story: &'static str,
    expected: DeployOutcome,
    mistake: Option<Mistake>,
}

/// The acts, in order.
pub const ACTS: [Act; 3] = [
    Act {
        title: "a first deploy",
        story: "A page, an API and a PostgreSQL, from their manifests to a healthy rollout.",
        expected: DeployOutcome::Deployed,
        mistake: None,
    },
    Act {
        title: "an image that was never built",
        story: "Somebody deploys the page with the tag 2.",
        expected: DeployOutcome::RolledBack,
        mistake: Some(application::BAD_IMAGE),
    },
    Act {
        title: "a wrong database password",
        story: "Somebody writes the password into the API's manifest, and not the right one.",
        expected: DeployOutcome::RolledBack,
        mistake: Some(application::WRONG_PASSWORD),
    },
];

/// A demo under way.
pub struct Demo {
    sandbox: Sandbox,
    /// The operations' context: in the application's folder, connected to the sandbox.
    ctx: Ctx,
    folder: PathBuf,
    _temporary: Option<TempDir>,
    /// Beside the application's files, for whoever goes on by hand.
    _kubeconfig: Option<Written>,
    fast: bool,
}

impl Demo {
    /// Starts the sandbox and writes the application's files.
    ///
    /// # Errors
    /// Usage, when the folder asked for holds something already; failed, when the sandbox does not start.
    pub async fn start(ctx: &Ctx, request: &DemoRequest) -> Result<Self> {
        let (folder, temporary) = folder(ctx, request)?;
        let options = Options { fast: request.fast, scenario: Scenario::todo(), ..Options::default() };
        let sandbox = Sandbox::start(options).await?;
        let environment = Environment { folder: folder.clone(), ..ctx.environment.clone() };
        // The user's context, user and namespace are those of another cluster.
        let connect = ConnectOptions {
            inline: Some(sandbox.kubeconfig().to_owned()),
            request_timeout: ctx.connect.request_timeout,
            ..ConnectOptions::default()
        };
        let mut inner = Ctx::new(Arc::clone(&ctx.events), environment, connect);
        inner.clock = Arc::clone(&ctx.clock);
        inner.cancel = ctx.cancel.clone();
        let beside = folder.join("kubeconfig");
        let kubeconfig = match temporary {
            None => Some(Written::to(&beside, sandbox.kubeconfig())?),
            Some(_) => None,
        };
        let fast = request.fast;
        Ok(Self { sandbox, ctx: inner, folder, _temporary: temporary, _kubeconfig: kubeconfig, fast })
    }

    /// Writes the manifests as the act has them, and deploys.
    pub async fn play(&self, act: &Act) -> Result<DeployReport> {
        self.write(act.mistake)?;
        // What cannot recover is clear from the first error: nobody has to wait for a second.
        let grace = if self.fast { Duration::ZERO } else { Duration::from_secs(2) };
        let request = DeployRequest {
            target: Target::default(),
            grace: Some(grace),
            restart_budget: Some(0),
            timeout: Some(Duration::from_secs(60)),
            ..DeployRequest::default()
        };
        deploy::run(&self.ctx, request).await
    }

    /// How the application does now.
    pub async fn status(&self) -> Result<StatusReport> {
        status::run(&self.ctx, &ScopeRequest::default()).await
    }

    /// What was deployed so far.
    pub async fn history(&self) -> Result<HistoryReport> {
        revisions::list(&self.ctx, &Target::default()).await
    }

    /// Leaves time to read; Ctrl-C ends it.
    pub async fn pause(&self, time: Duration) -> Result<()> {
        if self.fast {
            return Ok(());
        }
        let pause = async {
            tokio::time::sleep(time).await;
            Ok(())
        };
        self.ctx.unless_cancelled("showing the demo", pause).await
    }

    /// Puts the right manifests back, and keeps the cluster until the user ends it.
    pub async fn keep(&self) -> Result<()> {
        self.write(None)?;
        self.ctx.cancel.cancelled().await;
        Ok(())
    }

    /// Ends the cluster; files in a folder that the user named stay.
    pub async fn stop(self) -> Result<()> {
        self.sandbox.stop().await
    }

    fn write(&self, mistake: Option<Mistake>) -> Result<()> {
        application::write(&self.folder, mistake).map_err(|cause| unwritable(&self.folder, cause))
    }
}

impl Act {
    /// How it went.
    pub fn told(&self, report: &DeployReport) -> DemoAct {
        DemoAct {
            title: self.title.into(),
            expected: self.expected,
            outcome: report.outcome,
            cause: report.evidence.first().map(|evidence| evidence.summary.clone()),
            seconds: report.seconds,
        }
    }
}

fn folder(ctx: &Ctx, request: &DemoRequest) -> Result<(PathBuf, Option<TempDir>)> {
    let Some(wanted) = &request.folder else {
        let folder = tempfile::Builder::new()
            .prefix("evolve-demo-")
            .tempdir()
            .map_err(|cause| unwritable(&std::env::temp_dir(), cause))?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    let folder = ctx.environment.folder.join(wanted);
    fs::create_dir_all(&folder).map_err(|cause| unwritable(&folder, cause))?;
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::usage(format!("{} is not empty", folder.display()))
            .hint("the demo writes its application into a folder of its own"));
    }
    Ok((folder, None))
}

fn unwritable(folder: &std::path::Path, cause: std::io::Error) -> Error {
    Error::failed(format!("the demo's files cannot be written to {}", folder.display())).because(cause)
}
