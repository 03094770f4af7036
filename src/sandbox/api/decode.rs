//! What a body becomes before anything is decided: fields that the kind has, with the defaults of the kind.

use serde_json::Value;

use super::{
    core::Api,
    requests::{Validation, Write},
};
use crate::sandbox::{
    fields::{self, Types, Writer},
    kinds,
    problem::Problem,
    resource::Resource,
};

impl Api {
    /// Drops, names or refuses what the kind does not have, and fills in its defaults.
    ///
    /// # Errors
    /// Values of the wrong type; unknown fields, where the writer wants to be strict.
    pub(super) fn decode(&self, resource: &Resource, object: &mut Value, write: &Write) -> Result<(), Problem> {
        if let Some(why) = fields::mistyped(Types::of(resource), object) {
            return Err(unhandled(resource, &why));
        }
        let unknown = self.drop_unknown(resource, object, write);
        if write.validation == Validation::Strict && !unknown.is_empty() {
            return Err(strict(resource, &unknown));
        }
        fields::keep_reset(object);
        kinds::default(resource, object);
        Ok(())
    }

    /// Drops the fields that the kind does not have, and names them unless nobody wants to know.
    pub(super) fn drop_unknown(&self, resource: &Resource, object: &mut Value, write: &Write) -> Vec<String> {
        let types = Types::of(resource);
        if write.validation == Validation::Ignore {
            fields::prune(types, object);
            return Vec::new();
        }
        let unknown = fields::unknown_fields(types, object);
        if !unknown.is_empty() {
            fields::prune(types, object);
        }
        if write.validation == Validation::Warn {
            unknown.iter().for_each(|field| write.warn(field.clone()));
        }
        unknown
    }

    /// Who writes, as the entries of `managedFields` have it.
    pub(super) fn writer<'a>(&self, write: &'a Write, api_version: &'a str, subresource: &'a str) -> Writer<'a> {
        Writer { manager: &write.manager, api_version, subresource, now: self.clock().now() }
    }
}

/// The refusal of fields that the kind does not have, or that are there twice.
pub(crate) fn strict(resource: &Resource, faults: &[String]) -> Problem {
    unhandled(resource, &format!("strict decoding error: {}", faults.join(", ")))
}

/// The refusal of a body that is no object of the kind.
fn unhandled(resource: &Resource, why: &str) -> Problem {
    Problem::bad_request(format!(
        "{0} in version \"{1}\" cannot be handled as a {0}: {why}",
        resource.kind, resource.version
    ))
}
