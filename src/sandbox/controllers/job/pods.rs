//! New pods of a Job.

use serde_json::{Value, json};

use super::{
    super::{
        action::{Decision, Notice, View},
        objects::{self, pod_of, set_text},
        tables,
    },
    counts::{INDEX, TRACKING},
};
use crate::rules::fields::list;

pub const CONTROLLER: &str = "job-controller";

/// Makes a pod, with an index where the Job counts by those.
pub fn create(view: &View<'_>, job: &Value, index: Option<i64>, decision: &mut Decision) {
    let job_name = objects::name(job);
    let base = index.map_or_else(|| format!("{job_name}-"), |index| format!("{job_name}-{index}-"));
    let name = view.suffixes.name(&base);
    let mut pod = pod_of(job, &job["spec"]["template"]);
    pod["metadata"]["generateName"] = json!(base);
    pod["metadata"]["name"] = json!(name);
    let mut finalizers = list(&pod, "/metadata/finalizers").to_vec();
    finalizers.push(json!(TRACKING));
    pod["metadata"]["finalizers"] = json!(finalizers);
    if let Some(index) = index {
        set_text(&mut pod, "annotations", INDEX, &index.to_string());
        set_text(&mut pod, "labels", INDEX, &index.to_string());
        pod["spec"]["hostname"] = json!(format!("{job_name}-{index}"));
        let path = format!("metadata.annotations['{INDEX}']");
        for field in ["initContainers", "containers"] {
            for container in pod["spec"].get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                let mut variables = list(container, "/env").to_vec();
                variables.push(json!({"name": "JOB_COMPLETION_INDEX",
                    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}));
                container["env"] = json!(variables);
            }
        }
    }
    decision.try_create(tables::PODS, pod, Notice::of(job, CONTROLLER, "FailedCreate", "Error creating: ".into()));
    decision.tell(Notice::of(job, CONTROLLER, "SuccessfulCreate", format!("Created pod: {name}")));
}
