//! Images whose tag does not stay the same.

use super::rule::{Check, Context, Findings, Rule};
use crate::model::Severity;

pub(super) static RULE: Rule = Rule {
    code: "latest-image",
    severity: Severity::Warning,
    summary: "An image without a tag, or with the tag latest",
    help: "Nodes may run different images under one name, a rollback brings nothing back, and nobody can tell what ran. Name a version or a digest.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for workload in &context.set.workloads {
        for container in workload.containers() {
            let Some(image) = container.value["image"].as_str() else { continue };
            let problem = match tag(image) {
                Some("latest") => "has the tag latest",
                None if !image.is_empty() && !image.contains('@') => "has no tag, which means latest",
                _ => continue,
            };
            let path = workload.path_of(&container).key("image");
            findings.add(workload.manifest, path, format!("image {image:?} {problem}"));
        }
    }
}

/// The tag of an image that has no digest. A colon before the last slash belongs to the registry's port.
fn tag(image: &str) -> Option<&str> {
    let name = image.rsplit('/').next().filter(|_| !image.contains('@'))?;
    name.split_once(':').map(|(_, tag)| tag)
}
