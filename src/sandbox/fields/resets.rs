//! Fields that nobody owns through a request: what the server fills in itself, and what the subresource in question
//! does not write (`GetResetFields` of the strategies in kubernetes/pkg/registry).

use std::sync::OnceLock;

use super::{set::Set, types::Types};

/// What is never owned (`stripmeta.go`).
pub(super) fn unowned() -> &'static Set<'static> {
    static UNOWNED: OnceLock<Set<'static>> = OnceLock::new();
    UNOWNED.get_or_init(identity)
}

fn identity() -> Set<'static> {
    let metadata = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let top = ["apiVersion", "kind", "metadata"].iter().map(|name| Set::path(&[name]));
    let below = metadata.iter().map(|name| Set::path(&["metadata", name]));
    top.chain(below).fold(Set::default(), |all, one| all.union(&one))
}

/// What a write to this subresource leaves as it is, with everything below.
pub(super) fn resets(types: Types<'_>, subresource: &str) -> Set<'static> {
    match subresource {
        "" if types.has_status => Set::path(&["status"]),
        "status" => of_status(types.kind),
        _ => Set::default(),
    }
}

fn of_status(kind: &str) -> Set<'static> {
    let spec = Set::path(&["spec"]);
    let more: &[&[&str]] = match kind {
        "Deployment" => &[&["metadata", "labels"]],
        "Pod" => &[&["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
        "APIService"
        | "CustomResourceDefinition"
        | "FlowSchema"
        | "PriorityLevelConfiguration"
        | "ValidatingAdmissionPolicy"
        | "VolumeAttachment" => &[&["metadata"]],
        _ => &[],
    };
    more.iter().fold(spec, |all, path| all.union(&Set::path(path)))
}
