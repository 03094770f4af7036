//! Walks an object along its schema, once for all rules that look at fields.

use serde_json::{Map, Value};

use super::rule::Context;
use crate::{
    model::{FieldPath, Manifest, Step},
    schema::{Field, Schema, Shape, Type, TypeId, builtin},
};

/// The way to a value, kept on the stack: a path is made of it only for what is found.
#[derive(Clone, Copy)]
pub enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// How many steps it is from the root.
    pub fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => 1 + parent.depth(),
        }
    }

    /// Whether the way leads into a status, which the API server does not take from a manifest.
    pub fn in_status(&self) -> bool {
        match self {
            Self::Root => false,
            Self::Key(_, "status") => true,
            Self::Key(parent, _) | Self::Index(parent, _) => parent.in_status(),
        }
    }

    pub fn path(&self) -> FieldPath {
        let (parent, step) = match self {
            Self::Root => return FieldPath::default(),
            Self::Key(parent, key) => (parent, Step::Key((*key).into())),
            Self::Index(parent, index) => (parent, Step::Index(*index)),
        };
        let mut path = parent.path();
        path.0.push(step);
        path
    }
}

/// What a rule sees at a step of the walk.
pub struct Visit<'a> {
    pub context: Context<'a>,
    /// The index of the manifest.
    pub manifest: usize,
    pub schema: &'a Schema,
    /// The way to the value, or to the object with the key.
    pub trail: &'a Trail<'a>,
    pub seen: Seen<'a>,
}

pub enum Seen<'a> {
    /// A key that the type does not have.
    Unknown { parent: &'a Type, key: &'a str },
    /// An object of a known type, as a whole.
    Object { kind: &'a Type, keys: &'a Map<String, Value> },
    /// A value that is not null, with its shape. The field is the one it is in, with the field's type, also for the
    /// items of a list and the values of a map.
    Value { value: &'a Value, shape: &'a Shape, field: Option<(&'a Type, &'a Field)> },
}

impl Visit<'_> {
    pub fn object(&self) -> Option<&Manifest> {
        self.context.set.manifests.get(self.manifest)
    }
}

/// Walks one manifest: all of it when its kind is known, else only its metadata.
pub fn walk(context: Context<'_>, manifest: usize, visit: &mut dyn FnMut(&Visit<'_>)) {
    let Some(found) = context.set.manifests.get(manifest) else { return };
    let known = context.set.kind(&found.reference);
    let schema = known.map_or(builtin(), |(schema, _)| schema);
    let mut walker = Walker { context, manifest, schema, visit };
    if let Some(((_, kind), keys)) = known.zip(found.object.as_object()) {
        walker.object(&Trail::Root, kind.root, keys);
    }
    if let Some(metadata) = found.object.get("metadata")
        && known.is_none_or(|(schema, _)| !std::ptr::eq(schema, builtin()))
        && let Some(shape) = metadata_shape()
    {
        walker.schema = builtin();
        walker.value(&Trail::Key(&Trail::Root, "metadata"), shape, None, metadata);
    }
}

/// The metadata of all kinds is that of any.
fn metadata_shape() -> Option<&'static Shape> {
    let kind = builtin().kind("v1", "ConfigMap")?;
    builtin().get(kind.root)?.field("metadata").map(|field| &field.shape)
}

struct Walker<'a, 'v> {
    context: Context<'a>,
    manifest: usize,
    schema: &'a Schema,
    visit: &'v mut dyn FnMut(&Visit<'_>),
}

impl<'a> Walker<'a, '_> {
    fn tell(&mut self, trail: &Trail<'_>, seen: Seen<'_>) {
        let Self { context, manifest, schema, .. } = *self;
        (self.visit)(&Visit { context, manifest, schema, trail, seen });
    }

    fn value(&mut self, trail: &Trail<'_>, shape: &'a Shape, field: Option<(&'a Type, &'a Field)>, value: &'a Value) {
        // As the API server has it: null is no value.
        if value.is_null() {
            return;
        }
        self.tell(trail, Seen::Value { value, shape, field });
        match (shape, value) {
            (Shape::Object(id), Value::Object(keys)) => self.object(trail, *id, keys),
            (Shape::List(shape), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&Trail::Index(trail, index), shape, field, item);
                }
            }
            (Shape::Map(shape), Value::Object(entries)) => {
                for (key, entry) in entries {
                    self.value(&Trail::Key(trail, key), shape, field, entry);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, trail: &Trail<'_>, id: TypeId, keys: &'a Map<String, Value>) {
        let Some(parent) = self.schema.get(id) else { return };
        self.tell(trail, Seen::Object { kind: parent, keys });
        for (key, value) in keys {
            match parent.field(key) {
                Some(field) => self.value(&Trail::Key(trail, key), &field.shape, Some((parent, field)), value),
                None if parent.open => {}
                None => self.tell(trail, Seen::Unknown { parent, key }),
            }
        }
    }
}
