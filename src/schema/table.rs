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
    /// What is served below an object only: `Scale`, `Eviction`, `TokenRequest`. Sorted by API version and kind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub views: Vec<Kind>,
    /// The API versions in the order of discovery: by priority of groups, in a group the preferred version first.
    #[serde(rename = "order", default, skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
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
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub short_names: Vec<String>,
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    pub categories: Vec<String>,
    /// Empty for the usual ones: all of create, delete, deletecollection, get, list, patch, update and watch.
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    pub verbs: Vec<String>,
    /// `status`, `scale`, `log`, …
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    pub subresources: Vec<String>,
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
    /// The default that OpenAPI gives, but for an empty struct, of which `zero` tells.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What the server answers where nothing was written, or an empty value.
    #[serde(rename = "z", default, skip_serializing_if = "is_default")]
    pub zero: Zero,
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

/// What becomes of a field that is absent, or has the zero value of its type, when the server writes the object.
///
/// It follows from how the server's Go types hold the field: by value or by pointer, with `omitempty` or without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Zero {
    /// Absent stays absent. An empty list or map is left out; 0, false and the empty string are kept.
    #[default]
    #[serde(rename = "u")]
    Usual,
    /// 0, false and the empty string are left out.
    #[serde(rename = "d")]
    Dropped,
    /// What is absent is written: as 0, false, the empty string, an empty struct; null for lists, maps and times.
    #[serde(rename = "w")]
    Written,
    /// What is absent is written as null.
    #[serde(rename = "n")]
    Null,
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

    /// The kind of an answer or request below an object: `autoscaling/v1`, `Scale`.
    pub fn view(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        self.views.iter().find(|view| view.api_version == api_version && view.kind == kind)
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
        for kinds in [&mut self.kinds, &mut self.views] {
            kinds.sort_by(|a, b| (&a.api_version, &a.kind).cmp(&(&b.api_version, &b.kind)));
        }
    }
}

impl Kind {
    /// A kind of which no more is known than where its type is.
    pub fn new(api_version: &str, kind: &str, plural: &str, namespaced: bool, root: TypeId) -> Self {
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced,
            root,
            short_names: Vec::new(),
            categories: Vec::new(),
            verbs: Vec::new(),
            subresources: Vec::new(),
        }
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
            zero: Zero::Usual,
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

    /// A field to be filled in further.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Field> {
        let position = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        self.fields.get_mut(position)
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        let position = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        self.fields.get(position)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
