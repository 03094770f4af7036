//! ApplySets (KEP-3659) exactly as kubectl 1.34 keeps them: which labels and annotations, and what they mean.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    model::{GroupKind, Manifest, ObjectRef},
};

/// The label that makes an object the parent of a set; its value is the set's id.
pub const ID: &str = "applyset.kubernetes.io/id";
/// The label of each member; its value is the set's id.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The parent's annotation that names the tool that manages the set, as `name/version`.
pub const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// The parent's annotation that lists the kinds of the members, as `Kind.group`.
pub const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// The parent's annotation that lists the members' namespaces other than the parent's own.
pub const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// On our own parent: the parent of another name that was adopted and stands for the application instead.
pub const ADOPTED: &str = "evolve/adopted-parent";
/// Beside [`ADOPTED`]: the tooling that the set had before.
pub const ADOPTED_FROM: &str = "evolve/adopted-from";
/// On every record of ours: the application that it belongs to.
pub const APPLICATION: &str = "evolve/app";
/// Our name in [`TOOLING`].
pub const TOOL: &str = "kubectl-evolve";

/// Where the members of a set are to be looked for. It may cover more than there is, never less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub kinds: BTreeSet<GroupKind>,
    /// The parent's namespace included.
    pub namespaces: BTreeSet<String>,
}

impl Scope {
    /// The scope that holds these objects.
    pub fn of<'o>(objects: impl IntoIterator<Item = &'o ObjectRef>) -> Self {
        let mut scope = Self::default();
        for object in objects {
            scope.kinds.insert(GroupKind::of(object));
            scope.namespaces.extend(object.namespace.clone());
        }
        scope
    }

    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.kinds.extend(other.kinds.iter().cloned());
        self.namespaces.extend(other.namespaces.iter().cloned());
        self
    }

    pub fn covers(&self, other: &Self) -> bool {
        self.kinds.is_superset(&other.kinds) && self.namespaces.is_superset(&other.namespaces)
    }
}

/// A set as its parent describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub parent: ObjectRef,
    /// As in `kubectl-evolve/v0.1.0`.
    pub tooling: String,
    pub scope: Scope,
}

impl Inventory {
    /// The set's id, which each member carries.
    pub fn id(&self) -> String {
        id(&self.parent)
    }

    /// The label selector that finds the members.
    pub fn selector(&self) -> String {
        format!("{PART_OF}={}", self.id())
    }
}

/// The id of the set that an object is the parent of.
pub fn id(parent: &ObjectRef) -> String {
    let namespace = parent.namespace.as_deref().unwrap_or_default();
    let text = [parent.name.as_str(), namespace, &parent.kind, parent.group()].join(".");
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

/// The parent of an application that no other tool has made: the Secret `evolve.<app>` in its namespace.
pub fn own_parent(application: &str, namespace: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: Some(namespace.into()),
        name: format!("evolve.{application}"),
    }
}

/// The value of [`TOOLING`] for this version of ours.
pub fn tooling() -> String {
    format!("{TOOL}/v{}", env!("CARGO_PKG_VERSION"))
}

/// The parent of another name that our own parent points to, because its set was adopted.
///
/// # Errors
/// Failed when the annotation is not as we write it.
pub fn adopted(own: &Value) -> Result<Option<ObjectRef>> {
    let Some(text) = own["metadata"]["annotations"][ADOPTED].as_str() else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|cause| {
        Error::failed(format!("{}: the annotation {ADOPTED} names no object", ObjectRef::of(own))).because(cause)
    })
}

/// The Secret that stands in for our own parent once a set of another parent was adopted.
pub fn pointer(application: &str, namespace: &str, adopted: &Inventory) -> Result<Value> {
    let own = own_parent(application, namespace);
    let parent = serde_json::to_string(&adopted.parent)
        .map_err(|cause| Error::failed("a name cannot be written as JSON").because(cause))?;
    Ok(json!({
        "apiVersion": own.api_version,
        "kind": own.kind,
        "metadata": {
            "name": own.name,
            "namespace": namespace,
            "labels": {APPLICATION: application},
            "annotations": {ADOPTED: parent, ADOPTED_FROM: adopted.tooling},
        },
    }))
}

/// Reads a parent as it is in the cluster. Whose it is, is for [`check_tooling`] to say.
///
/// # Errors
/// Failed when a label or annotation that the specification demands is absent or contradicts the object's name.
pub fn read(parent: &Value) -> Result<Inventory> {
    let reference = ObjectRef::of(parent);
    let metadata = &parent["metadata"];
    let annotation = |key: &str| metadata["annotations"][key].as_str();
    let wants = |what: &str| {
        Error::failed(format!("{reference} is not the parent of an ApplySet: it has no {what}"))
            .hint("`kubectl apply --applyset` (KUBECTL_APPLYSET=true) makes such parents")
    };
    let tooling = annotation(TOOLING).ok_or_else(|| wants(&format!("annotation {TOOLING}")))?;
    let label = metadata["labels"][ID].as_str().ok_or_else(|| wants(&format!("label {ID}")))?;
    let expected = id(&reference);
    if label != expected {
        return Err(Error::failed(format!("{reference}: the label {ID} is {label}, expected {expected}"))
            .hint("the parent was probably copied or renamed; its members belong to the parent of the old name"));
    }
    let kinds = annotation(KINDS).ok_or_else(|| wants(&format!("annotation {KINDS}")))?;
    let items = |list: &str| list.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let mut namespaces: BTreeSet<String> = items(annotation(NAMESPACES).unwrap_or_default()).into_iter().collect();
    namespaces.extend(reference.namespace.clone());
    let kinds = items(kinds).iter().map(|text| GroupKind::parse(text)).collect();
    Ok(Inventory { parent: reference, tooling: tooling.into(), scope: Scope { kinds, namespaces } })
}

/// Refuses a set that another tool manages. Another version of the same tool is accepted, as in kubectl.
pub fn check_tooling(inventory: &Inventory, tool: &str) -> Result<()> {
    let name = tool_name(&inventory.tooling);
    if name == tool {
        return Ok(());
    }
    let error = Error::failed(format!("the ApplySet of {} is managed by {name}, not by {tool}", inventory.parent));
    Err(error.hint(format!("`kubectl evolve inventory adopt {}` takes it over, with your consent", inventory.parent)))
}

/// The tool's name without its version: everything before the last slash.
pub fn tool_name(tooling: &str) -> &str {
    tooling.rsplit_once('/').map_or(tooling, |(name, _)| name)
}

/// What is applied to the parent so that it describes the set.
pub fn parent_object(parent: &ObjectRef, tooling: &str, scope: &Scope) -> Value {
    let mut kinds: Vec<String> = scope.kinds.iter().map(ToString::to_string).collect();
    kinds.sort();
    let others = scope.namespaces.iter().filter(|namespace| Some(*namespace) != parent.namespace.as_ref());
    let namespaces: Vec<&str> = others.map(String::as_str).collect();
    let mut object = json!({
        "apiVersion": parent.api_version,
        "kind": parent.kind,
        "metadata": {
            "name": parent.name,
            "labels": {ID: id(parent)},
            "annotations": {TOOLING: tooling, KINDS: kinds.join(","), NAMESPACES: namespaces.join(",")},
        },
    });
    if let Some(namespace) = &parent.namespace {
        object["metadata"]["namespace"] = namespace.clone().into();
    }
    object
}

/// Refuses manifests that say themselves to which set they belong.
pub fn check_manifests(manifests: &[Manifest]) -> Result<()> {
    match manifests.iter().find(|manifest| manifest.object["metadata"]["labels"].get(PART_OF).is_some()) {
        None => Ok(()),
        Some(manifest) => Err(Error::usage(format!("{} has the label {PART_OF} already", manifest.reference))
            .at(manifest.place.clone())
            .hint("remove the label from the manifest: it is set when the object is applied")),
    }
}

/// Takes the label of a set off an object.
pub fn unlabel_member(object: &mut Value) {
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(PART_OF);
        if labels.is_empty()
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("labels");
        }
    }
}

/// Makes an object a member of the set.
pub fn label_member(object: &mut Value, id: &str) {
    if !object["metadata"]["labels"].is_object() {
        object["metadata"]["labels"] = json!({});
    }
    object["metadata"]["labels"][PART_OF] = id.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, namespace: &str) -> ObjectRef {
        let namespace = Some(namespace.to_owned());
        ObjectRef { api_version: "v1".into(), kind: "Secret".into(), namespace, name: name.into() }
    }

    /// The value in kubectl's own tests (pkg/cmd/apply/apply_test.go).
    #[test]
    fn ids_are_those_of_kubectl() {
        assert_eq!(id(&secret("my-set", "test")), "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1");
    }

    #[test]
    fn a_parent_is_read_as_it_was_written() {
        let deployment = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("other".into()),
            name: "api".into(),
        };
        let role = ObjectRef {
            api_version: "rbac.authorization.k8s.io/v1".into(),
            kind: "ClusterRole".into(),
            namespace: None,
            name: "api".into(),
        };
        let parent = own_parent("shop", "shop");
        let scope = Scope::of([&deployment, &role, &parent]);
        let object = parent_object(&parent, &tooling(), &scope);
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations[KINDS], "ClusterRole.rbac.authorization.k8s.io,Deployment.apps,Secret");
        assert_eq!(annotations[NAMESPACES], "other");
        let inventory = read(&object).unwrap();
        assert_eq!(inventory.scope, scope);
        check_tooling(&inventory, TOOL).unwrap();
        assert!(check_tooling(&inventory, "kubectl").unwrap_err().message().contains("kubectl-evolve"));
    }

    #[test]
    fn an_empty_set_has_no_kinds_and_its_own_namespace() {
        let parent = own_parent("shop", "shop");
        let inventory = read(&parent_object(&parent, "kubectl/v1.34.4", &Scope::default())).unwrap();
        assert!(inventory.scope.kinds.is_empty());
        assert_eq!(inventory.scope.namespaces.into_iter().collect::<Vec<_>>(), ["shop"]);
    }

    #[test]
    fn a_parent_that_is_none_or_was_copied_is_refused() {
        let parent = own_parent("shop", "shop");
        let good = parent_object(&parent, &tooling(), &Scope::default());
        let refused = |change: fn(&mut Value)| {
            let mut object = good.clone();
            change(&mut object);
            read(&object).unwrap_err().message().to_owned()
        };
        assert!(refused(|o| o["metadata"]["annotations"][TOOLING] = Value::Null).contains(TOOLING));
        assert!(refused(|o| o["metadata"]["annotations"][KINDS] = Value::Null).contains(KINDS));
        assert!(refused(|o| o["metadata"]["labels"][ID] = Value::Null).contains(ID));
        assert!(refused(|o| o["metadata"]["name"] = "evolve.copy".into()).contains("expected applyset-"));
    }

    #[test]
    fn a_pointer_names_the_set_that_was_adopted() {
        let parent = secret("theirs", "shop");
        let adopted_set =
            Inventory { parent: parent.clone(), tooling: "kubectl/v1.34.4".into(), scope: Scope::default() };
        let object = pointer("shop", "shop", &adopted_set).unwrap();
        assert_eq!(adopted(&object).unwrap(), Some(parent));
        assert!(object["metadata"]["labels"].get(ID).is_none(), "a pointer is no parent");
        assert_eq!(adopted(&json!({"metadata": {}})).unwrap(), None);
        let broken = json!({"metadata": {"annotations": {ADOPTED: "x"}}});
        assert!(adopted(&broken).unwrap_err().message().contains("names no object"));
    }

    #[test]
    fn the_tool_is_what_stands_before_the_last_slash() {
        assert_eq!(tool_name("kubectl/v1.34.4"), "kubectl");
        assert_eq!(tool_name("example.com/tool/v1"), "example.com/tool");
        assert_eq!(tool_name("bare"), "bare");
    }

    #[test]
    fn scopes_grow_and_compare() {
        let config = ObjectRef {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some("a".into()),
            name: "x".into(),
        };
        let small = Scope::of([&config]);
        let large = small.clone().union(&Scope::of([&secret("s", "b")]));
        assert!(large.covers(&small) && !small.covers(&large));
    }

    #[test]
    fn a_manifest_that_names_its_set_is_refused_with_its_place() {
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
        label_member(&mut object, "applyset-x-v1");
        let place = crate::error::Place { file: "x.yaml".into(), line: 7, column: 1 };
        let manifest = Manifest { reference: ObjectRef::of(&object), object, place };
        let error = check_manifests(&[manifest]).unwrap_err();
        assert!(error.to_string().starts_with("x.yaml:7:1: configmap/x has the label"), "{error}");
    }
}
