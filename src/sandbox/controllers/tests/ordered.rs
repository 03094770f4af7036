//! StatefulSets, DaemonSets, Jobs, and what goes with them.

use serde_json::{Value, json};

use super::{
    super::{nodes::NodeSettings, settings::Settings, tables},
    cluster::Cluster,
};
use crate::{
    rules::fields::{condition, count, text},
    sandbox::api::DeleteOptions,
};

const STORE: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 2
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers: [{name: a, image: 'store:1', volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
";

fn is_settled(cluster: &Cluster, replicas: i64) -> bool {
    let store = cluster.get(tables::STATEFUL_SETS, "store");
    count(&store, "/status/readyReplicas") == replicas
        && count(&store, "/status/replicas") == replicas
        && count(&store, "/status/updatedReplicas") == replicas
        && store["status"]["currentRevision"] == store["status"]["updateRevision"]
        && count(&store, "/status/observedGeneration") == count(&store, "/metadata/generation")
}

#[test]
fn a_stateful_set_makes_its_pods_in_order_with_claims_of_their_own() {
    let mut cluster = Cluster::new();
    cluster.apply(STORE);
    cluster.until("the set", |cluster| {
        let first = cluster.get(tables::PODS, "store-0");
        let second = cluster.get(tables::PODS, "store-1");
        assert!(second.is_null() || condition(&first, "Ready").is_some_and(|it| it.is_true()), "both at once");
        is_settled(cluster, 2)
    });
    for claim in cluster.all(tables::CLAIMS) {
        assert_eq!(claim["status"]["phase"], "Bound");
        let volume = text(&claim, "/spec/volumeName");
        let volume = cluster.engine.cache.get(&tables::Key::new(tables::VOLUMES, "", volume)).unwrap();
        assert_eq!(
            (&volume["status"]["phase"], &volume["spec"]["capacity"]["storage"]),
            (&json!("Bound"), &json!("1Gi"))
        );
    }
    let told = cluster.told();
    for said in [
        "StatefulSet SuccessfulCreate: create Claim data-store-0 Pod store-0 in StatefulSet store success",
        "StatefulSet SuccessfulCreate: create Pod store-1 in StatefulSet store successful",
        "PersistentVolumeClaim WaitForFirstConsumer: waiting for first consumer to be created before binding",
        "PersistentVolumeClaim ProvisioningSucceeded: Successfully provisioned volume pvc-",
    ] {
        assert!(told.iter().any(|line| line.starts_with(said)), "{said}\n{told:#?}");
    }
}

#[test]
fn a_stateful_set_is_updated_from_its_last_pod_on_down_to_the_partition() {
    let mut cluster = Cluster::new();
    cluster.apply(STORE);
    cluster.until("the set", |cluster| is_settled(cluster, 2));
    let image =
        |cluster: &Cluster, pod: &str| text(&cluster.get(tables::PODS, pod), "/spec/containers/0/image").to_owned();
    cluster.edit(tables::STATEFUL_SETS, "store", |store| {
        store["spec"]["template"]["spec"]["containers"][0]["image"] = json!("store:2");
        store["spec"]["updateStrategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    });
    cluster.until("the upper pod", |cluster| {
        let store = cluster.get(tables::STATEFUL_SETS, "store");
        image(cluster, "store-1") == "store:2" && count(&store, "/status/readyReplicas") == 2
    });
    assert_eq!(image(&cluster, "store-0"), "store:1");
    cluster.edit(tables::STATEFUL_SETS, "store", |store| {
        store["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(0);
    });
    cluster.until("the lower pod", |cluster| image(cluster, "store-0") == "store:2" && is_settled(cluster, 2));
    assert_eq!(cluster.all(tables::REVISIONS).len(), 2);
    cluster.edit(tables::STATEFUL_SETS, "store", |store| store["spec"]["replicas"] = json!(1));
    cluster.until("one pod", |cluster| is_settled(cluster, 1) && cluster.get(tables::PODS, "store-1").is_null());
    assert_eq!(cluster.all(tables::CLAIMS).len(), 2, "claims stay");
}

#[test]
fn a_deleted_claim_waits_for_its_pod_and_its_volume_follows() {
    let mut cluster = Cluster::new();
    cluster.apply(STORE);
    cluster.until("the set", |cluster| is_settled(cluster, 2));
    cluster.delete(tables::CLAIMS, "default", "data-store-1", &DeleteOptions::default());
    cluster.until("nothing", |cluster| {
        cluster.engine.agenda.next_timer().is_none() || !cluster.get(tables::CLAIMS, "data-store-1").is_null()
    });
    cluster.edit(tables::STATEFUL_SETS, "store", |store| store["spec"]["replicas"] = json!(1));
    cluster.until("their end", |cluster| {
        cluster.get(tables::CLAIMS, "data-store-1").is_null()
            && cluster.engine.cache.all(tables::VOLUMES, None).count() == 1
    });
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_and_rolls_one_at_a_time() {
    let node = |name: &str| NodeSettings { name: name.into(), ..NodeSettings::default() };
    let nodes = vec![node("a"), node("b"), node("c")];
    let mut cluster = Cluster::with(Settings { nodes, ..Settings::default() });
    cluster.apply(
        "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: a, image: 'agent:1'}]}}
",
    );
    let ready = |cluster: &Cluster| {
        let agent = cluster.get(tables::DAEMON_SETS, "agent");
        count(&agent, "/status/numberAvailable") == 3 && count(&agent, "/status/updatedNumberScheduled") == 3
    };
    cluster.until("the pods", ready);
    let mut nodes: Vec<Value> = cluster.all(tables::PODS).iter().map(|pod| pod["spec"]["nodeName"].clone()).collect();
    nodes.sort_by_key(Value::to_string);
    assert_eq!(nodes, ["a", "b", "c"]);
    cluster.edit(tables::DAEMON_SETS, "agent", |agent| {
        agent["spec"]["template"]["spec"]["containers"][0]["image"] = json!("agent:2");
    });
    cluster.until("the update", |cluster| {
        let pods = cluster.all(tables::PODS);
        let up = pods.iter().filter(|pod| condition(pod, "Ready").is_some_and(|ready| ready.is_true())).count();
        assert!(up >= 2, "more than one is missing");
        ready(cluster) && pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "agent:2")
    });
}

fn job(name: &str, spec: &str, command: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}, namespace: default}}, spec: {{{spec}, template: {{spec: \
         {{restartPolicy: Never, containers: [{{name: a, image: a, command: [sh, -c, '{command}']}}]}}}}}}}}"
    )
}

#[test]
fn a_job_ends_when_its_pods_have() {
    let mut cluster = Cluster::new();
    cluster.apply(&job("work", "completions: 3, parallelism: 2, ttlSecondsAfterFinished: 100", "true"));
    cluster.until("its end", |cluster| {
        condition(&cluster.get(tables::JOBS, "work"), "Complete").is_some_and(|it| it.is_true())
    });
    let work = cluster.get(tables::JOBS, "work");
    assert_eq!((count(&work, "/status/succeeded"), work["status"].get("active")), (3, None));
    assert_eq!(work["status"]["uncountedTerminatedPods"], json!({}));
    assert_eq!(condition(&work, "Complete").unwrap().reason, "CompletionsReached");
    assert!(cluster.told().contains(&"Job Completed: Job completed".to_owned()));
    assert!(cluster.all(tables::PODS).iter().all(|pod| pod["metadata"].get("finalizers").is_none()));
    cluster.until("its removal", |cluster| {
        cluster.get(tables::JOBS, "work").is_null() && cluster.all(tables::PODS).is_empty()
    });
}

#[test]
fn a_job_that_fails_too_often_is_given_up() {
    let mut cluster = Cluster::new();
    cluster.apply(&job("work", "backoffLimit: 1", "exit 3"));
    cluster.until("its end", |cluster| {
        condition(&cluster.get(tables::JOBS, "work"), "Failed").is_some_and(|it| it.is_true())
    });
    let work = cluster.get(tables::JOBS, "work");
    assert_eq!(condition(&work, "Failed").unwrap().message, "Job has reached the specified backoff limit");
    assert_eq!((count(&work, "/status/failed"), cluster.all(tables::PODS).len()), (2, 2));
}

#[test]
fn an_indexed_job_has_a_pod_for_each_index() {
    let mut cluster = Cluster::new();
    cluster.apply(&job("work", "completions: 3, parallelism: 3, completionMode: Indexed", "true"));
    cluster.until("its end", |cluster| {
        condition(&cluster.get(tables::JOBS, "work"), "Complete").is_some_and(|it| it.is_true())
    });
    assert_eq!(cluster.get(tables::JOBS, "work")["status"]["completedIndexes"], "0-2");
}

#[test]
fn budgets_and_autoscalers_follow_the_workload() {
    let mut cluster = Cluster::new();
    cluster.apply(STORE);
    cluster.apply(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: store}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: store}}}}",
    );
    cluster.apply(
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: store}, spec: {minReplicas: 3, maxReplicas: 5, \
         scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: store}}}",
    );
    cluster.until("three pods", |cluster| is_settled(cluster, 3));
    let status = cluster.get(tables::BUDGETS, "store")["status"].clone();
    assert_eq!(
        (&status["currentHealthy"], &status["desiredHealthy"], &status["disruptionsAllowed"], &status["expectedPods"]),
        (&json!(3), &json!(2), &json!(1), &json!(3))
    );
    let scaler = cluster.get(tables::AUTOSCALERS, "store");
    assert!(condition(&scaler, "ScalingActive").is_some_and(|it| it.is_false()));
    assert_eq!(scaler["status"]["currentReplicas"], 3);
}

#[test]
fn a_quota_says_what_is_used() {
    let mut cluster = Cluster::new();
    cluster.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: '3', requests.storage: 5Gi, count/configmaps: '9'}}}");
    cluster.apply(STORE);
    cluster.until("the set", |cluster| is_settled(cluster, 2));
    let used = &cluster.get(tables::QUOTAS, "q")["status"]["used"];
    assert_eq!(*used, json!({"count/configmaps": "1", "pods": "2", "requests.storage": "2Gi"}));
}

#[test]
fn what_a_quota_refuses_is_told_by_each_controller() {
    let mut cluster = Cluster::new();
    cluster.apply(
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: small}, spec: {hard: {pods: '0', limits.cpu: '1'}}}",
    );
    cluster.engine.settle();
    cluster.apply(&STORE.replace("volumeMounts", "resources: {limits: {cpu: 1}}, volumeMounts"));
    let task = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\n\
        spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}\n";
    cluster.apply(task);
    let said = |cluster: &Cluster, words: &str| cluster.told().iter().any(|line| line.contains(words));
    cluster.until("both are told", |cluster| {
        said(
            cluster,
            "create Pod store-0 in StatefulSet store failed error: pods \"store-0\" is forbidden: exceeded \
             quota: small, requested: pods=1, used: pods=0, limited: pods=0",
        ) && said(cluster, "Job FailedCreate: Error creating: pods \"task-")
            && said(cluster, "is forbidden: failed quota: small: must specify limits.cpu for: a")
    });
    cluster.edit(tables::QUOTAS, "small", |quota| quota["spec"]["hard"] = json!({"pods": "9"}));
    cluster.until("the set", |cluster| is_settled(cluster, 2));
}

#[test]
fn no_more_is_made_than_a_quota_allows_however_fast() {
    let mut cluster = Cluster::new();
    cluster.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/configmaps: '3'}}}");
    cluster.engine.settle();
    let names = ["a", "b", "c", "d"];
    let made = names.map(|name| {
        cluster.try_apply(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}")).err()
    });
    // One is the cluster's own.
    let refused: Vec<String> = made.into_iter().flatten().map(|problem| problem.message).collect();
    let words =
        "exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=3, limited: count/configmaps=3";
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused.iter().all(|message| message.ends_with(words)), "{refused:?}");
}

#[test]
fn a_job_that_is_given_up_makes_no_more_pods() {
    let mut cluster = Cluster::new();
    cluster.apply(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec: {backoffLimit: 1, template: {spec: {restartPolicy: \
         OnFailure, containers: [{name: a, image: 'a:1', command: ['false']}]}}}\n",
    );
    cluster.until("the end", |cluster| {
        condition(&cluster.get(tables::JOBS, "task"), "Failed").is_some_and(|found| found.is_true())
    });
    assert_eq!(cluster.get(tables::JOBS, "task")["status"]["failed"], 1);
    assert_eq!(cluster.told().iter().filter(|line| line.contains("Job SuccessfulCreate")).count(), 1);
}
