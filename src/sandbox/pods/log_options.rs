//! What is asked of a pod's log.

use jiff::Timestamp;
use serde_json::Value;

use super::scenario;
use crate::{
    rules::fields::{list, text},
    sandbox::{
        controllers::objects,
        problem::{Problem, ProblemCause},
    },
};

/// The query of `pods/log`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogOptions {
    pub container: String,
    pub follow: bool,
    /// The run before the present one.
    pub previous: bool,
    pub tail_lines: Option<i64>,
    pub since_seconds: Option<i64>,
    pub since_time: Option<Timestamp>,
    pub timestamps: bool,
    pub limit_bytes: Option<i64>,
}

impl LogOptions {
    /// Reads the pairs of a query. What cannot be read is as if it were not given, as with the real server.
    pub fn from_query<'q>(pairs: impl IntoIterator<Item = (&'q str, &'q str)>) -> Self {
        let mut options = Self::default();
        let truth = |text: &str| !matches!(text, "false" | "0");
        for (key, value) in pairs {
            match key {
                "container" => options.container = value.to_owned(),
                "follow" => options.follow = truth(value),
                "previous" => options.previous = truth(value),
                "timestamps" => options.timestamps = truth(value),
                "tailLines" => options.tail_lines = value.parse().ok(),
                "sinceSeconds" => options.since_seconds = value.parse().ok(),
                "limitBytes" => options.limit_bytes = value.parse().ok(),
                "sinceTime" => options.since_time = value.parse().ok(),
                _ => {}
            }
        }
        options
    }

    /// The first thing that is wrong with the request.
    ///
    /// # Errors
    /// As the API server words it: `ValidatePodLogOptions`, and `LogLocation` of `pkg/registry/core/pod`.
    pub fn check(&self, pod: &Value) -> Result<(), Problem> {
        let mut causes = Vec::new();
        let mut wrong = |field: &str, reason: &'static str, message: String| {
            causes.push(ProblemCause { reason, message, field: field.into() });
        };
        if let Some(lines) = self.tail_lines.filter(|lines| *lines < 0) {
            let message = format!("Invalid value: {lines}: must be greater than or equal to 0");
            wrong("tailLines", "FieldValueInvalid", message);
        }
        if let Some(bytes) = self.limit_bytes.filter(|bytes| *bytes < 1) {
            wrong("limitBytes", "FieldValueInvalid", format!("Invalid value: {bytes}: must be greater than 0"));
        }
        if self.since_seconds.is_some() && self.since_time.is_some() {
            let message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified".into();
            wrong("", "FieldValueForbidden", message);
        } else if let Some(seconds) = self.since_seconds.filter(|seconds| *seconds < 1) {
            wrong("sinceSeconds", "FieldValueInvalid", format!("Invalid value: {seconds}: must be greater than 0"));
        }
        if causes.is_empty() {
            return Ok(());
        }
        let name = objects::name(pod);
        let said: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let said = if said.len() == 1 { said.concat() } else { format!("[{}]", said.join(", ")) };
        let mut problem = Problem::new(422, "Invalid", format!("PodLogOptions \"{name}\" is invalid: {said}"));
        problem.name = name.into();
        problem.kind = "PodLogOptions".into();
        problem.causes = causes;
        Err(problem)
    }

    /// The container that is meant.
    ///
    /// # Errors
    /// The pod has several and none is named, or it has not the one that is named.
    pub fn choose<'p>(&self, pod: &'p Value) -> Result<&'p str, Problem> {
        let names = |pointer: &str| {
            let found: Vec<&str> = list(pod, pointer).iter().map(|container| text(container, "/name")).collect();
            found.join(" ")
        };
        let pod_name = objects::name(pod);
        if !self.container.is_empty() {
            let found = scenario::containers(pod).find(|(container, _)| text(container, "/name") == self.container);
            return found.map(|(container, _)| text(container, "/name")).ok_or_else(|| {
                Problem::bad_request(format!("container {} is not valid for pod {pod_name}", self.container))
            });
        }
        match list(pod, "/spec/containers") {
            [only] => Ok(text(only, "/name")),
            _ => {
                let mut message = format!(
                    "a container name must be specified for pod {pod_name}, choose one of: [{}]",
                    names("/spec/containers")
                );
                let steps = names("/spec/initContainers");
                if !steps.is_empty() {
                    message.push_str(&format!(" or one of the init containers: [{steps}]"));
                }
                Err(Problem::bad_request(message))
            }
        }
    }

    /// Which run of a container can be read: the previous one, by its status.
    ///
    /// # Errors
    /// None has begun yet, in the words of the kubelet (`validateContainerLogStatus`).
    pub fn choose_previous(&self, pod: &Value, container: &str) -> Result<bool, Problem> {
        let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
        let status = statuses.iter().flat_map(|at| list(pod, at)).find(|status| status["name"] == container);
        let pod_name = objects::name(pod);
        let refuse = |why: String| Err(Problem::bad_request(why));
        let Some(status) = status else {
            return refuse(format!("container \"{container}\" in pod \"{pod_name}\" is not available"));
        };
        let has_last = status.pointer("/lastState/terminated").is_some();
        if self.previous {
            return if has_last {
                Ok(true)
            } else {
                refuse(format!("previous terminated container \"{container}\" in pod \"{pod_name}\" not found"))
            };
        }
        let state = &status["state"];
        if state.get("running").is_some() || state.get("terminated").is_some() || has_last {
            return Ok(false);
        }
        let why = match text(state, "/waiting/reason") {
            "ErrImagePull" => "image can't be pulled",
            "ImagePullBackOff" => "trying and failing to pull image",
            other => other,
        };
        refuse(format!("container \"{container}\" in pod \"{pod_name}\" is waiting to start: {why}"))
    }
}
