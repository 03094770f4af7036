//! The settings of `evolve.yaml`. The doc comments here are the descriptions in the JSON Schema.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    formats::{self, Size},
    watch::Watch,
};
use crate::model::OnFailure;

/// How kubectl-evolve deploys an application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "evolve.yaml")]
pub struct Settings {
    /// The version of this format.
    #[serde(default)]
    pub api_version: ApiVersion,
    /// The application's name. The records of its deploys carry it, so it must stay the same.
    #[schemars(regex(pattern = formats::NAME.pattern))]
    pub name: String,
    /// The namespace of objects that name none. Without it, the namespace of the kubeconfig's context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::LABEL.pattern))]
    pub namespace: Option<String>,
    /// The images to build, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, Image>,
    /// Manifests: files, folders and URLs. Paths are relative to this file's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)))]
    pub manifests: Vec<String>,
    /// Folders and URLs of kustomizations. Paths are relative to this file's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)))]
    pub kustomize: Vec<String>,
    /// Where `${VAR}` in manifests takes its values from. Without it nothing is substituted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<Substitute>,
    /// Secrets made at deploy from the environment, from files, or generated once and kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// How to apply, wait and record.
    #[serde(default)]
    pub deploy: Deploy,
    /// The numbers of replicas that `scale` sets without being forced.
    #[serde(default)]
    pub scale: Scale,
    /// The severity of a check's findings, by the check's code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Level>,
    /// What is worth an alert, and who is told.
    #[serde(default, skip_serializing_if = "Watch::is_empty")]
    pub watch: Watch,
}

/// The version of the configuration's format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "evolve/v1")]
    V1,
}

/// An image and how it is built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Image {
    /// The folder sent to the build, relative to this file's folder.
    #[schemars(with = "String", length(min = 1))]
    pub context: PathBuf,
    /// The Dockerfile, relative to the context.
    #[schemars(with = "String", length(min = 1))]
    pub dockerfile: PathBuf,
    /// The stage to build; without it, the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments. Not for secrets: the image's history shows them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Secrets for `RUN --mount=type=secret`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<ImageSecret>,
    /// The largest size that passes, such as 300MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Size>,
    /// The platform to build for, such as linux/amd64; without it, the cluster's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::PLATFORM.pattern))]
    pub platform: Option<String>,
    /// Further tags for the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)))]
    pub tags: Vec<String>,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            context: PathBuf::from("."),
            dockerfile: PathBuf::from("Dockerfile"),
            target: None,
            args: BTreeMap::new(),
            secrets: Vec::new(),
            budget: None,
            platform: None,
            tags: Vec::new(),
        }
    }
}

/// A secret of a build, read from a variable or a file. The default is the variable that is named like the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("not" = {"required": ["env", "file"]}))]
pub struct ImageSecret {
    /// The id in `--mount=type=secret,id=…`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// The environment variable with the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::VARIABLE.pattern))]
    pub env: Option<String>,
    /// The file with the value, relative to this file's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub file: Option<PathBuf>,
}

/// Where `${VAR}` and `${VAR:-default}` in manifests take their values from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Substitute {
    /// The environment variables that may be used: true for all, or a list of names.
    pub env: Variables,
    /// Files of `NAME=value` lines, relative to this file's folder. The environment, where allowed, wins over them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub env_file: Vec<PathBuf>,
}

/// All environment variables, none, or those named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Variables {
    /// true for all, false for none.
    All(bool),
    /// Only these.
    Named(#[schemars(inner(regex(pattern = formats::VARIABLE.pattern)))] Vec<String>),
}

impl Default for Variables {
    fn default() -> Self {
        Self::All(false)
    }
}

impl Variables {
    /// Whether the variable may be used.
    pub fn allows(&self, name: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Named(names) => names.iter().any(|allowed| allowed == name),
        }
    }
}

/// A Secret that the deploy makes. Its values are never in this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// The Secret's name.
    #[schemars(regex(pattern = formats::SUBDOMAIN.pattern))]
    pub name: String,
    /// The Secret's namespace; without it, the application's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::LABEL.pattern))]
    pub namespace: Option<String>,
    /// The Secret's type, such as kubernetes.io/tls.
    #[serde(rename = "type", default = "opaque")]
    #[schemars(length(min = 1))]
    pub type_: String,
    /// Where each key's value comes from.
    pub keys: BTreeMap<String, SecretKey>,
}

fn opaque() -> String {
    "Opaque".to_owned()
}

/// A key of a Secret and the source of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SecretKeyFields", into = "SecretKeyFields")]
pub struct SecretKey {
    pub source: SecretSource,
    /// A missing source leaves the key out, instead of being an error.
    pub optional: bool,
}

/// Where a secret value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// Generated at the first deploy and kept in the cluster afterwards; `length` is in characters.
    Generate { kind: Generator, length: u32 },
}

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Generator {
    /// Letters and digits.
    Password,
    /// Hexadecimal digits.
    Hex,
    /// A random UUID.
    Uuid,
}

/// The length of a generated value that gives none.
const GENERATED_LENGTH: u32 = 32;

/// A key of a Secret: its value comes from a variable, from a file, or is generated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(
    rename = "SecretKey",
    extend(
        "oneOf" = [{"required": ["env"]}, {"required": ["file"]}, {"required": ["generate"]}],
        "dependentRequired" = {"length": ["generate"]}
    )
)]
pub(super) struct SecretKeyFields {
    /// The environment variable with the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::VARIABLE.pattern))]
    env: Option<String>,
    /// The file with the value, relative to this file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    file: Option<PathBuf>,
    /// Generate the value at the first deploy and keep it afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    generate: Option<Generator>,
    /// The number of characters of a generated password or hex value; 32 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8, max = 1024))]
    length: Option<u32>,
    /// Leave the key out where the variable or the file is missing, instead of failing.
    optional: bool,
}

impl JsonSchema for SecretKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        SecretKeyFields::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        SecretKeyFields::json_schema(generator)
    }
}

impl TryFrom<SecretKeyFields> for SecretKey {
    type Error = &'static str;

    fn try_from(fields: SecretKeyFields) -> Result<Self, Self::Error> {
        let source = match (fields.env, fields.file, fields.generate) {
            (Some(variable), None, None) => SecretSource::Env(variable),
            (None, Some(path), None) => SecretSource::File(path),
            (None, None, Some(kind)) => {
                SecretSource::Generate { kind, length: fields.length.unwrap_or(GENERATED_LENGTH) }
            }
            _ => return Err("expected exactly one of env, file and generate"),
        };
        Ok(Self { source, optional: fields.optional })
    }
}

impl From<SecretKey> for SecretKeyFields {
    fn from(key: SecretKey) -> Self {
        let mut fields = Self { optional: key.optional, ..Self::default() };
        match key.source {
            SecretSource::Env(variable) => fields.env = Some(variable),
            SecretSource::File(path) => fields.file = Some(path),
            SecretSource::Generate { kind, length } => {
                fields.generate = Some(kind);
                // A UUID has the length it has.
                fields.length = (kind != Generator::Uuid).then_some(length);
            }
        }
        fields
    }
}

/// How to apply, wait and record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deploy {
    /// Wait until everything is ready.
    pub wait: bool,
    /// The longest wait for everything to be ready.
    #[serde(with = "formats::duration_text")]
    #[schemars(with = "String", regex(pattern = formats::DURATION.pattern), length(min = 2))]
    pub timeout: Duration,
    /// How long an error that may pass by itself is watched before it counts.
    #[serde(with = "formats::duration_text")]
    #[schemars(with = "String", regex(pattern = formats::DURATION.pattern), length(min = 2))]
    pub grace: Duration,
    /// How many times a container may restart before it counts as failed.
    #[schemars(range(max = 1000))]
    pub restart_budget: u32,
    /// What to do after a failure. Without it, a first deploy is kept and a later one rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// Delete objects of the application that are no longer in the manifests.
    pub prune: bool,
    /// How many revisions to keep.
    #[schemars(range(min = 1, max = 1000))]
    pub history_limit: u32,
    /// Take every field that another manager owns.
    pub force_conflicts: bool,
    /// What to do with a field that another manager owns; the first rule that matches decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<ConflictRule>,
    /// Create the application's namespace where it is missing and no manifest defines it.
    pub create_namespace: bool,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            wait: true,
            timeout: Duration::from_secs(5 * 60),
            grace: Duration::from_secs(10),
            restart_budget: 1,
            on_failure: None,
            prune: true,
            history_limit: 10,
            force_conflicts: false,
            conflicts: Vec::new(),
            create_namespace: false,
        }
    }
}

/// The numbers of replicas that `scale` sets without being forced. An autoscaler's bounds are its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scale {
    /// The fewest.
    pub min: u32,
    /// The most.
    pub max: u32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { min: 0, max: 5 }
    }
}

/// A rule for a field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConflictRule {
    /// The kind of the object, such as Deployment; without it, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name of the object; without it, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The field, such as spec.replicas.
    #[schemars(length(min = 1))]
    pub field: String,
    /// Whose value stays.
    pub take: Take,
}

/// Whose value of a contested field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Take {
    /// The manifest's, and the field is ours from then on.
    Ours,
    /// The other manager's.
    Theirs,
}

/// The severity given to a check's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The check is not made.
    Off,
    /// For information.
    Info,
    /// It works, and will bite.
    Warning,
    /// Nothing is deployed.
    Error,
}
