//! Names of Kubernetes objects, and objects as the user wrote them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Place;

/// The name of one object: enough to find it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    pub api_version: String,
    pub kind: String,
    /// None for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
}

impl ObjectRef {
    /// The name of an object from its own fields; fields that are absent are empty.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        Self {
            api_version: text("/apiVersion").into(),
            kind: text("/kind").into(),
            namespace: Some(text("/metadata/namespace")).filter(|namespace| !namespace.is_empty()).map(Into::into),
            name: text("/metadata/name").into(),
        }
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The API version without its group.
    pub fn version(&self) -> &str {
        self.api_version.split_once('/').map_or(&self.api_version, |(_, version)| version)
    }

    /// The same object whatever its API version: group, kind, namespace and name.
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        (self.group(), &self.kind, self.namespace.as_deref().unwrap_or_default(), &self.name)
    }
}

/// As kubectl prints names: `deployment.apps/api`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.to_ascii_lowercase())?;
        if !self.group().is_empty() {
            write!(f, ".{}", self.group())?;
        }
        write!(f, "/{}", self.name)
    }
}

/// An object as the user wants it, and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub object: Value,
    pub reference: ObjectRef,
    /// Where the object begins.
    pub place: Place,
}

/// A step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// The way to a field from the object's root; `spec.containers[0].image` in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<Step>);

impl FieldPath {
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Key(key.into()));
        path
    }

    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Index(index));
        path
    }

    /// The value at the path, if there is one.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }
}

/// Keys with a dot or a slash are quoted: `metadata.labels["app.kubernetes.io/name"]`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.contains(['.', '/', '[', '"']) || key.is_empty() => write!(f, "[{key:?}]")?,
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_kubectl_prints_them() {
        let object = serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}});
        let reference = ObjectRef::of(&object);
        assert_eq!(reference.to_string(), "deployment.apps/api");
        assert_eq!((reference.group(), reference.version()), ("apps", "v1"));
    }

    #[test]
    fn a_path_reads_like_the_field() {
        let path = FieldPath::default().key("metadata").key("labels").key("app.kubernetes.io/name");
        assert_eq!(path.to_string(), r#"metadata.labels["app.kubernetes.io/name"]"#);
        assert_eq!(
            FieldPath::default().key("spec").key("containers").index(0).key("image").to_string(),
            "spec.containers[0].image"
        );
    }
}
