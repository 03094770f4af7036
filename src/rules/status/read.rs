//! The fields of a pod that a status needs, read without building the rest.
//!
//! Ten thousand pods are 54 MB of JSON, of which this keeps about a hundredth; what is borrowed is not copied either.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod<'j> {
    #[serde(borrow)]
    pub metadata: Metadata<'j>,
    #[serde(borrow)]
    pub spec: Spec<'j>,
    #[serde(borrow)]
    pub status: Status<'j>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata<'j> {
    #[serde(borrow)]
    pub name: Cow<'j, str>,
    #[serde(borrow)]
    pub namespace: Cow<'j, str>,
    #[serde(borrow)]
    pub uid: Cow<'j, str>,
    #[serde(borrow)]
    pub creation_timestamp: Cow<'j, str>,
    #[serde(borrow)]
    pub deletion_timestamp: Cow<'j, str>,
    #[serde(borrow)]
    pub owner_references: Vec<OwnerReference<'j>>,
    #[serde(borrow)]
    pub labels: Labels<'j>,
}

/// The labels by which controllers tell revisions apart.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Labels<'j> {
    #[serde(borrow, rename = "controller-revision-hash")]
    pub revision: Cow<'j, str>,
    #[serde(borrow, rename = "pod-template-generation")]
    pub generation: Cow<'j, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OwnerReference<'j> {
    #[serde(borrow)]
    pub api_version: Cow<'j, str>,
    #[serde(borrow)]
    pub kind: Cow<'j, str>,
    #[serde(borrow)]
    pub name: Cow<'j, str>,
    #[serde(borrow)]
    pub uid: Cow<'j, str>,
    pub controller: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec<'j> {
    #[serde(borrow)]
    pub node_name: Cow<'j, str>,
    #[serde(borrow)]
    pub containers: Vec<Container<'j>>,
    #[serde(borrow)]
    pub init_containers: Vec<Container<'j>>,
    #[serde(borrow)]
    pub volumes: Vec<Volume<'j>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container<'j> {
    #[serde(borrow)]
    pub name: Cow<'j, str>,
    #[serde(borrow)]
    pub image: Cow<'j, str>,
    #[serde(borrow)]
    pub restart_policy: Cow<'j, str>,
    #[serde(borrow)]
    pub resources: Resources<'j>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources<'j> {
    #[serde(borrow)]
    pub requests: Amounts<'j>,
    #[serde(borrow)]
    pub limits: Amounts<'j>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Amounts<'j> {
    #[serde(borrow)]
    pub cpu: Cow<'j, str>,
    #[serde(borrow)]
    pub memory: Cow<'j, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Volume<'j> {
    #[serde(borrow)]
    pub name: Cow<'j, str>,
    #[serde(borrow)]
    pub persistent_volume_claim: Claim<'j>,
    /// A claim of the pod's own, named after the pod and the volume.
    pub ephemeral: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Claim<'j> {
    #[serde(borrow)]
    pub claim_name: Cow<'j, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status<'j> {
    #[serde(borrow)]
    pub phase: Cow<'j, str>,
    #[serde(borrow, rename = "hostIP")]
    pub host_ip: Cow<'j, str>,
    #[serde(borrow)]
    pub conditions: Vec<Condition<'j>>,
    #[serde(borrow)]
    pub container_statuses: Vec<ContainerState<'j>>,
    #[serde(borrow)]
    pub init_container_statuses: Vec<ContainerState<'j>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition<'j> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'j, str>,
    #[serde(borrow)]
    pub status: Cow<'j, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerState<'j> {
    #[serde(borrow)]
    pub name: Cow<'j, str>,
    #[serde(borrow, rename = "imageID")]
    pub image_id: Cow<'j, str>,
    pub ready: bool,
    pub restart_count: i64,
    #[serde(borrow)]
    pub state: State<'j>,
    #[serde(borrow)]
    pub last_state: State<'j>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State<'j> {
    #[serde(borrow)]
    pub waiting: Option<Waiting<'j>>,
    pub running: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    pub terminated: Option<Terminated<'j>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting<'j> {
    #[serde(borrow)]
    pub reason: Cow<'j, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated<'j> {
    pub exit_code: i64,
    #[serde(borrow)]
    pub reason: Cow<'j, str>,
    #[serde(borrow)]
    pub finished_at: Cow<'j, str>,
}
