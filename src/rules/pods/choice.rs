//! Which pod a command or a connection goes to, and which of its containers.

use serde_json::Value;

use crate::{
    error::{Error, Result},
    rules::fields::{condition, list, text},
};

/// The container that `kubectl exec` and `kubectl logs` take when none is named.
const DEFAULT_CONTAINER: &str = "/metadata/annotations/kubectl.kubernetes.io~1default-container";

/// Whether a pod runs and is not on its way out.
pub fn is_usable(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running" && text(pod, "/metadata/deletionTimestamp").is_empty()
}

pub fn is_ready(pod: &Value) -> bool {
    is_usable(pod) && condition(pod, "Ready").is_some_and(|ready| ready.is_true())
}

/// The pod to use: a ready one, else one that runs; of several, the newest, which is the newest revision's.
pub fn best<'p>(pods: impl IntoIterator<Item = &'p Value>) -> Option<&'p Value> {
    pods.into_iter().filter(|pod| is_usable(pod)).max_by_key(|pod| rank(pod))
}

fn rank(pod: &Value) -> (bool, &str, &str) {
    (is_ready(pod), text(pod, "/metadata/creationTimestamp"), text(pod, "/metadata/name"))
}

/// The pods in words, for when none can be used: `2 pods: api-x Pending, api-y Succeeded`.
pub fn in_words(pods: &[Value]) -> String {
    const SHOWN: usize = 3;
    let state = |pod: &Value| match text(pod, "/metadata/deletionTimestamp") {
        "" => format!("{} is {}", text(pod, "/metadata/name"), text(pod, "/status/phase")),
        _ => format!("{} is terminating", text(pod, "/metadata/name")),
    };
    let words: Vec<String> = pods.iter().take(SHOWN).map(state).collect();
    match pods.len() {
        0 => "it has no pods".into(),
        count if count > SHOWN => format!("{}, and {} more", words.join(", "), count - SHOWN),
        _ => words.join(", "),
    }
}

/// The container to use: the one that is named, else that of the annotation, else the first.
///
/// # Errors
/// Usage, naming those that there are, when the pod has no container of the name.
pub fn container<'p>(pod: &'p Value, named: Option<&str>) -> Result<&'p str> {
    let names = |pointer: &str| list(pod, pointer).iter().map(|container| text(container, "/name"));
    let first = names("/spec/containers").next().unwrap_or_default();
    let all =
        || names("/spec/containers").chain(names("/spec/initContainers")).chain(names("/spec/ephemeralContainers"));
    let annotated = text(pod, DEFAULT_CONTAINER);
    match named {
        None => Ok(all().find(|name| *name == annotated).unwrap_or(first)),
        Some(named) => all().find(|name| *name == named).ok_or_else(|| {
            let known: Vec<&str> = all().collect();
            Error::usage(format!("pod/{} has no container {named}", text(pod, "/metadata/name")))
                .hint(format!("it has {}", known.join(", ")))
        }),
    }
}

/// Why nothing can be run in a container; None where it runs, or nothing is known of it.
pub fn not_running(pod: &Value, container: &str) -> Option<String> {
    let statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let statuses = statuses.iter().flat_map(|name| list(pod, &format!("/status/{name}")));
    let status = statuses.into_iter().find(|status| status["name"] == container)?;
    let waiting = text(status, "/state/waiting/reason");
    let ended = text(status, "/state/terminated/reason");
    match (status["state"]["terminated"].is_object(), status["state"]["waiting"].is_object()) {
        (true, _) if ended.is_empty() => Some("it has ended".into()),
        (true, _) => Some(format!("it has ended: {ended}")),
        (_, true) if waiting.is_empty() => Some("it waits".into()),
        (_, true) => Some(format!("it waits: {waiting}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn pod(name: &str, phase: &str, ready: &str, created: &str) -> Value {
        yaml(&format!(
            "{{metadata: {{name: {name}, creationTimestamp: '{created}'}}, status: {{phase: {phase}, conditions: [{{type: Ready, status: '{ready}'}}]}}}}"
        ))
    }

    #[test]
    fn a_ready_pod_comes_first_then_the_newest() {
        let old = pod("old", "Running", "True", "2026-01-01T00:00:00Z");
        let new = pod("new", "Running", "True", "2026-01-02T00:00:00Z");
        let starting = pod("starting", "Running", "False", "2026-01-03T00:00:00Z");
        let mut going = pod("going", "Running", "True", "2026-01-04T00:00:00Z");
        going["metadata"]["deletionTimestamp"] = "2026-01-05T00:00:00Z".into();
        let pending = pod("pending", "Pending", "False", "2026-01-06T00:00:00Z");
        let name = |pods: &[&Value]| best(pods.iter().copied()).map(|pod| text(pod, "/metadata/name").to_owned());
        assert_eq!(name(&[&old, &new, &starting, &going, &pending]).as_deref(), Some("new"));
        assert_eq!(name(&[&starting, &going, &pending]).as_deref(), Some("starting"));
        assert_eq!(name(&[&going, &pending]), None);
        assert_eq!(in_words(&[going, pending]), "going is terminating, pending is Pending");
        assert_eq!(in_words(&[]), "it has no pods");
    }

    #[test]
    fn a_container_is_the_named_one_that_of_the_annotation_or_the_first() {
        let mut pod = yaml(
            "{metadata: {name: p}, spec: {initContainers: [{name: init}], containers: [{name: proxy}, {name: main}]}}",
        );
        assert_eq!(container(&pod, None).unwrap(), "proxy");
        assert_eq!(container(&pod, Some("init")).unwrap(), "init");
        let error = container(&pod, Some("web")).unwrap_err();
        assert_eq!(error.hints(), ["it has proxy, main, init"]);
        pod["metadata"]["annotations"] = serde_json::json!({"kubectl.kubernetes.io/default-container": "main"});
        assert_eq!(container(&pod, None).unwrap(), "main");
        pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "gone".into();
        assert_eq!(container(&pod, None).unwrap(), "proxy");
    }

    #[test]
    fn a_container_that_does_not_run_says_why() {
        let pod = yaml(
            "{status: {containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}, {name: b, state: {running: {}}}, {name: c, state: {terminated: {reason: Completed}}}]}}",
        );
        assert_eq!(not_running(&pod, "a").as_deref(), Some("it waits: CrashLoopBackOff"));
        assert_eq!(not_running(&pod, "b"), None);
        assert_eq!(not_running(&pod, "c").as_deref(), Some("it has ended: Completed"));
        assert_eq!(not_running(&pod, "d"), None);
    }
}
