//! What runs pods: the groups apps and batch, and replication controllers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::edit::Read,
    name_and_age,
    words::{age_of, containers, count, labels, or_none, selector, span},
};
use crate::sandbox::resource::Resource;

pub(super) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let (name, age) = name_and_age(object, now);
    let status = |key: &str| count(object, &["status", key]);
    let wanted = count(object, &["spec", "replicas"]);
    let [names, images] = containers(object.items(&["spec", "template", "spec", "containers"]));
    let chosen = json!(selector(object.at(&["spec", "selector"])));
    let cells = match resource.kind.as_str() {
        "Deployment" => {
            let ready = format!("{}/{wanted}", status("readyReplicas"));
            let (updated, available) = (status("updatedReplicas"), status("availableReplicas"));
            vec![name, json!(ready), json!(updated), json!(available), age, names, images, chosen]
        }
        "ReplicaSet" => {
            let numbers = [wanted, status("replicas"), status("readyReplicas")].map(|number| json!(number));
            [vec![name], numbers.into(), vec![age, names, images, chosen]].concat()
        }
        "ReplicationController" => {
            let numbers = [wanted, status("replicas"), status("readyReplicas")].map(|number| json!(number));
            let chosen = json!(labels(object.fields(&["spec", "selector"])));
            [vec![name], numbers.into(), vec![age, names, images, chosen]].concat()
        }
        "StatefulSet" => {
            vec![name, json!(format!("{}/{wanted}", status("readyReplicas"))), age, names, images]
        }
        "DaemonSet" => {
            let numbers = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            let numbers = numbers.map(|key| json!(status(key)));
            let nodes = json!(labels(object.fields(&["spec", "template", "spec", "nodeSelector"])));
            [vec![name], numbers.into(), vec![nodes, age, names, images, chosen]].concat()
        }
        "Job" => {
            let (completions, taken) = (json!(completions(object)), json!(taken(object, now)));
            vec![name, json!(job_status(object)), completions, taken, age, names, images, chosen]
        }
        "CronJob" => return Some(cron_job(object, now)),
        "PodTemplate" => {
            let [names, images] = containers(object.items(&["template", "spec", "containers"]));
            vec![name, names, images, json!(labels(object.fields(&["template", "metadata", "labels"])))]
        }
        "ControllerRevision" => {
            let controller = object.items(&["metadata", "ownerReferences"]).iter();
            let mut controller = controller.filter(|owner| owner.is_true(&["controller"])).map(|owner| {
                let kind = owner.text(&["kind"]);
                let kind = match owner.text(&["apiVersion"]).split_once('/') {
                    Some((group, _)) => format!("{kind}.{group}"),
                    None => kind.to_owned(),
                };
                format!("{}/{}", kind.to_lowercase(), owner.text(&["name"]))
            });
            let controller = controller.next_back().unwrap_or_default();
            vec![name, json!(or_none(&controller)), json!(count(object, &["revision"])), age]
        }
        _ => return None,
    };
    Some(cells)
}

fn completions(job: &Value) -> String {
    let succeeded = count(job, &["status", "succeeded"]);
    match (job.number(&["spec", "completions"]), count(job, &["spec", "parallelism"])) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        _ => format!("{succeeded}/1"),
    }
}

/// How long a Job has run, or ran.
fn taken(job: &Value, now: Timestamp) -> String {
    let time = |key: &str| job.text(&["status", key]).parse::<Timestamp>().ok();
    match (time("startTime"), time("completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => span(end.unwrap_or(now).as_second() - start.as_second()),
    }
}

fn job_status(job: &Value) -> &'static str {
    let is = |wanted: &str| {
        let mut conditions = job.items(&["status", "conditions"]).iter();
        conditions
            .find(|condition| condition.text(&["type"]) == wanted)
            .is_some_and(|condition| condition.text(&["status"]) == "True")
    };
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if job.has(&["metadata", "deletionTimestamp"]) => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn cron_job(object: &Value, now: Timestamp) -> Vec<Value> {
    let (name, age) = name_and_age(object, now);
    let last = match object.has(&["status", "lastScheduleTime"]) {
        true => age_of(object, &["status", "lastScheduleTime"], now),
        false => "<none>".into(),
    };
    let suspended = match object.at(&["spec", "suspend"]) {
        Some(Value::Bool(true)) => "True",
        Some(Value::Bool(false)) => "False",
        _ => "<unset>",
    };
    let job = ["spec", "jobTemplate", "spec"];
    let [names, images] = containers(object.items(&[&job[..], &["template", "spec", "containers"]].concat()));
    vec![
        name,
        json!(object.text(&["spec", "schedule"])),
        json!(or_none(object.text(&["spec", "timeZone"]))),
        json!(suspended),
        json!(object.items(&["status", "active"]).len()),
        json!(last),
        age,
        names,
        images,
        json!(selector(object.at(&[&job[..], &["selector"]].concat()))),
    ]
}
