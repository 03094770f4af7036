//! API versions and annotations that still work and are on their way out.

use serde_json::Value;

use super::{
    removed_api::minor,
    rule::{Check, Context, Findings, Rule},
    set::is_builtin_group,
};
use crate::{
    model::{FieldPath, Manifest, Severity},
    schema::withdrawn,
};

pub(super) static RULE: Rule = Rule {
    code: "deprecated-api",
    severity: Severity::Warning,
    summary: "An API version or annotation that Kubernetes has deprecated",
    help: "It works until it is removed; the replacement works already.",
    check: Check::Set(check),
};

/// Deprecated annotations (by prefix) and what replaces them.
const ANNOTATIONS: [(&str, &str); 9] = [
    ("kubernetes.io/ingress.class", "spec.ingressClassName"),
    ("seccomp.security.alpha.kubernetes.io/", "securityContext.seccompProfile"),
    ("container.seccomp.security.alpha.kubernetes.io/", "securityContext.seccompProfile"),
    ("container.apparmor.security.beta.kubernetes.io/", "securityContext.appArmorProfile"),
    ("scheduler.alpha.kubernetes.io/critical-pod", "priorityClassName"),
    ("scheduler.alpha.kubernetes.io/tolerations", "spec.tolerations"),
    ("volume.beta.kubernetes.io/storage-class", "spec.storageClassName"),
    ("volume.alpha.kubernetes.io/storage-class", "spec.storageClassName"),
    ("service.alpha.kubernetes.io/tolerate-unready-endpoints", "spec.publishNotReadyAddresses"),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let minor = minor(context);
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        let reference = &manifest.reference;
        if let Some(going) = withdrawn(&reference.api_version, &reference.kind)
            && going.deprecated <= minor
            && going.removed.is_none_or(|removed| minor < removed)
        {
            let since = format!(
                "{} {} is deprecated since Kubernetes 1.{}",
                reference.api_version, reference.kind, going.deprecated
            );
            let until = going.removed.map(|removed| format!(" and removed in 1.{removed}")).unwrap_or_default();
            let path = FieldPath::default().key("apiVersion");
            findings.add(index, path, since + &until).hint(format!("use {}", going.replacement));
        }
        annotations(index, manifest, &FieldPath::default(), &manifest.object, findings);
    }
    for workload in context.set.workloads.iter().filter(|workload| !workload.path.0.is_empty()) {
        if let Some(manifest) = context.set.manifests.get(workload.manifest) {
            annotations(workload.manifest, manifest, &workload.path, workload.template, findings);
        }
    }
}

fn annotations(index: usize, manifest: &Manifest, path: &FieldPath, object: &Value, findings: &mut Findings) {
    for key in object["metadata"]["annotations"].as_object().into_iter().flat_map(|all| all.keys()) {
        let known =
            ANNOTATIONS.iter().find(|(prefix, _)| key == prefix || (prefix.ends_with('/') && key.starts_with(prefix)));
        if let Some((_, replacement)) = known.filter(|_| is_builtin_group(manifest.reference.group())) {
            let path = path.key("metadata").key("annotations").key(key);
            findings.add(index, path, format!("annotation {key} is deprecated")).hint(format!("use {replacement}"));
        }
    }
}
