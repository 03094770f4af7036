//! Patches, server-side apply among them.

use serde_json::Value;

use super::{
    admission::{check_name, check_namespace},
    core::Api,
    create::Made,
    metadata,
    requests::{Patch, Validation, Write},
    update::Next,
};
use crate::sandbox::{
    fields::{self, ApplyFailure, Types, conflicts_message},
    go, kinds,
    patch::{self, PatchFailure},
    problem::{Problem, ProblemCause},
    resource::At,
};

impl Api {
    /// Changes a part of an object; an apply also makes one. True where it was made.
    ///
    /// # Errors
    /// The object is missing, the patch does not fit, others own what it changes, or the result breaks a rule.
    pub fn patch(&self, at: &At, subresource: &str, patch: Patch<'_>, write: &Write) -> Result<(Value, bool), Problem> {
        if subresource == "scale" {
            return self.patch_scale(at, patch, write).map(|scale| (scale, false));
        }
        let done = self.modify(at, subresource, write, |live| {
            let mut object = match patch {
                Patch::Apply(applied) => self.applied(at, subresource, Some(&live.object), applied, write)?,
                other => self.patched(at, &live.object, other, write)?,
            };
            check_name(at, &object)?;
            check_namespace(at, &mut object)?;
            Ok(Next { object, track: !matches!(patch, Patch::Apply(_)) })
        });
        match (done, patch) {
            (Err(problem), Patch::Apply(applied)) if problem.reason == "NotFound" && subresource.is_empty() => {
                self.create_by_apply(at, applied, write).map(|object| (object, true))
            }
            (done, _) => done.map(|object| (object, false)),
        }
    }

    fn create_by_apply(&self, at: &At, applied: &Value, write: &Write) -> Result<Value, Problem> {
        let uid = metadata::text(applied, "uid");
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Problem::conflict(&at.resource, &at.name, &why));
        }
        let object = self.applied(at, "", None, applied, write)?;
        check_name(at, &object)?;
        self.create_owned(at, object, write, Made::Applied)
    }

    /// The object after an apply.
    fn applied(
        &self,
        at: &At,
        subresource: &str,
        live: Option<&Value>,
        applied: &Value,
        write: &Write,
    ) -> Result<Value, Problem> {
        let api_version = at.resource.api_version();
        let writer = self.writer(write, &api_version, subresource);
        let types = Types::of(&at.resource);
        let mut object = fields::apply(types, live, applied, &writer, write.force).map_err(apply_problem)?;
        kinds::default(&at.resource, &mut object);
        Ok(object)
    }

    /// The object after any other patch.
    fn patched(&self, at: &At, live: &Value, patch: Patch<'_>, write: &Write) -> Result<Value, Problem> {
        let types = Types::of(&at.resource);
        let mut object = match patch {
            Patch::Json(operations) => patch::json(live, operations).map_err(patch_problem)?,
            Patch::Merge(changes) | Patch::Apply(changes) => patch::merge(live, changes),
            Patch::Strategic(changes) => patch::strategic(types, live, changes).map_err(patch_problem)?,
        };
        let shown = |object: &Value| match patch {
            Patch::Strategic(changes) => go::plain(changes),
            _ => serde_json::to_string(object).unwrap_or_default(),
        };
        let wrong = match patch {
            Patch::Strategic(_) => fields::unconvertible(types, &object),
            _ => other_kind(at, &object).or_else(|| fields::mistyped(types, &object)),
        };
        if let Some(why) = wrong {
            return Err(undecodable(&shown(&object), &why));
        }
        let before = object.clone();
        let unknown = self.drop_unknown(&at.resource, &mut object, write);
        if write.validation == Validation::Strict && !unknown.is_empty() {
            return Err(undecodable(&shown(&before), &format!("strict decoding error: {}", unknown.join(", "))));
        }
        fields::keep_reset(&mut object);
        kinds::default(&at.resource, &mut object);
        Ok(object)
    }
}

/// What a decoder says of an object whose kind or version a patch has changed.
fn other_kind(at: &At, object: &Value) -> Option<String> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    if at.resource.is_custom() || (kind == at.resource.kind && version == at.resource.api_version()) {
        return None;
    }
    if kind.is_empty() {
        return Some("Object 'Kind' is missing in '<object>'".into());
    }
    Some(format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:110\""))
}

/// A patch whose result is no object of the kind.
pub(super) fn undecodable(patched: &str, why: &str) -> Problem {
    let message = format!("Invalid value: {patched:?}: {why}");
    let mut problem = Problem::new(422, "Invalid", format!(" \"\" is invalid: patch: {message}"));
    problem.causes.push(ProblemCause { reason: "FieldValueInvalid", message, field: "patch".into() });
    problem
}

pub(super) fn apply_problem(failure: ApplyFailure) -> Problem {
    match failure {
        ApplyFailure::Refused(message) => Problem::bad_request(message),
        ApplyFailure::Failed(message) => Problem::new(500, "", message),
        ApplyFailure::Conflicts(conflicts) => {
            let mut problem = Problem::new(409, "Conflict", conflicts_message(&conflicts));
            let cause = |conflict: &fields::FieldConflict| ProblemCause {
                reason: "FieldManagerConflict",
                message: format!("conflict with {}", conflict.manager),
                field: conflict.field.clone(),
            };
            problem.causes = conflicts.iter().map(cause).collect();
            problem
        }
    }
}

pub(super) fn patch_problem(failure: PatchFailure) -> Problem {
    match failure {
        PatchFailure::Malformed(message) => Problem::bad_request(message),
        PatchFailure::TooLarge(message) => Problem::new(413, "RequestEntityTooLarge", message),
        PatchFailure::Failed(message) => Problem::new(500, "", message),
        PatchFailure::Unprocessable(_) => {
            let message = "the server rejected our request due to an error in our request";
            let mut problem = Problem::new(422, "Invalid", message);
            problem.bare_details = true;
            problem
        }
    }
}
