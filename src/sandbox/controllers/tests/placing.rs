//! Pods that mind where others are, in virtual time.

use serde_json::Value;

use super::{
    super::{nodes::NodeSettings, settings::Settings, tables},
    cluster::Cluster,
};
use crate::rules::fields::{condition, text};

/// Three nodes in two zones.
fn zones() -> Cluster {
    let node = |name: &str, zone: &str| NodeSettings {
        name: name.into(),
        labels: [("zone".to_owned(), zone.to_owned())].into(),
        ..NodeSettings::default()
    };
    let nodes = vec![node("a1", "a"), node("a2", "a"), node("b1", "b")];
    Cluster::with(Settings { nodes, ..Settings::default() })
}

fn pod(name: &str, app: &str, more: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: {app}}}}}, spec: {{containers: [{{name: a, image: a}}], {more}}}}}"
    )
}

/// `name node`, or why there is none.
fn places(cluster: &Cluster) -> Vec<String> {
    let place = |pod: &Value| match text(pod, "/spec/nodeName") {
        "" => condition(pod, "PodScheduled").map_or(String::new(), |found| found.message.to_owned()),
        node => node.to_owned(),
    };
    cluster.all(tables::PODS).iter().map(|pod| format!("{} {}", text(pod, "/metadata/name"), place(pod))).collect()
}

fn settled(cluster: &mut Cluster) -> Vec<String> {
    cluster.until("a decision on every pod", |cluster| places(cluster).iter().all(|place| !place.ends_with(' ')));
    places(cluster)
}

#[test]
fn pods_stay_far_from_each_other_and_near_to_others() {
    let mut cluster = zones();
    let term = |app: &str, key: &str| {
        format!(
            "requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: {key}, labelSelector: {{matchLabels: {{app: {app}}}}}}}]"
        )
    };
    let alone = format!("affinity: {{podAntiAffinity: {{{}}}}}", term("db", "zone"));
    for name in ["db1", "db2", "db3"] {
        cluster.apply(&pod(name, "db", &alone));
    }
    let found = settled(&mut cluster);
    let zones: Vec<&str> = found[..2].iter().map(|place| &place[4..5]).collect();
    assert!(zones.contains(&"a") && zones.contains(&"b"), "{found:?}");
    assert_eq!(
        found[2],
        "db3 0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, \
         preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    );
    // Those that are there do not want the other, which does not mind.
    cluster.apply(&pod("other", "db", "restartPolicy: Always"));
    let found = settled(&mut cluster);
    assert!(found[3].contains("3 node(s) didn't satisfy existing pods anti-affinity rules"), "{found:?}");
    // The first of its kind may go anywhere, the second goes where it is.
    let near = format!("nodeSelector: {{zone: b}}, affinity: {{podAffinity: {{{}}}}}", term("web", "zone"));
    cluster.apply(&pod("web1", "web", &near));
    cluster.apply(&pod("web2", "web", &near.replace("nodeSelector: {zone: b}, ", "")));
    let lost = format!("affinity: {{podAffinity: {{{}}}}}", term("nobody", "zone"));
    cluster.apply(&pod("zlost", "lost", &lost));
    let found = settled(&mut cluster);
    assert_eq!(found[4..6], ["web1 b1", "web2 b1"]);
    assert!(found[6].contains("3 node(s) didn't match pod affinity rules. "), "{found:?}");
}

#[test]
fn pods_are_spread_as_evenly_as_asked() {
    let mut cluster = zones();
    let spread = |key: &str| {
        format!(
            "topologySpreadConstraints: [{{maxSkew: 1, topologyKey: {key}, whenUnsatisfiable: DoNotSchedule, labelSelector: {{matchLabels: {{app: web}}}}}}]"
        )
    };
    for number in 0..4 {
        cluster.apply(&pod(&format!("web{number}"), "web", &spread("zone")));
        settled(&mut cluster);
    }
    let found = settled(&mut cluster);
    assert_eq!(found.iter().filter(|place| place.ends_with("b1")).count(), 2, "{found:?}");
    cluster.apply(&pod("stuck", "web", &format!("nodeSelector: {{zone: b}}, {}", spread("zone"))));
    cluster.apply(&pod("unknown", "web", &spread("rack")));
    let found = settled(&mut cluster);
    assert!(found[0].starts_with("stuck b1"), "only the nodes that it may go to count: {found:?}");
    let told = "3 node(s) didn't match pod topology spread constraints (missing required label). ";
    assert!(found[1].contains(told), "{found:?}");
}
