use serde_json::{Value, json};

use super::{super::tables, cluster::Cluster};
use crate::{
    rules::fields::{condition, count, list, text},
    sandbox::api::{DeleteOptions, Propagation},
};

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  revisionHistoryLimit: 1
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Always
      terminationGracePeriodSeconds: 5
      containers: [{name: web, image: 'web:1', resources: {requests: {cpu: 100m}}}]
";

fn is_complete(cluster: &Cluster) -> bool {
    let web = cluster.get(tables::DEPLOYMENTS, "web");
    condition(&web, "Progressing").is_some_and(|found| found.reason == "NewReplicaSetAvailable")
        && count(&web, "/status/updatedReplicas") == 3
        && count(&web, "/status/replicas") == 3
        && count(&web, "/status/observedGeneration") == count(&web, "/metadata/generation")
        && cluster.all(tables::PODS).len() == 3
}

#[test]
fn a_deployment_becomes_available() {
    let mut cluster = Cluster::new();
    cluster.apply(WEB);
    cluster.until("the rollout", is_complete);
    let web = cluster.get(tables::DEPLOYMENTS, "web");
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    let available = condition(&web, "Available").unwrap();
    assert_eq!((available.status, available.words()), ("True", "Deployment has minimum availability."));
    let set = &cluster.all(tables::REPLICA_SETS)[0];
    let told = condition(&web, "Progressing").unwrap().message;
    assert_eq!(told, format!("ReplicaSet \"{}\" has successfully progressed.", text(set, "/metadata/name")));
    let told = cluster.told();
    for said in [
        "Deployment ScalingReplicaSet: Scaled up replica set web-",
        "ReplicaSet SuccessfulCreate: Created pod: web-",
        "Pod Scheduled: Successfully assigned default/web-",
        "Pod Pulling: Pulling image \"web:1\"",
        "Pod Pulled: Successfully pulled image \"web:1\" in 300ms",
        "Pod Created: Created container: web",
        "Pod Started: Started container web",
    ] {
        assert!(told.iter().any(|line| line.starts_with(said)), "{said}\n{told:#?}");
    }
}

#[test]
fn a_rollout_stays_within_its_bounds_and_keeps_the_history() {
    let mut cluster = Cluster::new();
    cluster.apply(WEB);
    cluster.until("the first rollout", is_complete);
    for revision in 2..=4 {
        let image = format!("web:{revision}");
        cluster.edit(tables::DEPLOYMENTS, "web", |web| {
            web["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
        cluster.until("the next rollout", |cluster| {
            let pods = cluster.all(tables::PODS);
            let running = pods.iter().filter(|pod| pod["metadata"].get("deletionTimestamp").is_none());
            let running: Vec<&Value> = running.collect();
            let ready = running.iter().filter(|pod| condition(pod, "Ready").is_some_and(|ready| ready.is_true()));
            assert!(running.len() <= 4 && ready.count() >= 3, "{running:#?}");
            let done = running.iter().all(|pod| pod["spec"]["containers"][0]["image"] == image.as_str());
            done && is_complete(cluster)
        });
        let web = cluster.get(tables::DEPLOYMENTS, "web");
        assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], revision.to_string());
    }
    cluster.until("the end of old revisions", |cluster| cluster.all(tables::REPLICA_SETS).len() == 2);
}

#[test]
fn going_back_takes_the_old_replica_set_with_a_new_revision() {
    let mut cluster = Cluster::new();
    cluster.apply(WEB);
    cluster.until("the first rollout", is_complete);
    for image in ["web:2", "web:1"] {
        cluster.edit(tables::DEPLOYMENTS, "web", |web| {
            web["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
        cluster.until("the rollout", |cluster| {
            let pods = cluster.all(tables::PODS);
            pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == image) && is_complete(cluster)
        });
    }
    let sets = cluster.all(tables::REPLICA_SETS);
    assert_eq!(sets.len(), 2);
    let first = sets.iter().find(|set| count(set, "/spec/replicas") == 3).unwrap();
    let annotations = &first["metadata"]["annotations"];
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3");
    assert_eq!(annotations["deployment.kubernetes.io/revision-history"], "1");
}

#[test]
fn a_rollout_that_does_not_progress_is_said_to_be_late() {
    let mut cluster = Cluster::new();
    cluster.apply(&WEB.replace("web:1", "does-not-exist:1"));
    cluster.until("the deadline", |cluster| {
        let web = cluster.get(tables::DEPLOYMENTS, "web");
        condition(&web, "Progressing").is_some_and(|found| found.reason == "ProgressDeadlineExceeded")
    });
    let web = cluster.get(tables::DEPLOYMENTS, "web");
    let late = condition(&web, "Progressing").unwrap();
    assert!(late.is_false() && late.message.ends_with("has timed out progressing."), "{late:?}");
    assert_eq!(condition(&web, "Available").unwrap().reason, "MinimumReplicasUnavailable");
}

#[test]
fn recreate_waits_for_the_old_pods_to_be_gone() {
    let mut cluster = Cluster::new();
    let web = WEB.replace("{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", "{type: Recreate}");
    cluster.apply(&web);
    cluster.until("the first rollout", is_complete);
    cluster.edit(tables::DEPLOYMENTS, "web", |web| {
        web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    });
    cluster.until("the rollout", |cluster| {
        let pods = cluster.all(tables::PODS);
        let new = pods.iter().filter(|pod| pod["spec"]["containers"][0]["image"] == "web:2").count();
        assert!(new == 0 || new == pods.len(), "old and new pods side by side");
        new == 3 && is_complete(cluster)
    });
}

#[test]
fn scaling_is_followed_and_a_pod_that_is_deleted_is_replaced() {
    let mut cluster = Cluster::new();
    cluster.apply(WEB);
    cluster.until("the rollout", is_complete);
    cluster.edit(tables::DEPLOYMENTS, "web", |web| web["spec"]["replicas"] = json!(5));
    cluster.until("five pods", |cluster| count(&cluster.get(tables::DEPLOYMENTS, "web"), "/status/readyReplicas") == 5);
    cluster.edit(tables::DEPLOYMENTS, "web", |web| web["spec"]["replicas"] = json!(3));
    cluster.until("three pods", is_complete);
    let gone = cluster.all(tables::PODS)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    cluster.delete(tables::PODS, "default", &gone, &DeleteOptions::default());
    cluster.until("another pod", |cluster| cluster.get(tables::PODS, &gone).is_null() && is_complete(cluster));
}

#[test]
fn what_is_owned_goes_with_its_owner_unless_it_is_orphaned() {
    for (propagation, left) in [
        (Some(Propagation::Background), (0, 0)),
        (Some(Propagation::Foreground), (0, 0)),
        (Some(Propagation::Orphan), (1, 3)),
    ] {
        let mut cluster = Cluster::new();
        cluster.apply(WEB);
        cluster.until("the rollout", is_complete);
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        cluster.delete(tables::DEPLOYMENTS, "default", "web", &options);
        cluster.until("the end", |cluster| {
            let deployments = cluster.all(tables::DEPLOYMENTS).len();
            (deployments, (cluster.all(tables::REPLICA_SETS).len(), cluster.all(tables::PODS).len())) == (0, left)
        });
    }
}

#[test]
fn a_service_has_the_endpoints_of_its_pods() {
    let mut cluster = Cluster::new();
    cluster.apply(WEB);
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, clusterIP: 10.96.1.1, ports: [{name: http, \
         port: 80, targetPort: 8080, protocol: TCP}]}}",
    );
    cluster.until("the endpoints", |cluster| {
        let endpoints = cluster.get(tables::ENDPOINTS, "web");
        list(&endpoints, "/subsets/0/addresses").len() == 3
    });
    let slices = cluster.all(tables::SLICES);
    let slice = slices.iter().find(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == "web").unwrap();
    assert_eq!(slice["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    let first = &slice["endpoints"][0];
    assert_eq!(first["conditions"], json!({"ready": true, "serving": true, "terminating": false}));
    assert_eq!(first["nodeName"], "sandbox");
    cluster.delete(tables::SERVICES, "default", "web", &DeleteOptions::default());
    cluster.until("their end", |cluster| {
        cluster.get(tables::ENDPOINTS, "web").is_null() && cluster.all(tables::SLICES).len() < 2
    });
}

#[test]
fn a_namespace_is_furnished_and_emptied_before_it_goes() {
    let mut cluster = Cluster::new();
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: a}, spec: {finalizers: [kubernetes]}}");
    let key = |table, name| tables::Key::new(table, "a", name);
    cluster.until("its furniture", |cluster| {
        cluster.engine.cache.has(&key(tables::CONFIG_MAPS, "kube-root-ca.crt"))
            && cluster.engine.cache.has(&key(tables::ACCOUNTS, "default"))
    });
    cluster.apply(&WEB.replace("{name: web}", "{name: web, namespace: a}"));
    let pods = |cluster: &Cluster| cluster.engine.cache.all(tables::PODS, Some("a")).count();
    cluster.until("pods", |cluster| pods(cluster) == 3);
    cluster.delete(tables::NAMESPACES, "", "a", &DeleteOptions::default());
    cluster.until("the end", |cluster| {
        pods(cluster) == 0 && !cluster.engine.cache.has(&tables::Key::new(tables::NAMESPACES, "", "a"))
    });
}
