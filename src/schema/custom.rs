//! The types that a CustomResourceDefinition defines.

use serde_json::{Map, Value};

use super::{
    reader::Reader,
    table::{Field, Schema, Shape, Type},
};

/// The table of a CRD (`apiextensions.k8s.io/v1`): a kind for each version that has a schema.
pub fn of_crd(crd: &Value) -> Schema {
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let none = Map::new();
    let mut reader = Reader::new("", &none, true);
    for version in crd.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten() {
        let (Some(name), Some(root)) =
            (version.get("name").and_then(Value::as_str), version.pointer("/schema/openAPIV3Schema"))
        else {
            continue;
        };
        let api_version = format!("{}/{name}", text("/spec/group"));
        let namespaced = text("/spec/scope") == "Namespaced";
        reader.add(&api_version, text("/spec/names/kind"), text("/spec/names/plural"), namespaced, root);
    }
    let mut schema = reader.finish(Vec::new());
    for root in schema.kinds.iter().map(|kind| kind.root.0) {
        if let Some(root) = schema.types.get_mut(root) {
            complete(root);
        }
    }
    schema
}

/// What every object has, whatever its CRD says of it.
fn complete(root: &mut Type) {
    for (name, shape) in [("apiVersion", Shape::String), ("kind", Shape::String), ("metadata", Shape::Any)] {
        match root.fields.binary_search_by(|field| field.name.as_str().cmp(name)) {
            Ok(position) => root.fields[position].shape = shape,
            Err(position) => root.fields.insert(position, Field::new(name, shape)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crd_becomes_kinds() {
        let crd = serde_saphyr::from_str::<Value>(
            "
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Backup, plural: backups}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [schedule]
            properties:
              schedule: {type: string}
              size: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
",
        )
        .unwrap();
        let schema = of_crd(&crd);
        let kind = schema.kind("example.com/v1", "Backup").unwrap();
        assert!(kind.namespaced);
        let root = schema.get(kind.root).unwrap();
        assert_eq!(root.field("metadata").unwrap().shape, Shape::Any);
        let Shape::Object(spec) = root.field("spec").unwrap().shape else { panic!("no object") };
        let spec = schema.get(spec).unwrap();
        assert!(spec.field("schedule").unwrap().required);
        assert_eq!(spec.field("size").unwrap().shape, Shape::IntOrString);
        assert_eq!(spec.field("extra").unwrap().shape, Shape::Any);
    }
}
