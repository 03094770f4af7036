//! API versions that Kubernetes has deprecated or removed, with what replaces them.
//!
//! From the Kubernetes deprecation guide and the life-cycle markers of `k8s.io/api`. Minor versions are those of
//! Kubernetes 1.

/// An API version of some kinds that goes or has gone.
#[derive(Debug, PartialEq, Eq)]
pub struct Withdrawn {
    pub api_version: &'static str,
    /// Separated by spaces.
    kinds: &'static str,
    /// The minor version that began to warn.
    pub deprecated: u32,
    /// The first minor version without it; None where no removal is planned.
    pub removed: Option<u32>,
    /// What to write instead: an API version, or a sentence.
    pub replacement: &'static str,
}

/// What is known about an API version of a kind that goes or has gone.
pub fn withdrawn(api_version: &str, kind: &str) -> Option<&'static Withdrawn> {
    TABLE.iter().find(|entry| entry.api_version == api_version && entry.kinds.split(' ').any(|known| known == kind))
}

const fn gone(
    api_version: &'static str,
    kinds: &'static str,
    deprecated: u32,
    removed: u32,
    replacement: &'static str,
) -> Withdrawn {
    Withdrawn { api_version, kinds, deprecated, removed: Some(removed), replacement }
}

const fn stays(
    api_version: &'static str,
    kinds: &'static str,
    deprecated: u32,
    replacement: &'static str,
) -> Withdrawn {
    Withdrawn { api_version, kinds, deprecated, removed: None, replacement }
}

const POD_SECURITY: &str = "Pod Security admission (the label pod-security.kubernetes.io/enforce on the namespace)";
const RESOURCES: &str = "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice";

static TABLE: [Withdrawn; 50] = [
    gone("admissionregistration.k8s.io/v1alpha1", ADMISSION_POLICIES, 29, 32, "admissionregistration.k8s.io/v1"),
    gone("admissionregistration.k8s.io/v1beta1", ADMISSION_POLICIES, 31, 34, "admissionregistration.k8s.io/v1"),
    gone("admissionregistration.k8s.io/v1beta1", WEBHOOKS, 16, 22, "admissionregistration.k8s.io/v1"),
    gone("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", 16, 22, "apiextensions.k8s.io/v1"),
    gone("apiregistration.k8s.io/v1beta1", "APIService", 19, 22, "apiregistration.k8s.io/v1"),
    gone("apps/v1beta1", "ControllerRevision Deployment StatefulSet", 8, 16, "apps/v1"),
    gone("apps/v1beta2", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", 9, 16, "apps/v1"),
    gone("auditregistration.k8s.io/v1alpha1", "AuditSink", 18, 19, "the API server's --audit-webhook-config-file"),
    gone("authentication.k8s.io/v1alpha1", "SelfSubjectReview", 29, 32, "authentication.k8s.io/v1"),
    gone("authentication.k8s.io/v1beta1", "SelfSubjectReview", 30, 33, "authentication.k8s.io/v1"),
    gone("authentication.k8s.io/v1beta1", "TokenReview", 19, 22, "authentication.k8s.io/v1"),
    gone("authorization.k8s.io/v1beta1", ACCESS_REVIEWS, 19, 22, "authorization.k8s.io/v1"),
    gone("autoscaling/v2beta1", "HorizontalPodAutoscaler", 22, 25, "autoscaling/v2"),
    gone("autoscaling/v2beta2", "HorizontalPodAutoscaler", 23, 26, "autoscaling/v2"),
    gone("batch/v1beta1", "CronJob", 21, 25, "batch/v1"),
    gone("batch/v2alpha1", "CronJob", 8, 21, "batch/v1"),
    gone("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", 34, 37, "certificates.k8s.io/v1beta1"),
    gone("certificates.k8s.io/v1beta1", "CertificateSigningRequest", 19, 22, "certificates.k8s.io/v1"),
    gone("coordination.k8s.io/v1beta1", "Lease", 19, 22, "coordination.k8s.io/v1"),
    gone("discovery.k8s.io/v1beta1", "EndpointSlice", 21, 25, "discovery.k8s.io/v1"),
    gone("events.k8s.io/v1beta1", "Event", 22, 25, "events.k8s.io/v1"),
    gone("extensions/v1beta1", "DaemonSet Deployment ReplicaSet", 8, 16, "apps/v1"),
    gone("extensions/v1beta1", "Ingress", 14, 22, "networking.k8s.io/v1"),
    gone("extensions/v1beta1", "NetworkPolicy", 9, 16, "networking.k8s.io/v1"),
    gone("extensions/v1beta1", "PodSecurityPolicy", 11, 16, POD_SECURITY),
    gone("flowcontrol.apiserver.k8s.io/v1alpha1", FLOW_CONTROL, 20, 24, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta1", FLOW_CONTROL, 23, 26, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta2", FLOW_CONTROL, 26, 29, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta3", FLOW_CONTROL, 29, 32, "flowcontrol.apiserver.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", "IPAddress ServiceCIDR", 34, 37, "networking.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", "Ingress IngressClass", 19, 22, "networking.k8s.io/v1"),
    gone("node.k8s.io/v1alpha1", "RuntimeClass", 20, 24, "node.k8s.io/v1"),
    gone("node.k8s.io/v1beta1", "RuntimeClass", 22, 25, "node.k8s.io/v1"),
    gone("policy/v1beta1", "PodDisruptionBudget", 21, 25, "policy/v1"),
    gone("policy/v1beta1", "PodSecurityPolicy", 21, 25, POD_SECURITY),
    gone("rbac.authorization.k8s.io/v1alpha1", RBAC, 17, 23, "rbac.authorization.k8s.io/v1"),
    gone("rbac.authorization.k8s.io/v1beta1", RBAC, 17, 22, "rbac.authorization.k8s.io/v1"),
    gone("resource.k8s.io/v1beta1", RESOURCES, 35, 38, "resource.k8s.io/v1"),
    gone("resource.k8s.io/v1beta2", RESOURCES, 36, 39, "resource.k8s.io/v1"),
    gone("scheduling.k8s.io/v1alpha1", "PriorityClass", 14, 23, "scheduling.k8s.io/v1"),
    gone("scheduling.k8s.io/v1beta1", "PriorityClass", 14, 22, "scheduling.k8s.io/v1"),
    gone("settings.k8s.io/v1alpha1", "PodPreset", 19, 20, "a mutating admission webhook"),
    gone("storage.k8s.io/v1alpha1", "CSIStorageCapacity VolumeAttachment", 21, 24, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1alpha1", "VolumeAttributesClass", 32, 35, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "CSIDriver StorageClass VolumeAttachment", 19, 22, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "CSINode", 17, 22, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "CSIStorageCapacity", 24, 27, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", "VolumeAttributesClass", 34, 37, "storage.k8s.io/v1"),
    stays("v1", "ComponentStatus", 19, "the health endpoints of the control plane"),
    stays("v1", "Endpoints", 33, "EndpointSlice of discovery.k8s.io/v1"),
];

const ADMISSION_POLICIES: &str = "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding";
const WEBHOOKS: &str = "MutatingWebhookConfiguration ValidatingWebhookConfiguration";
const ACCESS_REVIEWS: &str =
    "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview";
const FLOW_CONTROL: &str = "FlowSchema PriorityLevelConfiguration";
const RBAC: &str = "ClusterRole ClusterRoleBinding Role RoleBinding";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::builtin;

    #[test]
    fn an_old_ingress_names_its_replacement() {
        let found = withdrawn("extensions/v1beta1", "Ingress").unwrap();
        assert_eq!((found.removed, found.replacement), (Some(22), "networking.k8s.io/v1"));
        assert_eq!(withdrawn("networking.k8s.io/v1", "Ingress"), None);
    }

    #[test]
    fn what_was_removed_is_not_in_the_table_of_1_34_and_its_replacement_is() {
        for entry in &TABLE {
            for kind in entry.kinds.split(' ') {
                if entry.removed.is_some_and(|minor| minor <= 34) {
                    assert!(builtin().kind(entry.api_version, kind).is_none(), "{} {kind}", entry.api_version);
                    let replaced = entry.replacement.contains(' ') || builtin().kind(entry.replacement, kind).is_some();
                    assert!(replaced, "{kind} is not in {}", entry.replacement);
                }
            }
        }
    }
}
