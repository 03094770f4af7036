//! The simulated nodes.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::objects::time;
use std::collections::BTreeMap;

/// One simulated node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSettings {
    pub name: String,
    /// As quantities: `8`, `16Gi`.
    pub cpu: String,
    pub memory: String,
    pub pods: u32,
    /// Beside those that every node has.
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
}

/// What keeps pods away that do not tolerate it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    pub key: String,
    #[serde(default)]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            name: "sandbox".into(),
            cpu: "8".into(),
            memory: "16Gi".into(),
            pods: 110,
            labels: BTreeMap::new(),
            taints: Vec::new(),
        }
    }
}

/// The node as its kubelet registers it; `number` tells it from others, from 0.
pub fn node(settings: &NodeSettings, number: usize) -> Value {
    let mut labels = json!({"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": settings.name, "kubernetes.io/os": "linux"});
    for (key, value) in &settings.labels {
        labels[key] = json!(value);
    }
    let range = format!("10.244.{number}.0/24");
    let mut spec = json!({"podCIDR": range, "podCIDRs": [range]});
    if !settings.taints.is_empty() {
        spec["taints"] = settings.taints.iter().map(taint).collect();
    }
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": settings.name, "labels": labels, "annotations": {
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
        "spec": spec})
}

fn taint(taint: &Taint) -> Value {
    let mut found = json!({"key": taint.key, "effect": taint.effect});
    if !taint.value.is_empty() {
        found["value"] = json!(taint.value);
    }
    found
}

/// The address of a node.
pub fn address(number: usize) -> String {
    format!("172.18.0.{}", (number % 250) + 2)
}

/// The status of a healthy node.
pub fn status(settings: &NodeSettings, number: usize, now: Timestamp) -> Value {
    let resources = json!({"cpu": settings.cpu, "ephemeral-storage": "100Gi", "hugepages-1Gi": "0",
        "hugepages-2Mi": "0", "memory": settings.memory, "pods": settings.pods.to_string()});
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "lastHeartbeatTime": time(now), "lastTransitionTime": time(now),
            "reason": reason, "message": message})
    };
    json!({
        "addresses": [{"type": "InternalIP", "address": address(number)},
            {"type": "Hostname", "address": settings.name}],
        "allocatable": resources, "capacity": resources,
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {"architecture": "amd64", "bootID": "", "containerRuntimeVersion": "sandbox://1",
            "kernelVersion": "sandbox", "kubeProxyVersion": "", "kubeletVersion": "v1.34.4", "machineID": "",
            "operatingSystem": "linux", "osImage": "kubectl-evolve sandbox (simulated)", "systemUUID": ""},
    })
}
