//! The flags that several commands share.

use std::time::Duration;

use clap::Args;

use super::{Session, global::duration};
use crate::model::{DeployRequest, ScopeRequest};

/// Where the manifests are: for every command that reads them.
#[derive(Debug, Clone, Default, Args)]
pub struct ManifestArguments {
    /// A manifest: a file, a folder, a URL, or - for standard input; may be given again
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub files: Vec<String>,
    /// A folder with a kustomization; may be given again
    #[arg(short = 'k', long = "kustomize", value_name = "FOLDER")]
    pub kustomize: Vec<String>,
    /// Only the objects with these labels; the rest of the application is left alone
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
}

/// Consent to what a deploy refuses by itself, and how conflicts are settled.
#[derive(Debug, Clone, Default, Args)]
pub struct ConsentArguments {
    /// Take fields that another manager owns
    #[arg(long)]
    pub force_conflicts: bool,
    /// Delete and create again what cannot be changed; never a claim
    #[arg(long)]
    pub recreate: bool,
    /// Take over objects of another tool's release or set
    #[arg(long)]
    pub adopt: bool,
    /// Create the application's namespace where it is missing
    #[arg(long)]
    pub create_namespace: bool,
    /// Delete what is no longer in the manifests; =false leaves it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub prune: Option<bool>,
    /// Prune claims too, whose data goes with them
    #[arg(long)]
    pub prune_claims: bool,
}

/// What to look at: for every command that looks at a running application.
#[derive(Debug, Clone, Default, Args)]
pub struct ScopeArguments {
    /// KIND/NAME, a name alone, or /REGEX/ [default: the application, else the namespace]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Only the objects with these labels
    #[arg(short = 'l', long, value_name = "LABELS", conflicts_with = "targets")]
    pub selector: Option<String>,
    /// In every namespace; -n takes several, with commas between them
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
}

/// For every command that waits until workloads are healthy.
#[derive(Debug, Clone, Default, Args)]
pub struct WaitArguments {
    /// Wait until everything is healthy; =false leaves at once
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub wait: Option<bool>,
    /// The longest wait [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// How long an error may last before it counts as a failure [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub grace: Option<Duration>,
    /// How often a container of the new pods may restart [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub restart_budget: Option<u32>,
    /// How long to wait for another operation on the application [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub lock_timeout: Option<Duration>,
}

impl ManifestArguments {
    /// The request that reads these manifests.
    pub fn request(self, session: &Session) -> DeployRequest {
        DeployRequest {
            target: session.target(),
            files: self.files,
            kustomize: self.kustomize,
            selector: self.selector,
            ..DeployRequest::default()
        }
    }
}

impl ScopeArguments {
    /// The request for what is meant.
    pub fn request(self, session: &Session) -> ScopeRequest {
        ScopeRequest {
            target: session.target(),
            all_namespaces: self.all_namespaces,
            selector: self.selector,
            words: self.targets,
        }
    }
}

impl ConsentArguments {
    /// Adds the consent to a request.
    pub fn add_to(self, request: &mut DeployRequest) {
        request.force_conflicts = self.force_conflicts;
        request.recreate = self.recreate;
        request.adopt = self.adopt;
        request.create_namespace = self.create_namespace;
        request.prune = self.prune;
        request.prune_claims = self.prune_claims;
    }
}

impl WaitArguments {
    /// Adds the wishes to a request.
    pub fn add_to(self, request: &mut DeployRequest) {
        request.wait = self.wait;
        request.timeout = self.timeout;
        request.grace = self.grace;
        request.restart_budget = self.restart_budget;
        request.lock_timeout = self.lock_timeout;
    }
}
