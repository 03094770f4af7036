//! What the API server fills in where nothing was written: its `SetDefaults_…`, a file for each group.
//!
//! Source: `pkg/apis/*/*/defaults.go` of Kubernetes 1.34. What OpenAPI itself tells is filled in by the walk that calls
//! these, and so are the types below the one at hand.

mod admission;
mod autoscaling;
mod core;
mod pod;
mod rest;
mod workload;

use super::edit::Fields;
use crate::{sandbox::resource::Resource, schema::Type};

/// Fills in one value of a type, before what it holds is filled in.
pub(super) fn of(found: &Type, object: &mut Fields) {
    let mut parts = found.name.rsplitn(4, '.');
    let (name, version, group) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    let name = name.unwrap_or_default();
    match group.unwrap_or_default() {
        "core" => {
            core::fill(name, object);
            pod::fill(name, object);
        }
        "apps" | "batch" => workload::fill(name, object),
        "autoscaling" => autoscaling::fill(version, name, object),
        "admissionregistration" => admission::fill(name, object),
        "rbac" => rest::rbac(name, object),
        "networking" => rest::networking(name, object),
        "storage" => rest::storage(name, object),
        "resource" => rest::devices(name, object),
        "flowcontrol" => rest::flow(name, object),
        "apiextensions" => rest::definitions(name, object),
        _ => rest::others(name, object),
    }
}

/// What is filled in once all of an object is.
pub(super) fn whole(resource: &Resource, object: &mut Fields) {
    if resource.kind == "Secret" {
        core::text_of_secret(object);
    }
}
