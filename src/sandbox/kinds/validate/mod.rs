//! What is refused, and in which words: a file for each group of kinds.
//!
//! Source: `pkg/apis/*/validation` of Kubernetes 1.34. The order of the causes is that of its code.

mod access;
mod causes;
mod claim;
mod cluster;
mod common;
mod configuration;
mod container;
mod created;
mod custom;
mod definition;
mod difference;
mod environment;
mod internal;
mod job;
mod meta;
mod mounts;
mod networking;
mod placement;
mod pod;
mod probe;
mod quota;
mod rare;
mod replaced;
mod resources;
mod scaling;
mod security;
mod service;
mod tabled;
mod text;
mod volume;
mod workload;

use serde_json::Value;

use self::causes::Causes;
pub(super) use self::text::dns_label;
use crate::sandbox::{problem::ProblemCause, resource::Resource};

/// Judges an object that is created (`live` is None), replaced, or written by way of a subresource. No causes: it is
/// accepted.
pub fn validate(resource: &Resource, subresource: &str, object: &Value, live: Option<&Value>) -> Vec<ProblemCause> {
    let mut causes = Causes::default();
    // Reviews are answered, not kept: they have no name.
    if resource.verbs == ["create"] {
        return Vec::new();
    }
    if resource.group.is_empty() && resource.kind == "Service" && subresource.is_empty() {
        service::families(object, &mut causes);
        if !causes.is_empty() {
            return causes.into_found();
        }
    }
    match live {
        None => {
            created::judge(resource, object, &mut causes);
            if causes.is_empty() && !resource.is_custom() {
                tabled::judge(resource, object, &mut causes);
            }
        }
        Some(live) => {
            // The rules for all kinds come first; those of the kind begin with the same, so that faults come twice.
            meta::create_any(resource, object, &mut causes);
            meta::update(object, live, &mut causes);
            match subresource {
                "" => {
                    replaced::judge(resource, object, live, &mut causes);
                    if causes.is_empty() && !resource.is_custom() {
                        tabled::judge_change(resource, object, live, &mut causes);
                    }
                }
                _ => replaced::judge_part(resource, subresource, object, live, &mut causes),
            }
        }
    }
    causes.into_found()
}

#[cfg(test)]
mod tests;
