//! The group autoscaling.

use serde_json::json;

use super::super::edit::{Edit, Fields, Read};

pub(super) fn fill(version: &str, name: &str, object: &mut Fields) {
    match name {
        "HorizontalPodAutoscalerSpec" => {
            object.or("minReplicas", 1);
            if version == "v1" {
                object.or("targetCPUUtilizationPercentage", 80);
            } else {
                metrics(object);
            }
        }
        "HorizontalPodAutoscalerBehavior" => {
            scaling(
                object,
                "scaleUp",
                json!([{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]),
            );
            scaling(object, "scaleDown", json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]));
            if let Some(up) = object.inside("scaleUp") {
                up.or("stabilizationWindowSeconds", 0);
            }
        }
        _ => {}
    }
}

fn metrics(object: &mut Fields) {
    if object.items(&["metrics"]).is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        object.insert("metrics".into(), json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
    }
}

fn scaling(object: &mut Fields, direction: &str, policies: serde_json::Value) {
    if let Some(rules) = object.within(direction) {
        rules.or("selectPolicy", "Max");
        rules.or("policies", policies);
    }
}
