//! The table of the built-in types, packed into the binary.

use std::{
    io::Read,
    sync::{Arc, OnceLock},
};

use flate2::read::GzDecoder;

use super::table::Schema;

static PACKED: &[u8] = include_bytes!("builtin.json.gz");

/// Every type of Kubernetes 1.34 that is served by default. Unpacked on first use, in a few milliseconds.
pub fn builtin() -> &'static Schema {
    table()
}

/// The same table, for those who keep it beside tables of custom resources.
pub fn shared() -> Arc<Schema> {
    table().clone()
}

fn table() -> &'static Arc<Schema> {
    static TABLE: OnceLock<Arc<Schema>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut json = Vec::new();
        let read = GzDecoder::new(PACKED).read_to_end(&mut json);
        // A table that does not unpack is a broken build, which the test below finds.
        Arc::new(read.ok().and_then(|_| serde_json::from_slice(&json).ok()).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{ListType, Shape, Type};

    fn field_type<'s>(schema: &'s Schema, parent: &'s Type, name: &str) -> &'s Type {
        fn id(shape: &Shape) -> crate::schema::TypeId {
            match shape {
                Shape::Object(id) => *id,
                Shape::List(items) => id(items),
                other => panic!("{other:?} is no object"),
            }
        }
        schema.get(id(&parent.field(name).unwrap().shape)).unwrap()
    }

    #[test]
    fn it_knows_deployments_down_to_the_ports() {
        let schema = builtin();
        assert_eq!(schema.version, "1.34");
        let kind = schema.kind("apps/v1", "Deployment").unwrap();
        assert_eq!((kind.plural.as_str(), kind.namespaced), ("deployments", true));
        let root = schema.get(kind.root).unwrap();
        let spec = field_type(schema, root, "spec");
        assert!(spec.field("selector").unwrap().required);
        let pod = field_type(schema, field_type(schema, spec, "template"), "spec");
        let containers = pod.field("containers").unwrap();
        assert_eq!((containers.list, containers.merge_key.as_str()), (ListType::Map, "name"));
        let ports = field_type(schema, pod, "containers").field("ports").unwrap();
        assert_eq!(ports.keys, ["containerPort", "protocol"]);
        let port = field_type(schema, field_type(schema, pod, "containers"), "ports");
        assert_eq!(port.field("protocol").unwrap().default, Some(json!("TCP")));
        assert_eq!(port.field("protocol").unwrap().values, ["SCTP", "TCP", "UDP"]);
    }

    #[test]
    fn special_shapes_are_kept() {
        let schema = builtin();
        let data = |kind, name: &str| {
            let root = schema.get(schema.kind("v1", kind).unwrap().root).unwrap();
            root.field(name).unwrap().shape.clone()
        };
        assert_eq!(data("ConfigMap", "data"), Shape::Map(Box::new(Shape::String)));
        assert_eq!(data("Secret", "data"), Shape::Map(Box::new(Shape::Bytes)));
        let selector = schema.types.iter().find(|found| found.name.ends_with("meta.v1.LabelSelector")).unwrap();
        assert!(selector.atomic);
        assert!(!schema.kind("v1", "Node").unwrap().namespaced);
    }
}
