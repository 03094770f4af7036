//! What the schema says of a place in an object, in the terms of structured-merge-diff: maps and lists that are owned
//! part by part or whole, and scalars.

use std::sync::OnceLock;

use serde_json::Value;

use crate::{
    sandbox::resource::Resource,
    schema::{Field, ListType, Schema, Shape, Type, TypeId, builtin},
};

/// How to walk the objects of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Types<'s> {
    pub schema: &'s Schema,
    /// None where nothing is known of the fields.
    pub root: Option<TypeId>,
    pub kind: &'s str,
    /// Whether the resource has the subresource `status`, which then owns the field of that name.
    pub has_status: bool,
}

impl<'s> Types<'s> {
    pub fn of(resource: &'s Resource) -> Self {
        Self {
            schema: &resource.schema,
            root: resource.root,
            kind: &resource.kind,
            has_status: resource.subresources.iter().any(|name| name == "status"),
        }
    }

    /// The place of the whole object.
    pub(super) fn top(self) -> Place<'s> {
        let known = self.root.and_then(|root| self.schema.get(root));
        match known {
            Some(root) => Place { schema: self.schema, form: Form::Struct(root), shape: None, nested: false },
            None => Place { schema: self.schema, form: Form::Unknown, shape: None, nested: false },
        }
    }
}

/// A place in an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'s> {
    schema: &'s Schema,
    pub form: Form<'s>,
    /// Where it is a field or an item.
    pub shape: Option<&'s Shape>,
    /// Below the top.
    nested: bool,
}

/// What a place holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form<'s> {
    /// Fields with names.
    Struct(&'s Type),
    /// Keys with values of one shape.
    Map(&'s Shape),
    /// A map or struct that one manager owns whole.
    AtomicMap(Inner<'s>),
    List(ListForm<'s>),
    String,
    Number,
    Boolean,
    /// Any scalar: quantities, times, numbers or strings.
    Scalar,
    /// Whatever it is: maps by key, all else whole.
    Unknown,
}

/// What is inside of an atomic map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inner<'s> {
    Struct(&'s Type),
    Map(&'s Shape),
    Unknown,
}

/// How a list is owned.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListForm<'s> {
    pub kind: ListType,
    pub keys: &'s [String],
    pub items: &'s Shape,
}

impl<'s> Place<'s> {
    /// The place of a field or key, and whether the type names it (a key of a map is owned itself, a named field is not).
    pub fn child(self, name: &str) -> (Place<'s>, bool) {
        match self.form {
            Form::Struct(known) | Form::AtomicMap(Inner::Struct(known)) => match known.field(name) {
                Some(field) if name == "metadata" && !self.nested && self.schema.is_custom() => {
                    (object_meta().unwrap_or(self.of_field(field)), true)
                }
                // Go holds it as raw bytes, which OpenAPI does not say.
                Some(_) if name == "data" && known.short_name() == "ControllerRevision" => {
                    (self.with(Form::AtomicMap(Inner::Unknown)), true)
                }
                Some(field) => (self.of_field(field), true),
                None => (self.unknown(), false),
            },
            Form::Map(values) | Form::AtomicMap(Inner::Map(values)) => (self.of_shape(values), false),
            _ if name == "metadata" && !self.nested => (object_meta().unwrap_or(self.unknown()), false),
            _ => (self.unknown(), false),
        }
    }

    /// Whether a field of this name may stand here at all.
    pub fn allows(self, name: &str) -> bool {
        match self.form {
            Form::Struct(known) | Form::AtomicMap(Inner::Struct(known)) => {
                known.open || known.field(name).is_some() || (!self.nested && matches!(name, "apiVersion" | "kind"))
            }
            _ => true,
        }
    }

    /// The place of the items of a list.
    pub fn item(self) -> Place<'s> {
        match self.form {
            Form::List(list) => self.of_shape(list.items),
            _ => self.unknown(),
        }
    }

    pub fn is_atomic(self) -> bool {
        matches!(self.form, Form::AtomicMap(_) | Form::List(ListForm { kind: ListType::Atomic, .. }))
    }

    /// The form that this value has here: what is unknown is a map, a list or a scalar as the value is.
    pub fn form_of(self, value: Option<&Value>) -> Kind {
        match self.form {
            Form::Struct(_) | Form::Map(_) | Form::AtomicMap(_) => Kind::Map,
            Form::List(_) => Kind::List,
            Form::String | Form::Number | Form::Boolean | Form::Scalar => Kind::Scalar,
            Form::Unknown => match value {
                Some(Value::Array(_)) => Kind::List,
                Some(Value::Object(_) | Value::Null) | None => Kind::Map,
                Some(_) => Kind::Scalar,
            },
        }
    }

    fn of_field(self, field: &'s Field) -> Place<'s> {
        if let Shape::List(items) = &field.shape {
            let list = ListForm { kind: field.list, keys: &field.keys, items };
            return self.with(Form::List(list));
        }
        let place = self.of_shape(&field.shape);
        match place.form {
            Form::Struct(known) if field.atomic => self.with(Form::AtomicMap(Inner::Struct(known))),
            Form::Map(values) if field.atomic => self.with(Form::AtomicMap(Inner::Map(values))),
            Form::Unknown if field.atomic => self.with(Form::AtomicMap(Inner::Unknown)),
            _ => place,
        }
    }

    pub fn of_shape(self, shape: &'s Shape) -> Place<'s> {
        let form = match shape {
            Shape::Any => Form::Unknown,
            Shape::String | Shape::Bytes => Form::String,
            Shape::Boolean => Form::Boolean,
            Shape::Int32 | Shape::Int64 | Shape::Number => Form::Number,
            Shape::IntOrString | Shape::Quantity | Shape::Time => Form::Scalar,
            Shape::Object(id) => match self.schema.get(*id) {
                Some(known) if known.atomic => Form::AtomicMap(Inner::Struct(known)),
                Some(known) => Form::Struct(known),
                None => Form::Unknown,
            },
            Shape::List(items) => Form::List(ListForm { kind: ListType::Atomic, keys: &[], items }),
            Shape::Map(values) => Form::Map(values),
        };
        Place { shape: Some(shape), ..self.with(form) }
    }

    fn unknown(self) -> Place<'s> {
        self.with(Form::Unknown)
    }

    fn with(self, form: Form<'s>) -> Place<'s> {
        Place { schema: self.schema, form, shape: None, nested: true }
    }
}

/// Which of the three a value is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Map,
    List,
    Scalar,
}

/// The metadata of every object, of custom ones too.
fn object_meta<'s>() -> Option<Place<'s>> {
    static ID: OnceLock<Option<TypeId>> = OnceLock::new();
    let schema = builtin();
    let id = ID
        .get_or_init(|| schema.types.iter().position(|known| known.name.ends_with(".meta.v1.ObjectMeta")).map(TypeId));
    let known = id.and_then(|id| schema.get(id))?;
    Some(Place { schema, form: Form::Struct(known), shape: None, nested: true })
}

impl<'s> Place<'s> {
    /// The default of a field of this struct, as keys of list items have one.
    pub fn default_of(self, name: &str) -> Option<&'s Value> {
        match self.form {
            Form::Struct(known) | Form::AtomicMap(Inner::Struct(known)) => known.field(name)?.default.as_ref(),
            _ => None,
        }
    }
}
