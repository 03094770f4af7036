//! Endpoints and EndpointSlices of Services with a selector.
//!
//! Source: `pkg/controller/endpoint` and `k8s.io/endpointslice` of Kubernetes 1.34.

use serde_json::{Value, json};

use super::{
    action::{Decision, View},
    cache::Entry,
    facts::PodFacts,
    objects::{self, time},
    tables::{self, Key},
};
use crate::rules::fields::{is_true, list, text};

const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// The most endpoints of one slice.
const SLICE: usize = 100;

/// Whether a Service's selector chooses a pod.
pub fn selects(service: &Value, pod: &PodFacts) -> bool {
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    selector.is_some_and(|selector| {
        !selector.is_empty()
            && selector.iter().all(|(key, value)| pod.labels.get(key.as_str()).map(|have| &**have) == value.as_str())
    })
}

/// What a Service needs done.
pub fn reconcile(view: &View<'_>, key: &Key) -> Decision {
    let mut decision = Decision::none();
    let Some(service) = view.cache.get(key) else {
        // Slices go by their owner; Endpoints have none.
        let left = key.beside(tables::ENDPOINTS, key.name());
        if let Some(entry) = view.cache.entry(&left)
            && entry.object()["metadata"]["labels"]["endpoints.kubernetes.io/managed-by"] == "endpoint-controller"
        {
            decision.delete(&left, &entry.head.uid);
        }
        return decision;
    };
    let has_selector = service.pointer("/spec/selector").and_then(Value::as_object).is_some_and(|it| !it.is_empty());
    if !has_selector || text(&service, "/spec/type") == "ExternalName" || objects::is_deleted(&service) {
        return decision;
    }
    let pods: Vec<Member<'_>> = view
        .cache
        .all(tables::PODS, Some(key.namespace()))
        .filter_map(|(key, entry)| Member::of(key, entry, &service))
        .collect();
    sync_endpoints(view, key, &service, &pods, &mut decision);
    sync_slices(view, key, &service, &pods, &mut decision);
    decision
}

/// A pod behind a Service.
struct Member<'c> {
    key: Key,
    entry: &'c Entry,
    pod: &'c PodFacts,
    object: Value,
}

impl<'c> Member<'c> {
    fn of(key: Key, entry: &'c Entry, service: &Value) -> Option<Self> {
        let pod = entry.pod.as_deref()?;
        let counts = selects(service, pod) && !pod.ip.is_empty() && !pod.has_ended();
        counts.then(|| Self { key, entry, pod, object: entry.object() })
    }

    fn reference(&self) -> Value {
        json!({"kind": "Pod", "namespace": self.key.namespace(), "name": self.key.name(), "uid": self.entry.head.uid})
    }

    fn hostname(&self, service: &Value) -> Option<&str> {
        let named = text(&self.object, "/spec/subdomain") == objects::name(service);
        let hostname = text(&self.object, "/spec/hostname");
        (named && !hostname.is_empty()).then_some(hostname)
    }

    /// The number of a Service's target port in this pod.
    fn port(&self, port: &Value) -> Option<Value> {
        let target = port.get("targetPort").unwrap_or(&port["port"]);
        let Some(name) = target.as_str() else { return Some(target.clone()) };
        let protocol = text(port, "/protocol");
        let containers = list(&self.object, "/spec/containers");
        containers.iter().flat_map(|container| list(container, "/ports")).find_map(|found| {
            let same = found["name"] == name && (found["protocol"] == protocol || protocol.is_empty());
            same.then(|| found["containerPort"].clone())
        })
    }

    /// The ports of a Service as this pod has them.
    fn ports(&self, service: &Value) -> Vec<Value> {
        let ports = list(service, "/spec/ports").iter().filter_map(|port| {
            let mut found = json!({});
            if let Some(name) = port.get("name") {
                found["name"] = name.clone();
            }
            found["port"] = self.port(port)?;
            found["protocol"] = port.get("protocol").cloned().unwrap_or_else(|| json!("TCP"));
            if let Some(protocol) = port.get("appProtocol") {
                found["appProtocol"] = protocol.clone();
            }
            Some(found)
        });
        ports.collect()
    }
}

fn is_headless(service: &Value) -> bool {
    text(service, "/spec/clusterIP") == "None"
}

fn ports_without_pods(service: &Value) -> Vec<Value> {
    list(service, "/spec/ports")
        .iter()
        .map(|port| {
            json!({"name": port.get("name").cloned().unwrap_or_else(|| json!("")),
                "port": port.get("targetPort").filter(|target| target.is_number()).unwrap_or(&port["port"]),
                "protocol": port.get("protocol").cloned().unwrap_or_else(|| json!("TCP"))})
        })
        .collect()
}

fn sync_endpoints(view: &View<'_>, key: &Key, service: &Value, pods: &[Member<'_>], decision: &mut Decision) {
    let unready_too = is_true(service, "/spec/publishNotReadyAddresses");
    let mut subsets: Vec<Value> = Vec::new();
    for pod in pods.iter().filter(|pod| pod.entry.head.deleted.is_none()) {
        let mut address = json!({"ip": pod.pod.ip, "nodeName": pod.pod.node, "targetRef": pod.reference()});
        if let Some(hostname) = pod.hostname(service) {
            address["hostname"] = json!(hostname);
        }
        let ports = pod.ports(service);
        let at = subsets.iter().position(|subset| list(subset, "/ports") == ports).unwrap_or_else(|| {
            subsets.push(if ports.is_empty() { json!({}) } else { json!({"ports": ports}) });
            subsets.len() - 1
        });
        let field = if pod.pod.ready.is_some() || unready_too { "addresses" } else { "notReadyAddresses" };
        match subsets[at][field].as_array_mut() {
            Some(addresses) => addresses.push(address),
            None => subsets[at][field] = json!([address]),
        }
    }
    for subset in &mut subsets {
        for field in ["addresses", "notReadyAddresses"] {
            if let Some(addresses) = subset.get_mut(field).and_then(Value::as_array_mut) {
                addresses.sort_by_key(|address| text(address, "/ip").to_owned());
            }
        }
    }
    let mut labels = service["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    labels["endpoints.kubernetes.io/managed-by"] = json!("endpoint-controller");
    if is_headless(service) {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let place = key.beside(tables::ENDPOINTS, key.name());
    let found = view.cache.get(&place);
    let mut wanted = found.clone().unwrap_or_else(|| {
        json!({"apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": key.name(), "namespace": key.namespace()}})
    });
    wanted["metadata"]["labels"] = labels;
    if subsets.is_empty() {
        wanted.as_object_mut().map(|fields| fields.shift_remove("subsets"));
    } else {
        wanted["subsets"] = json!(subsets);
    }
    if found.as_ref() == Some(&wanted) {
        return;
    }
    objects::set_text(&mut wanted, "annotations", TRIGGER, trigger_time(view).as_str());
    match found {
        Some(_) => decision.update(&place, wanted),
        None => decision.create(tables::ENDPOINTS, wanted),
    }
}

fn trigger_time(view: &View<'_>) -> String {
    time(view.now).as_str().unwrap_or_default().to_owned()
}

fn slice_endpoint(pod: &Member<'_>, service: &Value) -> Value {
    let serving = pod.pod.ready.is_some();
    let terminating = pod.entry.head.deleted.is_some();
    let ready = is_true(service, "/spec/publishNotReadyAddresses") || (serving && !terminating);
    let mut endpoint = json!({"addresses": [pod.pod.ip],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating}});
    if let Some(hostname) = pod.hostname(service) {
        endpoint["hostname"] = json!(hostname);
    }
    endpoint["nodeName"] = json!(pod.pod.node);
    endpoint["targetRef"] = pod.reference();
    endpoint
}

/// Endpoints by the ports that they have, in slices of at most a hundred.
fn slices_of(service: &Value, pods: &[Member<'_>]) -> Vec<(Value, Vec<Value>)> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pod in pods {
        let mut ports = pod.ports(service);
        for port in &mut ports {
            if port.get("name").is_none() {
                port["name"] = json!("");
            }
        }
        let ports = json!(ports);
        let endpoint = slice_endpoint(pod, service);
        match groups.iter_mut().find(|(of, endpoints)| *of == ports && endpoints.len() < SLICE) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => groups.push((ports, vec![endpoint])),
        }
    }
    if groups.is_empty() {
        groups.push((json!(ports_without_pods(service)), Vec::new()));
    }
    groups
}

fn sync_slices(view: &View<'_>, key: &Key, service: &Value, pods: &[Member<'_>], decision: &mut Decision) {
    let mut labels = service["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    labels["kubernetes.io/service-name"] = json!(key.name());
    if is_headless(service) {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let mut found: Vec<(&Key, &Entry)> = view.cache.controlled(objects::uid(service), tables::SLICES).collect();
    for (ports, endpoints) in slices_of(service, pods) {
        let base = format!("{}-", key.name());
        let present = (!found.is_empty()).then(|| found.remove(0));
        let mut wanted = present.map_or_else(
            || {
                json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                    "metadata": {"generateName": base, "name": view.suffixes.name(&base),
                        "namespace": key.namespace(), "ownerReferences": [objects::owner_reference(service)]},
                    "addressType": "IPv4"})
            },
            |(_, entry)| entry.object(),
        );
        let before = wanted.clone();
        wanted["metadata"]["labels"] = labels.clone();
        // A slice without endpoints keeps its ports: they are known from pods only where a port has a name.
        if !(endpoints.is_empty() && before["ports"].is_array()) {
            wanted["ports"] = ports;
        }
        wanted["endpoints"] = json!(endpoints);
        let emptied = endpoints_empty(&before) && endpoints_empty(&wanted);
        if present.is_some() && (wanted == before || (emptied && wanted["metadata"] == before["metadata"])) {
            continue;
        }
        objects::set_text(&mut wanted, "annotations", TRIGGER, trigger_time(view).as_str());
        match present {
            Some((place, _)) => decision.update(place, wanted),
            None => decision.create(tables::SLICES, wanted),
        }
    }
    for (place, entry) in found {
        decision.delete(place, &entry.head.uid);
    }
}

fn endpoints_empty(slice: &Value) -> bool {
    list(slice, "/endpoints").is_empty()
}
