//! The group admissionregistration.k8s.io.

use serde_json::json;

use super::super::edit::{Edit, Fields};

pub(super) fn fill(name: &str, object: &mut Fields) {
    match name {
        "ValidatingWebhook" | "MutatingWebhook" => {
            object.or("failurePolicy", "Fail");
            selectors(object);
            object.or("timeoutSeconds", 10);
            if name == "MutatingWebhook" {
                object.or("reinvocationPolicy", "Never");
            }
        }
        "MatchResources" => selectors(object),
        "RuleWithOperations" | "NamedRuleWithOperations" => object.or("scope", "*"),
        "ServiceReference" => object.or("port", 443),
        "ValidatingAdmissionPolicySpec" => object.or("failurePolicy", "Fail"),
        _ => {}
    }
}

fn selectors(object: &mut Fields) {
    object.or("matchPolicy", "Equivalent");
    object.or("namespaceSelector", json!({}));
    object.or("objectSelector", json!({}));
}
