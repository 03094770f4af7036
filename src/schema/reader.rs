//! Reads OpenAPI v3 schemas, an API server's or a CRD's, into the table.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::table::{Field, Kind, ListType, Schema, Shape, Type, TypeId, Zero};

const REFERENCE: &str = "#/components/schemas/";

/// Grows a [`Schema`] by reading kinds into it, and of types only those that the kinds need.
pub struct Reader<'a> {
    components: &'a Map<String, Value>,
    /// A CRD's formats bind less than the API server's own: no number is too large, no string a time.
    custom: bool,
    schema: Schema,
    known: HashMap<String, TypeId>,
}

impl<'a> Reader<'a> {
    /// `components` are the named schemas that `$ref` leads to.
    pub fn new(version: &str, components: &'a Map<String, Value>, custom: bool) -> Self {
        let schema = Schema { version: version.into(), ..Schema::default() };
        Self { components, custom, schema, known: HashMap::new() }
    }

    /// Adds a kind with its root schema, which may be a `$ref`. Gives the kind, for what else is known of it; None when
    /// the root is no object with fields.
    pub fn add(
        &mut self,
        api_version: &str,
        kind: &str,
        plural: &str,
        namespaced: bool,
        root: &Value,
    ) -> Option<&mut Kind> {
        let Shape::Object(root) = self.shape(root, "") else { return None };
        // What has no name in URLs is served below objects only.
        let kinds = if plural.is_empty() { &mut self.schema.views } else { &mut self.schema.kinds };
        kinds.push(Kind::new(api_version, kind, plural, namespaced, root));
        kinds.last_mut()
    }

    /// `api_versions` in the order of discovery.
    pub fn finish(mut self, api_versions: Vec<String>) -> Schema {
        self.schema.api_versions = api_versions;
        self.schema.sort();
        self.schema
    }

    fn shape(&mut self, node: &Value, path: &str) -> Shape {
        if let Some(name) = reference(node) {
            return self.named(name);
        }
        let format = text(node, "format");
        if flag(node, "x-kubernetes-int-or-string") || format == "int-or-string" {
            return Shape::IntOrString;
        }
        match (text(node, "type"), format) {
            ("boolean", _) => Shape::Boolean,
            ("integer", "int32") if !self.custom => Shape::Int32,
            ("integer", _) => Shape::Int64,
            ("number", _) => Shape::Number,
            ("string", "date-time") if !self.custom => Shape::Time,
            ("string", "byte") if !self.custom => Shape::Bytes,
            ("string", _) => Shape::String,
            ("array", _) => match node.get("items") {
                Some(items) => Shape::List(Box::new(self.shape(items, path))),
                None => Shape::List(Box::new(Shape::Any)),
            },
            _ => self.object(node, path),
        }
    }

    fn named(&mut self, name: &str) -> Shape {
        if let Some(id) = self.known.get(name) {
            return Shape::Object(*id);
        }
        if name.ends_with(".api.resource.Quantity") {
            return Shape::Quantity;
        }
        let components = self.components;
        match components.get(name) {
            Some(node) => self.shape(node, name),
            None => Shape::Any,
        }
    }

    fn object(&mut self, node: &Value, path: &str) -> Shape {
        let Some(properties) = node.get("properties").and_then(Value::as_object) else {
            return match node.get("additionalProperties") {
                Some(values @ Value::Object(_)) => Shape::Map(Box::new(self.shape(values, path))),
                _ => Shape::Any,
            };
        };
        let id = TypeId(self.schema.types.len());
        self.schema.types.push(Type::default());
        if self.components.contains_key(path) {
            // Known before its fields are read, because a type may hold itself.
            self.known.insert(path.into(), id);
        }
        let required: Vec<&str> =
            node.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields: Vec<Field> = properties
            .iter()
            .map(|(name, property)| self.field(name, property, required.contains(&name.as_str()), path))
            .collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let built = Type {
            name: path.into(),
            fields,
            atomic: text(node, "x-kubernetes-map-type") == "atomic",
            open: flag(node, "x-kubernetes-preserve-unknown-fields")
                || flag(node, "x-kubernetes-embedded-resource")
                || node.get("additionalProperties").is_some_and(|allowed| *allowed != Value::Bool(false)),
        };
        if let Some(slot) = self.schema.types.get_mut(id.0) {
            *slot = built;
        }
        Shape::Object(id)
    }

    fn field(&mut self, name: &str, node: &Value, required: bool, path: &str) -> Field {
        let values =
            [node, node.get("items").unwrap_or(&Value::Null)].into_iter().flat_map(|node| strings(node, "enum"));
        let shape = self.shape(node, &format!("{path}.{name}"));
        Field {
            required,
            zero: if node.get("default").and_then(Value::as_object).is_some_and(Map::is_empty) && !self.custom {
                Zero::Written
            } else {
                Zero::Usual
            },
            default: node.get("default").filter(|default| !default.as_object().is_some_and(Map::is_empty)).cloned(),
            list: match text(node, "x-kubernetes-list-type") {
                "map" => ListType::Map,
                "set" => ListType::Set,
                _ => ListType::Atomic,
            },
            keys: strings(node, "x-kubernetes-list-map-keys").collect(),
            atomic: text(node, "x-kubernetes-map-type") == "atomic",
            merge_key: text(node, "x-kubernetes-patch-merge-key").into(),
            patch_strategy: text(node, "x-kubernetes-patch-strategy").into(),
            values: values.collect(),
            ..Field::new(name, shape)
        }
    }
}

/// The name a schema refers to; OpenAPI 3.0 wraps a reference that has neighbours in `allOf`.
fn reference(node: &Value) -> Option<&str> {
    let target = node.get("$ref").or_else(|| node.pointer("/allOf/0/$ref"))?;
    target.as_str()?.strip_prefix(REFERENCE)
}

fn text<'v>(node: &'v Value, key: &str) -> &'v str {
    node.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn flag(node: &Value, key: &str) -> bool {
    node.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn strings<'v>(node: &'v Value, key: &str) -> impl Iterator<Item = String> + 'v {
    node.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(Into::into)
}
