//! The request and the report of `deploy`, `diff` and `plan`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Evidence, Health, ObjectRef, Plan};

/// Which application is meant, and where its configuration is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// `--app`; otherwise the configuration's name, then the name of the folder or file.
    pub application: Option<String>,
    /// `--namespace`; otherwise the configuration's, then the only one in the manifests, then the context's.
    pub namespace: Option<String>,
    /// `--config`; otherwise evolve.yaml in the working directory or above.
    pub config: Option<String>,
    pub profile: Option<String>,
}

/// What a deploy does after a failure, once the evidence is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Leave everything as it is.
    Keep,
    /// Go back to the last good revision.
    Rollback,
}

/// What to deploy and how. What is None is decided by the configuration, then by a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeployRequest {
    pub target: Target,
    /// Files, folders, URLs, or `-` for standard input.
    pub files: Vec<String>,
    /// Folders with a kustomization.
    pub kustomize: Vec<String>,
    /// Only the objects with these labels; the rest of the application is left alone.
    pub selector: Option<String>,
    pub wait: Option<bool>,
    pub timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub restart_budget: Option<u32>,
    pub on_failure: Option<OnFailure>,
    pub prune: Option<bool>,
    /// Consent to prune claims, whose data goes with them.
    pub prune_claims: bool,
    pub force_conflicts: bool,
    /// Consent to delete and create again what cannot be changed.
    pub recreate: bool,
    pub create_namespace: bool,
    /// Consent to take over objects that another tool's release or set owns.
    pub adopt: bool,
    /// How long to wait for another deploy of the application.
    pub lock_timeout: Option<Duration>,
    /// A plan that `plan --out` saved; exactly it is run.
    pub plan: Option<String>,
}

/// Which revision to go back to, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RollbackRequest {
    /// Everything counts but where the manifests are.
    pub deploy: DeployRequest,
    /// By default the newest that was deployed before the current one.
    pub revision: Option<u64>,
    /// Whether images are held to the digests that they ran with.
    pub pin: bool,
}

/// An object and the health it had when the wait ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectHealth {
    pub object: ObjectRef,
    #[serde(flatten)]
    pub health: Health,
}

/// How a deploy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeployOutcome {
    /// Everything was as wanted already.
    Unchanged,
    Deployed,
    /// Applied, and not waited for.
    Applied,
    /// Not begun: something in the plan needs consent or another manifest. Nothing was changed.
    Refused,
    Failed,
    /// Failed, and the revision before it was put back.
    RolledBack,
}

/// What a deploy did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployReport {
    pub outcome: DeployOutcome,
    /// The revision that was made; None when nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The revision that was put back after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
    pub plan: Plan,
    /// Of what was waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<ObjectHealth>,
    /// Why it failed, the first cause first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What the user should know: what was not waited for, what was left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Requests to the API server, repeated ones included.
    pub requests: usize,
    pub seconds: f64,
}
