//! What a pod takes of the resources that are counted.
//!
//! Source: `k8s.io/component-helpers/resource/helpers.go`, `PodRequests` and `PodLimits`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rules::{fields::list, quantity::Quantity};

/// Amounts in billionths, by the resource's name.
pub(super) type Amounts = BTreeMap<String, i128>;

pub(super) fn read(quantities: &Value) -> Amounts {
    let read = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text).map(|quantity| quantity.nano()),
        Value::Number(number) => Quantity::parse(&number.to_string()).map(|quantity| quantity.nano()),
        _ => None,
    };
    let entries = quantities.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), read(value)?))).collect()
}

pub(super) fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *sum.entry(name.clone()).or_default() += amount;
    }
}

/// What a container asks for: where it says none, its limit.
fn requests(container: &Value) -> Amounts {
    let mut amounts = read(&container["resources"]["limits"]);
    amounts.extend(read(&container["resources"]["requests"]));
    amounts
}

fn limits(container: &Value) -> Amounts {
    read(&container["resources"]["limits"])
}

/// The containers side by side with the sidecars, or an init container where that takes more.
fn of_pod(spec: &Value, of: fn(&Value) -> Amounts) -> Amounts {
    let (mut running, mut most) = (Amounts::new(), Amounts::new());
    for container in list(spec, "/initContainers") {
        if container["restartPolicy"] == "Always" {
            add(&mut running, &of(container));
            continue;
        }
        let mut now = of(container);
        add(&mut now, &running);
        for (name, amount) in now {
            let known = most.entry(name).or_default();
            *known = amount.max(*known);
        }
    }
    for container in list(spec, "/containers") {
        add(&mut running, &of(container));
    }
    for (name, amount) in most {
        let known = running.entry(name).or_default();
        *known = amount.max(*known);
    }
    add(&mut running, &read(&spec["overhead"]));
    running
}

/// What a node has to have free for a pod.
pub(super) fn requested(spec: &Value) -> Amounts {
    of_pod(spec, requests)
}

/// What a pod counts in a quota, by the quota's words.
pub(super) fn counted(spec: &Value) -> Amounts {
    let mut amounts = Amounts::from([("pods".to_owned(), 1_000_000_000), ("count/pods".to_owned(), 1_000_000_000)]);
    for (name, amount) in requested(spec) {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            amounts.insert(name.clone(), amount);
        }
        amounts.insert(format!("requests.{name}"), amount);
    }
    for (name, amount) in of_pod(spec, limits) {
        amounts.insert(format!("limits.{name}"), amount);
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_pod_takes_what_its_containers_or_its_largest_init_container_take() {
        let spec = yaml(
            "{initContainers: [{name: side, restartPolicy: Always, resources: {requests: {cpu: 100m}}}, {name: init, resources: {requests: {cpu: '1', memory: 1Mi}}}], containers: [{resources: {requests: {cpu: 200m}, limits: {cpu: '2', memory: 1Gi}}}, {resources: {}}]}",
        );
        let requested = requested(&spec);
        assert_eq!(requested["cpu"], 1_100_000_000);
        assert_eq!(requested["memory"], (1 << 30) * 1_000_000_000);
        let counted = counted(&spec);
        assert_eq!(counted["requests.cpu"], counted["cpu"]);
        assert_eq!(counted["limits.cpu"], 2_000_000_000);
        assert_eq!(counted["pods"], 1_000_000_000);
    }
}
