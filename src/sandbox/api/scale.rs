//! The subresource `scale`: the number of replicas as an object of its own.

use serde_json::Value;

use super::{
    core::Api,
    metadata,
    patch::{apply_problem, patch_problem},
    requests::{Patch, Write},
    update::Next,
};
use crate::sandbox::{
    fields::{self, Types, Writer},
    kinds, patch,
    problem::{Problem, ProblemCause},
    resource::At,
};

impl Api {
    /// The `Scale` of an object.
    ///
    /// # Errors
    /// There is no such object, or its kind has none.
    pub fn scale(&self, at: &At) -> Result<Value, Problem> {
        scale_of(at, &self.get(at)?)
    }

    pub(super) fn update_scale(&self, at: &At, scale: &Value, write: &Write) -> Result<Value, Problem> {
        let name = metadata::text(scale, "name");
        if name != at.name {
            return Err(Problem::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                at.name
            )));
        }
        self.write_scale(at, write, |live, writer| {
            Ok(fields::track_update(fields::scale_types(), Some(live), without_zero(scale.clone()), writer))
        })
    }

    pub(super) fn patch_scale(&self, at: &At, patch: Patch<'_>, write: &Write) -> Result<Value, Problem> {
        let types = fields::scale_types();
        self.write_scale(at, write, |live, writer| {
            let new = match patch {
                Patch::Apply(applied) => {
                    return fields::apply(types, Some(live), applied, writer, write.force).map_err(apply_problem);
                }
                Patch::Json(operations) => patch::json(live, operations).map_err(patch_problem)?,
                Patch::Strategic(changes) => patch::strategic(types, live, changes).map_err(patch_problem)?,
                Patch::Merge(changes) => patch::merge(live, changes),
            };
            Ok(fields::track_update(types, Some(live), without_zero(new), writer))
        })
    }

    fn write_scale(
        &self,
        at: &At,
        write: &Write,
        mut change: impl FnMut(&Value, &Writer<'_>) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        let written = self.modify(at, "scale", write, |live| {
            let mut before = scale_of(at, &live.object)?;
            let path = kinds::replicas_path(&at.resource);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let types = Types::of(&at.resource);
            fields::put_entries(&mut before, fields::entries_of_scale(types, &live.object, &path));
            let scale = change(&before, &self.writer(write, fields::SCALE, "scale"))?;
            let wanted = scale["spec"]["replicas"].as_i64().unwrap_or(0);
            if wanted < 0 {
                return Err(negative(at, wanted));
            }
            let mut object = live.object.clone();
            kinds::set_scale(&at.resource, &mut object, &scale);
            let entries = fields::entries_after_scale(types, &live.object, &scale, &path);
            fields::put_entries(&mut object, entries);
            let fields = metadata::of(&mut object);
            match scale["metadata"].get("resourceVersion") {
                Some(version) => fields.insert("resourceVersion".into(), version.clone()),
                None => fields.shift_remove("resourceVersion"),
            };
            Ok(Next { object, track: false })
        })?;
        scale_of(at, &written)
    }
}

/// As Go reads a `Scale`: no replicas are the same as no word of them.
fn without_zero(mut scale: Value) -> Value {
    if let Some(spec) = scale.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|_, value| *value != 0);
    }
    scale
}

fn scale_of(at: &At, object: &Value) -> Result<Value, Problem> {
    kinds::scale(&at.resource, object).ok_or_else(|| Problem::not_found(&at.resource, &at.name))
}

fn negative(at: &At, wanted: i64) -> Problem {
    let message = format!("Invalid value: {wanted}: must be greater than or equal to 0");
    let said = format!("Scale.autoscaling {:?} is invalid: spec.replicas: {message}", at.name);
    let mut problem = Problem::new(422, "Invalid", said);
    problem.name.clone_from(&at.name);
    problem.group = "autoscaling".into();
    problem.kind = "Scale".into();
    problem.causes = vec![ProblemCause { reason: "FieldValueInvalid", message, field: "spec.replicas".into() }];
    problem
}
