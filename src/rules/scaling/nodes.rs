//! Whether the nodes have room for more pods, by what pods request. Affinities and volumes are left to the scheduler.

use std::collections::BTreeMap;

use serde_json::Value;

use super::demand::{Amounts, add, read, requested};
use crate::rules::fields::{condition, is_true, list, text};

/// The nodes, and what is taken of each.
#[derive(Debug, Default)]
pub struct Room {
    nodes: Vec<Value>,
    taken: BTreeMap<String, (Amounts, i128)>,
}

impl Room {
    pub fn add_node(&mut self, node: Value) {
        self.nodes.push(node);
    }

    /// Counts a pod that is not finished.
    pub fn add_pod(&mut self, pod: &Value) {
        let (amounts, pods) = self.taken.entry(text(pod, "/spec/nodeName").to_owned()).or_default();
        add(amounts, &requested(&pod["spec"]));
        *pods += 1;
    }

    /// A line where fewer than `more` pods of a template fit.
    pub fn lacks(&self, template: &Value, more: u32) -> Option<String> {
        let demand = requested(&template["spec"]);
        let open: Vec<&Value> = self.nodes.iter().filter(|node| takes(node, &template["spec"])).collect();
        let room: i128 = open.iter().map(|node| self.fits(node, &demand)).sum();
        (room < i128::from(more)).then(|| {
            let nodes = match open.len() {
                1 => "the one node that takes them has".to_owned(),
                count => format!("the {count} nodes that take them have"),
            };
            format!("{more} more pods are asked for, and {nodes} room for {room}, by what pods request")
        })
    }

    fn fits(&self, node: &Value, demand: &Amounts) -> i128 {
        let allocatable = read(&node["status"]["allocatable"]);
        let none = (Amounts::new(), 0);
        let (taken, pods) = self.taken.get(text(node, "/metadata/name")).unwrap_or(&none);
        let places = allocatable.get("pods").map_or(i128::MAX, |places| places / 1_000_000_000 - pods);
        let by_resource = demand.iter().filter(|(_, each)| **each > 0).map(|(name, each)| {
            let free = allocatable.get(name).copied().unwrap_or(0) - taken.get(name).copied().unwrap_or(0);
            free / each
        });
        by_resource.chain([places]).min().unwrap_or(0).clamp(0, i128::from(u32::MAX))
    }
}

/// Whether a node is open to a pod: ready, not cordoned, with the labels of its selector, its taints tolerated.
fn takes(node: &Value, spec: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let selected = spec["nodeSelector"].as_object().into_iter().flatten().all(|(key, value)| labels[key] == *value);
    let tolerated = |taint: &Value| list(spec, "/tolerations").iter().any(|toleration| tolerates(toleration, taint));
    selected
        && !is_true(node, "/spec/unschedulable")
        && condition(node, "Ready").is_some_and(|ready| ready.is_true())
        && list(node, "/spec/taints").iter().all(|taint| taint["effect"] == "PreferNoSchedule" || tolerated(taint))
}

/// Source: `k8s.io/api/core/v1/toleration.go`, `ToleratesTaint`.
fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let same = |key: &str| text(toleration, key) == text(taint, key);
    let or_any = |key: &str| text(toleration, key).is_empty() || same(key);
    or_any("/effect") && or_any("/key") && (text(toleration, "/operator") == "Exists" || same("/value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn node(name: &str, more: &str) -> Value {
        yaml(&format!(
            "{{metadata: {{name: {name}, labels: {{disk: ssd}}}}, spec: {{{more}}}, status: {{allocatable: {{cpu: '1', memory: 1Gi, pods: '4'}}, conditions: [{{type: Ready, status: 'True'}}]}}}}"
        ))
    }

    #[test]
    fn pods_fit_by_what_they_request_and_where_they_may_go() {
        let mut room = Room::default();
        room.add_node(node("a", ""));
        room.add_node(node("cordoned", "unschedulable: true"));
        room.add_node(node("tainted", "taints: [{key: gpu, value: 'yes', effect: NoSchedule}]"));
        room.add_pod(&yaml("{spec: {nodeName: a, containers: [{resources: {requests: {cpu: 500m}}}]}}"));
        let template =
            |more: &str| yaml(&format!("{{spec: {{containers: [{{resources: {{requests: {{cpu: 200m}}}}}}]{more}}}}}"));
        assert_eq!(room.lacks(&template(""), 2), None);
        assert_eq!(
            room.lacks(&template(""), 3).as_deref(),
            Some("3 more pods are asked for, and the one node that takes them has room for 2, by what pods request")
        );
        assert_eq!(room.lacks(&template(", tolerations: [{key: gpu, operator: Exists}]"), 6), None);
        assert!(room.lacks(&template(", nodeSelector: {disk: hdd}"), 1).is_some());
        assert_eq!(room.lacks(&yaml("{spec: {containers: [{}]}}"), 3), None);
        assert!(room.lacks(&yaml("{spec: {containers: [{}]}}"), 4).is_some());
    }
}
