//! Services.

use serde_json::Value;

use crate::{
    model::Health,
    rules::fields::{list, text},
};

pub(super) fn service(object: &Value) -> Option<Health> {
    if text(object, "/spec/type") != "LoadBalancer" {
        return Some(Health::current("exists"));
    }
    let address = list(object, "/status/loadBalancer/ingress").iter().find_map(|ingress| {
        [text(ingress, "/ip"), text(ingress, "/hostname")].into_iter().find(|address| !address.is_empty())
    });
    let external = || list(object, "/spec/externalIPs").first().and_then(Value::as_str);
    Some(match address.or_else(external) {
        Some(address) => Health::current(format!("reached at {address}")),
        None => Health::in_progress("no address yet from a load balancer"),
    })
}

#[cfg(test)]
mod tests {
    use crate::{model::Status, rules::readiness::tests::said};

    #[test]
    fn a_load_balancer_needs_an_address() {
        let of = |spec: &str, status: &str| {
            said(&format!("{{apiVersion: v1, kind: Service, spec: {{{spec}}}, status: {{{status}}}}}"))
        };
        assert_eq!(of("type: ClusterIP, clusterIP: 10.0.0.1", "loadBalancer: {}").0, Status::Current);
        assert_eq!(of("type: ExternalName, externalName: x.y", "").0, Status::Current);
        assert_eq!(of("type: LoadBalancer", "loadBalancer: {}").0, Status::InProgress);
        assert_eq!(
            of("type: LoadBalancer", "loadBalancer: {ingress: [{hostname: a.b}]}"),
            (Status::Current, "reached at a.b".into())
        );
        assert_eq!(of("type: LoadBalancer, externalIPs: [192.0.2.1]", "loadBalancer: {}").0, Status::Current);
    }
}
