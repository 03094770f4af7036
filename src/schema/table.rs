//! The table: kinds, types, and the fields of types.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kinds and the types they are made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The Kubernetes version the table was made from, as in `1.34`; empty for a CRD's.
    pub version: String,
    /// Sorted by API version and kind.
    pub kinds: Vec<Kind>,
    pub types: Vec<Type>,
}

/// A kind that the API serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    #[serde(rename = "v")]
    pub api_version: String,
    #[serde(rename = "k")]
    pub kind: String,
    /// The name in URLs: `deployments`.
    #[serde(rename = "p")]
    pub plural: String,
    #[serde(rename = "n", default, skip_serializing_if = "is_default")]
    pub namespaced: bool,
    #[serde(rename = "t")]
    pub root: TypeId,
}

/// The number of a type in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeId(pub usize);

/// An object with named fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Type {
    /// As in OpenAPI: `io.k8s.api.core.v1.PodSpec`; for a CRD's type the way to the field.
    #[serde(rename = "n")]
    pub name: String,
    /// Sorted by name.
    #[serde(rename = "f")]
    pub fields: Vec<Field>,
    /// One applier owns it whole (`x-kubernetes-map-type: atomic`).
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub atomic: bool,
    /// Fields that are not listed are kept (`x-kubernetes-preserve-unknown-fields`).
    #[serde(rename = "o", default, skip_serializing_if = "is_default")]
    pub open: bool,
}

/// A field of a type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "s")]
    pub shape: Shape,
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// The default that OpenAPI gives. An empty struct as default says nothing and is left out.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// How a list is merged; `Atomic` for what is no list.
    #[serde(rename = "l", default, skip_serializing_if = "is_default")]
    pub list: ListType,
    /// The fields that identify an element of a list of type map.
    #[serde(rename = "k", default, skip_serializing_if = "is_default")]
    pub keys: Vec<String>,
    /// One applier owns the map whole.
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub atomic: bool,
    /// The key of a strategic merge.
    #[serde(rename = "m", default, skip_serializing_if = "is_default")]
    pub merge_key: String,
    /// `merge`, `retainKeys`, or both with a comma.
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    pub patch_strategy: String,
    /// The values allowed, of the field or of its items; empty where any is.
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    pub values: Vec<String>,
}

/// How server-side apply merges a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListType {
    #[default]
    #[serde(rename = "a")]
    Atomic,
    #[serde(rename = "s")]
    Set,
    #[serde(rename = "m")]
    Map,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    #[serde(rename = "a")]
    Any,
    #[serde(rename = "s")]
    String,
    #[serde(rename = "b")]
    Boolean,
    #[serde(rename = "i")]
    Int32,
    #[serde(rename = "j")]
    Int64,
    #[serde(rename = "n")]
    Number,
    #[serde(rename = "x")]
    IntOrString,
    /// An amount with a unit: `500m`, `1Gi`, 2.
    #[serde(rename = "q")]
    Quantity,
    /// RFC 3339.
    #[serde(rename = "t")]
    Time,
    /// Base64.
    #[serde(rename = "y")]
    Bytes,
    #[serde(rename = "o")]
    Object(TypeId),
    #[serde(rename = "l")]
    List(Box<Shape>),
    #[serde(rename = "m")]
    Map(Box<Shape>),
}

impl Schema {
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        let wanted = (api_version, kind);
        let position =
            self.kinds.binary_search_by(|entry| (entry.api_version.as_str(), entry.kind.as_str()).cmp(&wanted)).ok()?;
        self.kinds.get(position)
    }

    /// The type with this number; an id from another table may give none.
    pub fn get(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id.0)
    }

    /// Whether it is of a CRD.
    pub fn is_custom(&self) -> bool {
        self.version.is_empty()
    }

    /// Puts the kinds in the order that [`Schema::kind`] needs.
    pub(super) fn sort(&mut self) {
        self.kinds.sort_by(|a, b| (&a.api_version, &a.kind).cmp(&(&b.api_version, &b.kind)));
    }
}

impl Field {
    /// A field of which no more is known than its shape.
    pub fn new(name: &str, shape: Shape) -> Self {
        Self {
            name: name.into(),
            shape,
            required: false,
            default: None,
            list: ListType::Atomic,
            keys: Vec::new(),
            atomic: false,
            merge_key: String::new(),
            patch_strategy: String::new(),
            values: Vec::new(),
        }
    }
}

impl Type {
    /// The last part of the name: `PodSpec`.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        let position = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        self.fields.get(position)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
