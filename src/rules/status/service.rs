//! Services: where they lead, whether anything answers there, and what a person can open.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::{Scene, Subject, words};
use crate::{
    model::{EndpointCounts, ObjectRef, ServiceStatus, Verdict},
    rules::{
        fields::{list, number, text},
        ports::{Port, declared},
        readiness::health,
    },
};

const OF_SERVICE: &str = "/metadata/labels/kubernetes.io~1service-name";

/// A Service with the pods behind it.
pub(super) struct Behind<'v> {
    pub service: &'v Value,
    pub status: ServiceStatus,
    /// The names of the pods among its endpoints.
    pub pods: BTreeSet<&'v str>,
}

/// Every Service of the scene.
pub(super) fn services(scene: &Scene) -> Vec<Behind<'_>> {
    let mut slices: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
    for slice in scene.all(Subject::EndpointSlice) {
        slices.entry((text(slice, "/metadata/namespace"), text(slice, OF_SERVICE))).or_default().push(slice);
    }
    let of = |service| {
        let key = (text(service, "/metadata/namespace"), text(service, "/metadata/name"));
        let slices = slices.get(&key).map(Vec::as_slice).unwrap_or_default();
        let pods = slices.iter().flat_map(|slice| list(slice, "/endpoints")).map(|end| text(end, "/targetRef/name"));
        Behind { service, status: status(scene, service, slices), pods: pods.collect() }
    };
    scene.all(Subject::Service).map(of).collect()
}

/// Whether a Service selects pods with these labels.
pub(super) fn selects(service: &Value, labels: &Value) -> bool {
    service["spec"]["selector"].as_object().is_some_and(|selector| {
        !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    })
}

fn status(scene: &Scene, service: &Value, slices: &[&Value]) -> ServiceStatus {
    let object = ObjectRef::of(service);
    let kind = match (text(service, "/spec/type"), text(service, "/spec/clusterIP")) {
        ("" | "ClusterIP", "None") => "Headless",
        ("", _) => "ClusterIP",
        (kind, _) => kind,
    };
    let endpoints = (scene.reads(Subject::EndpointSlice) && kind != "ExternalName").then(|| count(slices));
    let selects_pods = service["spec"]["selector"].as_object().is_some_and(|selector| !selector.is_empty());
    let own = health(service);
    let (verdict, message) = match endpoints {
        Some(EndpointCounts { total: 0, .. }) if selects_pods => {
            (Verdict::Degraded, "no pod is behind it: its selector matches none".to_owned())
        }
        Some(EndpointCounts { ready: 0, total }) if selects_pods => {
            (Verdict::Degraded, format!("none of its {total} endpoints is ready"))
        }
        _ if own.status != crate::model::Status::Current => (Verdict::Progressing, words(&own.message)),
        _ => (Verdict::Healthy, String::new()),
    };
    let urls = urls(scene, service);
    let first = declared(service).into_iter().next();
    let forward = first.filter(|_| urls.is_empty() && selects_pods).map(|port| {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        // Ports below 1024 are for root.
        let local = if port.number < 1024 { format!("{}:", 8000 + u32::from(port.number)) } else { String::new() };
        format!("kubectl evolve forward service/{} {local}{} -n {namespace}", object.name, port.number)
    });
    ServiceStatus {
        verdict,
        kind: kind.to_owned(),
        endpoints,
        ports: list(service, "/spec/ports").iter().map(port).collect(),
        urls,
        forward,
        message,
        object,
    }
}

/// The endpoints of one family of addresses; a Service with two has each pod twice.
fn count(slices: &[&Value]) -> EndpointCounts {
    let family = slices.iter().map(|slice| text(slice, "/addressType")).min().unwrap_or_default();
    let ends = slices.iter().filter(|slice| text(slice, "/addressType") == family);
    let mut counts = EndpointCounts::default();
    for end in ends.flat_map(|slice| list(slice, "/endpoints")) {
        counts.total += 1;
        // Absent means ready (discovery.k8s.io/v1, EndpointConditions).
        counts.ready += usize::from(end["conditions"]["ready"] != false);
    }
    counts
}

/// `http 80→8080/TCP`
fn port(port: &Value) -> String {
    let number = text_of(&port["port"]);
    let target = text_of(&port["targetPort"]);
    let target = if target.is_empty() || target == number { String::new() } else { format!("→{target}") };
    let node = number_of(&port["nodePort"]).map(|node| format!(" (node {node})")).unwrap_or_default();
    let name = Some(text(port, "/name")).filter(|name| !name.is_empty()).map(|name| format!("{name} "));
    let protocol = Some(text(port, "/protocol")).filter(|protocol| !protocol.is_empty()).unwrap_or("TCP");
    format!("{}{number}{target}/{protocol}{node}", name.unwrap_or_default())
}

fn text_of(value: &Value) -> String {
    value.as_str().map(str::to_owned).or_else(|| number_of(value).map(|number| number.to_string())).unwrap_or_default()
}

fn number_of(value: &Value) -> Option<i64> {
    value.as_i64()
}

/// From outside: what an Ingress shows, a load balancer's address, or the port of a node.
fn urls(scene: &Scene, service: &Value) -> Vec<String> {
    let namespace = text(service, "/metadata/namespace");
    let ingresses = scene.all(Subject::Ingress).filter(|ingress| text(ingress, "/metadata/namespace") == namespace);
    let mut urls: Vec<String> =
        ingresses.flat_map(|ingress| of_ingress(ingress, text(service, "/metadata/name"))).collect();
    let ports = declared(service);
    for address in addresses(service) {
        urls.extend(ports.iter().filter_map(|port| url(port, &address, port.number.into())));
    }
    let no_other = urls.is_empty();
    let host = scene.pods.values().find(|pod| pod.namespace() == namespace && !pod.host.is_empty());
    if let Some(host) = host.filter(|_| no_other) {
        urls.extend(ports.iter().filter_map(|port| url(port, &host.host, node_port(service, port)?)));
    }
    urls.dedup();
    urls
}

/// The addresses of a load balancer.
fn addresses(object: &Value) -> Vec<String> {
    let address = |entry: &Value| {
        [text(entry, "/hostname"), text(entry, "/ip")]
            .into_iter()
            .find(|address| !address.is_empty())
            .map(str::to_owned)
    };
    list(object, "/status/loadBalancer/ingress").iter().filter_map(address).collect()
}

/// A URL for a port that speaks HTTP; None for others, which no browser opens.
fn url(port: &Port, host: &str, number_outside: i64) -> Option<String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Some(match (port.scheme()?, number_outside) {
        (scheme @ "http", 80) | (scheme @ "https", 443) => format!("{scheme}://{host}/"),
        (scheme, port) => format!("{scheme}://{host}:{port}/"),
    })
}

/// The port of every node that leads to a port of a Service.
fn node_port(service: &Value, port: &Port) -> Option<i64> {
    let same =
        |entry: &&Value| number(entry, "/port") == Some(i64::from(port.number)) && text(entry, "/name") == port.name;
    number(list(service, "/spec/ports").iter().find(same)?, "/nodePort")
}

/// What an Ingress shows of a Service.
fn of_ingress(ingress: &Value, service: &str) -> Vec<String> {
    let secured: Vec<&str> =
        list(ingress, "/spec/tls").iter().flat_map(|tls| list(tls, "/hosts")).filter_map(Value::as_str).collect();
    let everywhere = addresses(ingress);
    let mut urls = Vec::new();
    let mut add = |host: &str, path: &str| {
        let scheme = if secured.contains(&host) { "https" } else { "http" };
        let hosts: Vec<&str> =
            if host.is_empty() { everywhere.iter().map(String::as_str).collect() } else { vec![host] };
        urls.extend(hosts.iter().map(|host| format!("{scheme}://{host}{}", if path.is_empty() { "/" } else { path })));
    };
    for rule in list(ingress, "/spec/rules") {
        for path in list(rule, "/http/paths") {
            if text(path, "/backend/service/name") == service {
                add(text(rule, "/host"), text(path, "/path"));
            }
        }
    }
    if text(ingress, "/spec/defaultBackend/service/name") == service {
        add("", "/");
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn one(objects: &[(Subject, &str)]) -> ServiceStatus {
        let mut scene = Scene::default();
        objects.iter().for_each(|(subject, text)| scene.seen(*subject, yaml(text)));
        services(&scene).remove(0).status
    }

    const WEB: &str = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: ClusterIP, clusterIP: 10.0.0.1, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080, protocol: TCP}]}}";

    fn slice(ends: &str) -> String {
        format!(
            "{{metadata: {{name: web-1, namespace: shop, labels: {{kubernetes.io/service-name: web}}}}, addressType: IPv4, endpoints: [{ends}]}}"
        )
    }

    #[test]
    fn endpoints_are_counted_and_a_forward_is_offered() {
        let slice = slice("{conditions: {ready: true}, targetRef: {name: web-1}}, {conditions: {ready: false}}, {}");
        let status = one(&[(Subject::Service, WEB), (Subject::EndpointSlice, &slice)]);
        assert_eq!(status.endpoints, Some(EndpointCounts { ready: 2, total: 3 }));
        assert_eq!((status.verdict, status.ports[0].as_str()), (Verdict::Healthy, "http 80→8080/TCP"));
        assert_eq!(status.forward.as_deref(), Some("kubectl evolve forward service/web 8080:80 -n shop"));
    }

    #[test]
    fn a_service_without_a_ready_endpoint_says_so() {
        assert_eq!(one(&[(Subject::Service, WEB)]).message, "no pod is behind it: its selector matches none");
        let slice = slice("{conditions: {ready: false}}");
        let status = one(&[(Subject::Service, WEB), (Subject::EndpointSlice, &slice)]);
        assert_eq!((status.verdict, status.message.as_str()), (Verdict::Degraded, "none of its 1 endpoints is ready"));
    }

    #[test]
    fn urls_lead_through_an_ingress_a_load_balancer_or_a_node() {
        let ingress = "{metadata: {name: i, namespace: shop}, spec: {tls: [{hosts: [a.b]}], rules: [{host: a.b, http: {paths: [{path: /x, backend: {service: {name: web}}}]}}, {host: c.d, http: {paths: [{path: /, backend: {service: {name: other}}}]}}]}}";
        assert_eq!(one(&[(Subject::Service, WEB), (Subject::Ingress, ingress)]).urls, ["https://a.b/x"]);
        let balanced = WEB.replace("ClusterIP,", "LoadBalancer,").replace("ports:", "x: 1, ports:");
        let balanced = format!(
            "{}, status: {{loadBalancer: {{ingress: [{{ip: 192.0.2.1}}]}}}}}}",
            &balanced[..balanced.len() - 1]
        );
        assert_eq!(one(&[(Subject::Service, &balanced)]).urls, ["http://192.0.2.1/"]);
        let node = WEB.replace("ClusterIP,", "NodePort,").replace("targetPort: 8080", "nodePort: 30080");
        let pod = "{metadata: {name: p, namespace: shop}, status: {hostIP: 10.1.2.3}}";
        assert_eq!(one(&[(Subject::Service, &node), (Subject::Pod, pod)]).urls, ["http://10.1.2.3:30080/"]);
    }
}
