//! What the controllers of a cluster give it from the start.

use serde_json::{Value, json};

use super::{
    engine::Engine,
    namespaces, nodes,
    tables::{self, Key, TableId},
};
use crate::sandbox::{api::Write, resource::At};

/// The manager of what the API server makes for itself.
const SERVER: &str = "kube-apiserver";

impl Engine {
    /// Makes what is not there yet: namespaces, nodes, the class of volumes.
    pub fn seed(&mut self) {
        for name in namespaces::INITIAL {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.plant(tables::NAMESPACES, namespace, SERVER);
        }
        for (at, settings) in self.settings.nodes.clone().iter().enumerate() {
            self.plant(tables::NODES, nodes::node(settings, at), "kubelet");
            let key = Key::new(tables::NODES, "", &settings.name);
            let Some(place) = self.at(&key) else { continue };
            if let Ok(mut node) = self.api.get(&place)
                && node.pointer("/status/nodeInfo/kubeletVersion").is_none_or(|version| version == "")
            {
                node["status"] = nodes::status(settings, at, self.api.clock().now());
                // It is the only writer yet.
                let _ = self.api.update(&place, "status", node, &Write::by("kubelet"));
                self.ready(&place);
            }
        }
        self.plant(tables::CLASSES, class(), "kubectl-evolve");
    }

    /// Takes away the taint of nodes that are not ready.
    fn ready(&self, place: &At) {
        let Ok(mut node) = self.api.get(place) else { return };
        let spec = node.get_mut("spec").and_then(Value::as_object_mut);
        let Some(taints) = spec.and_then(|spec| spec.get_mut("taints")).and_then(Value::as_array_mut) else { return };
        taints.retain(|taint| taint["key"] != "node.kubernetes.io/not-ready");
        let _ = self.api.update(place, "", node, &Write::by("kube-controller-manager"));
    }

    fn plant(&self, table: TableId, object: Value, manager: &str) {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        if !self.cache.has(&Key::new(table, text("namespace"), text("name"))) {
            // What cannot be made was there, or is not served: both leave a cluster that works.
            let _ = self.create(table, object, manager);
        }
    }
}

fn class() -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "sandbox.evolve/volumes", "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true})
}
