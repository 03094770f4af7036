//! Answers of 400 and more, as the API server words them.
//!
//! Source of reasons and wording: `k8s.io/apimachinery/pkg/api/errors`.

use serde_json::{Value, json};

use super::resource::Resource;

/// A request that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub code: u16,
    /// `NotFound`, `Conflict`, `Invalid`, …; empty where the server knows of none.
    pub reason: &'static str,
    pub message: String,
    /// Of the object in question; empty where there is none.
    pub name: String,
    pub group: String,
    /// The resource in most problems, the kind in `Invalid` ones.
    pub kind: String,
    pub causes: Vec<ProblemCause>,
    pub retry_after_seconds: Option<u32>,
    /// Details are written though there is nothing in them.
    pub bare_details: bool,
}

/// One of several reasons for a refusal, with the field where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ProblemCause {
    /// `FieldValueRequired`, `FieldManagerConflict`, …
    pub reason: &'static str,
    pub message: String,
    /// `spec.template.spec.containers[0].image`
    pub field: String,
}

impl Problem {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            causes: Vec::new(),
            retry_after_seconds: None,
            bare_details: false,
        }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.group_resource());
        Self::new(404, "NotFound", message).of(resource, name)
    }

    pub fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.group_resource());
        Self::new(409, "AlreadyExists", message).of(resource, name)
    }

    /// Someone else wrote in between, or a precondition does not hold.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.group_resource());
        Self::new(409, "Conflict", message).of(resource, name)
    }

    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.group_resource());
        Self::new(403, "Forbidden", message).of(resource, name)
    }

    /// The object breaks the rules of its kind.
    pub fn invalid(resource: &Resource, name: &str, causes: Vec<ProblemCause>) -> Self {
        let kind = resource.group_kind();
        let mut said: Vec<String> = Vec::new();
        for cause in &causes {
            let words = format!("{}: {}", cause.field, cause.message);
            // What is said twice among the causes is said once in the message.
            if !said.contains(&words) {
                said.push(words);
            }
        }
        let said = match said.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let mut problem = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {said}"));
        problem.name = name.into();
        problem.group = resource.internal_group().into();
        problem.kind.clone_from(&resource.kind);
        problem.causes = causes;
        problem
    }

    /// The history that was asked for is compacted away.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    fn of(mut self, resource: &Resource, name: &str) -> Self {
        self.name = name.into();
        self.group.clone_from(&resource.group);
        self.kind.clone_from(&resource.plural);
        self
    }

    /// The `Status` that says it.
    pub fn status(&self) -> Value {
        let mut details = json!({});
        for (key, text) in [("name", &self.name), ("group", &self.group), ("kind", &self.kind)] {
            if !text.is_empty() {
                details[key] = json!(text);
            }
        }
        if !self.causes.is_empty() {
            let cause = |cause: &ProblemCause| {
                let mut said = json!({"reason": cause.reason, "message": cause.message});
                if !cause.field.is_empty() {
                    said["field"] = json!(cause.field);
                }
                said
            };
            details["causes"] = self.causes.iter().map(cause).collect();
        }
        if let Some(seconds) = self.retry_after_seconds {
            details["retryAfterSeconds"] = json!(seconds);
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if self.bare_details || details.as_object().is_some_and(|details| !details.is_empty()) {
            status["details"] = details;
        }
        status["code"] = json!(self.code);
        status
    }
}
