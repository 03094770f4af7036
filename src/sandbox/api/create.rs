//! Creation.

use serde_json::Value;

use super::{
    admission::{check_name, check_namespace},
    convert,
    core::Api,
    identity, metadata,
    requests::Write,
};
use crate::sandbox::{
    fields::{self, Types},
    kinds,
    problem::{Problem, ProblemCause},
    resource::At,
};

/// How often another generated name is tried when one is taken.
const GENERATED_TRIES: usize = 8;

/// How an object comes to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Its creation was asked for.
    Asked,
    /// An update found none to replace.
    Updated,
    /// An apply found none; it has seen to the owners of the fields.
    Applied,
}

impl Api {
    /// Makes an object. An empty name in `at` means the object's own name, or one that is generated from `generateName`.
    ///
    /// # Errors
    /// The object breaks a rule, the namespace is none to create in, or the name is taken.
    pub fn create(&self, at: &At, mut object: Value, write: &Write) -> Result<Value, Problem> {
        self.decode(&at.resource, &mut object, write)?;
        if at.resource.verbs == ["create"] {
            return self.review(at, object, write);
        }
        self.create_owned(at, object, write, Made::Asked)
    }

    /// As [`Api::create`], of what is decoded already.
    pub(super) fn create_owned(&self, at: &At, mut object: Value, write: &Write, made: Made) -> Result<Value, Problem> {
        let mut at = at.clone();
        check_namespace(&at, &mut object)?;
        if !at.name.is_empty() {
            check_name(&at, &object)?;
        }
        self.admit_namespace(&at)?;
        let version = metadata::text(&object, "resourceVersion").to_owned();
        if made != Made::Applied {
            let api_version = at.resource.api_version();
            let writer = self.writer(write, &api_version, "");
            object = fields::track_update(Types::of(&at.resource), None, object, &writer);
        }
        kinds::admit(&at.resource, &mut object, &identity::letters());
        self.admit_class(&at, &mut object);
        self.admit_account(&at, &object)?;
        let generated = metadata::text(&object, "name").is_empty();
        let mut tries = if generated { GENERATED_TRIES } else { 1 };
        loop {
            let mut object = object.clone();
            self.identify(&mut at, &mut object)?;
            tries -= 1;
            match self.create_named(&at, object, (made, &version), write) {
                Err(problem) if problem.reason == "AlreadyExists" && tries > 0 => {}
                other => return other,
            }
        }
    }

    /// Gives the object the metadata that every new one has.
    fn identify(&self, at: &mut At, object: &mut Value) -> Result<(), Problem> {
        let mut name = metadata::text(object, "name").to_owned();
        if name.is_empty() {
            let base = metadata::text(object, "generateName");
            if base.is_empty() {
                let cause = ProblemCause {
                    reason: "FieldValueRequired",
                    message: "Required value: name or generateName is required".into(),
                    field: "metadata.name".into(),
                };
                return Err(Problem::invalid(&at.resource, "", vec![cause]));
            }
            name = identity::generated_name(base);
        }
        let metadata = metadata::of(object);
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"] {
            metadata.shift_remove(field);
        }
        metadata.insert("name".into(), name.as_str().into());
        metadata.insert("uid".into(), identity::uid().into());
        metadata.insert("creationTimestamp".into(), metadata::time(self.clock().now()).into());
        at.name = name;
        Ok(())
    }

    /// `made` is how, and the version that came with the object, which only what is stored has.
    fn create_named(&self, at: &At, mut object: Value, made: (Made, &str), write: &Write) -> Result<Value, Problem> {
        let resource = &at.resource;
        let place = self.place(at);
        kinds::prepare_create(resource, &mut object);
        self.allocate(resource, &mut object);
        let causes = kinds::validate(resource, "", &object, None);
        if !causes.is_empty() {
            return Err(Problem::invalid(resource, &at.name, causes));
        }
        kinds::warnings(resource, &object, None).into_iter().for_each(|warning| write.warn(warning));
        let mut object = convert::arrange(resource, object, &resource.api_version());
        if made.0 == Made::Asked && !made.1.is_empty() && !write.dry_run {
            return Err(Problem::new(500, "", "resourceVersion should not be set on objects to be created"));
        }
        if let Some((_, stored)) = self.store().get(&place) {
            let mut problem = Problem::already_exists(resource, &at.name);
            if metadata::is_being_deleted(&convert::value(resource, &stored)) {
                problem.message = format!("object is being deleted: {}", problem.message);
            }
            return Err(problem);
        }
        self.admit_quota(at, &object, write.dry_run)?;
        if write.dry_run {
            if !made.1.is_empty() {
                metadata::of(&mut object).insert("resourceVersion".into(), made.1.into());
            }
            return Ok(object);
        }
        let mut stored = convert::to_storage(resource, object);
        let put = self.store().put(&place, None, &mut stored);
        let (_, bytes) = put.map_err(|_| Problem::already_exists(resource, &at.name))?;
        self.settled(at, Some(&stored));
        Ok(self.answered(at, stored, &bytes))
    }
}
