use serde_json::Value;

use super::{
    super::{
        nodes::{NodeSettings, Taint},
        settings::Settings,
        tables,
    },
    cluster::Cluster,
};
use crate::{
    rules::fields::{condition, count, list, text},
    sandbox::{
        Clock,
        api::{Api, DeleteOptions},
        pods::LogOptions,
    },
};

fn pod(spec: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: a, namespace: default}}, spec: {{terminationGracePeriodSeconds: 5, {spec}}}}}"
    )
}

fn status(cluster: &Cluster) -> Value {
    cluster.get(tables::PODS, "a")["status"].clone()
}

fn waiting(cluster: &Cluster) -> String {
    let status = status(cluster);
    let waiting = "/containerStatuses/0/state/waiting";
    format!("{}: {}", text(&status, &format!("{waiting}/reason")), text(&status, &format!("{waiting}/message")))
}

#[test]
fn a_pod_that_fits_no_node_says_why_in_the_schedulers_words() {
    let small = NodeSettings { name: "small".into(), cpu: "1".into(), memory: "1Gi".into(), ..NodeSettings::default() };
    let taints = vec![Taint { key: "gpu".into(), value: "yes".into(), effect: "NoSchedule".into() }];
    let tainted = NodeSettings { name: "tainted".into(), taints, ..NodeSettings::default() };
    for (spec, message) in [
        (
            "restartPolicy: Always, containers: [{name: a, image: a, resources: {requests: {cpu: '4', memory: 8Gi}}}]",
            "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {gpu: \
             yes}. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for \
             scheduling.",
        ),
        (
            "restartPolicy: Always, nodeSelector: {disk: ssd}, tolerations: [{operator: Exists}], containers: [{name: a, image: a}]",
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. no new claims to \
             deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
        (
            "restartPolicy: Always, containers: [{name: a, image: a}], volumes: [{name: v, persistentVolumeClaim: {claimName: none}}]",
            "0/2 nodes are available: persistentvolumeclaim \"none\" not found. not found",
        ),
    ] {
        let settings = Settings { nodes: vec![small.clone(), tainted.clone()], ..Settings::default() };
        let mut cluster = Cluster::with(settings);
        cluster.apply(&pod(spec));
        cluster.until("the refusal", |cluster| {
            let pod = cluster.get(tables::PODS, "a");
            condition(&pod, "PodScheduled").is_some_and(|found| found.is_false() && found.reason == "Unschedulable")
        });
        assert_eq!(condition(&cluster.get(tables::PODS, "a"), "PodScheduled").unwrap().message, message);
        assert_eq!(cluster.told(), [format!("Pod FailedScheduling: {message}")]);
    }
}

#[test]
fn an_image_that_is_not_there_is_pulled_again_and_again() {
    let mut cluster = Cluster::new();
    cluster.apply(&pod("restartPolicy: Always, containers: [{name: a, image: 'shop:nope'}]"));
    let error = "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/shop:nope\": \
        failed to resolve reference \"docker.io/library/shop:nope\": docker.io/library/shop:nope: not found";
    cluster.until("the error", |cluster| waiting(cluster) == format!("ErrImagePull: {error}"));
    let back_off = format!("ImagePullBackOff: Back-off pulling image \"shop:nope\": ErrImagePull: {error}");
    cluster.until("the back-off", |cluster| waiting(cluster) == back_off);
    cluster.until("another try", |cluster| {
        let events = cluster.all(tables::EVENTS);
        events.iter().any(|event| event["reason"] == "Pulling" && count(event, "/count") == 2)
    });
    assert_eq!(status(&cluster)["phase"], "Pending");
}

#[test]
fn a_container_that_crashes_is_started_again_ever_later() {
    let mut cluster = Cluster::new();
    cluster
        .apply(&pod("restartPolicy: Always, containers: [{name: a, image: a, command: [sh, -c, 'echo hi; exit 3']}]"));
    let backs_off = |cluster: &Cluster, wait: &str| {
        let pod = cluster.get(tables::PODS, "a");
        let name = format!("a_default({})", text(&pod, "/metadata/uid"));
        waiting(cluster) == format!("CrashLoopBackOff: back-off {wait} restarting failed container=a pod={name}")
    };
    for (wait, restarts) in [("10s", 1), ("20s", 2), ("40s", 3), ("1m20s", 4), ("2m40s", 5), ("5m0s", 6), ("5m0s", 7)] {
        cluster.until(wait, |cluster| {
            backs_off(cluster, wait) && count(&status(cluster), "/containerStatuses/0/restartCount") == restarts
        });
    }
    let last = &status(&cluster)["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&3.into(), &"Error".into()));
    let ready = condition(&cluster.get(tables::PODS, "a"), "Ready").map(|it| it.words().to_owned());
    assert_eq!(ready.as_deref(), Some("containers with unready status: [a]"));
}

#[test]
fn a_missing_configuration_is_named_until_it_is_there() {
    let mut cluster = Cluster::new();
    cluster.apply(&pod(
        "restartPolicy: Always, containers: [{name: a, image: a, env: [{name: X, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]",
    ));
    cluster.until("the complaint", |cluster| waiting(cluster) == "CreateContainerConfigError: secret \"s\" not found");
    cluster.apply("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {other: YQ==}}");
    cluster.until("the next complaint", |cluster| {
        waiting(cluster) == "CreateContainerConfigError: couldn't find key k in Secret default/s"
    });
    cluster.edit(tables::SECRETS, "s", |secret| secret["data"]["k"] = "YQ==".into());
    cluster.until("the start", |cluster| status(cluster)["phase"] == "Running");
}

#[test]
fn init_containers_run_before_and_pods_without_restarts_end() {
    let mut cluster = Cluster::new();
    cluster.apply(&pod(
        "restartPolicy: Never, initContainers: [{name: i, image: a}, {name: j, image: b}], containers: [{name: a, image: a}]",
    ));
    cluster.until("the first", |cluster| {
        let pod = cluster.get(tables::PODS, "a");
        condition(&pod, "Initialized").is_some_and(|it| it.message == "containers with incomplete status: [j]")
    });
    assert!(waiting(&cluster).starts_with("PodInitializing"));
    cluster.until("the end", |cluster| status(cluster)["phase"] == "Succeeded");
    let pod = cluster.get(tables::PODS, "a");
    assert_eq!(condition(&pod, "Ready").unwrap().reason, "PodCompleted");
    let kinds: Vec<&str> = list(&pod, "/status/conditions").iter().map(|it| text(it, "/type")).collect();
    assert_eq!(kinds, ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]);
}

#[test]
fn annotations_set_the_start_the_probes_and_the_end() {
    let mut cluster = Cluster::new();
    cluster.apply(
        "apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    sandbox.evolve/startup: 3s
    sandbox.evolve/readiness: '[{after: 30s, ok: false}]'
    sandbox.evolve/exit: '{after: 5m, oom: true, logs: [bye]}'
    sandbox.evolve/logs: '[{text: hello}]'
spec:
  restartPolicy: Never
  containers:
  - {name: a, image: a, readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 2, failureThreshold: 2}}
",
    );
    let is_ready =
        |cluster: &Cluster| condition(&cluster.get(tables::PODS, "a"), "Ready").is_some_and(|it| it.is_true());
    cluster.until("the start", is_ready);
    cluster.until("the failing probe", |cluster| !is_ready(cluster));
    assert!(
        cluster
            .told()
            .iter()
            .any(|said| said.ends_with("Readiness probe failed: HTTP probe failed with statuscode: 503"))
    );
    cluster.until("the end", |cluster| status(cluster)["phase"] == "Failed");
    let ended = &status(&cluster)["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&137.into(), &"OOMKilled".into()));
}

#[test]
fn a_wrong_password_crashes_what_needs_it() {
    let mut cluster = Cluster::playing(
        "rules: [{match: {image: 'api:*'}, behaviour: {needs: [{variable: PASSWORD, secret: database, key: password, \
         without: crash, log: password authentication failed, code: 2}]}}]",
    );
    cluster.apply("{apiVersion: v1, kind: Secret, metadata: {name: database}, data: {password: cmlnaHQ=}}");
    cluster.apply(&pod(
        "restartPolicy: Always, containers: [{name: a, image: 'api:1', terminationMessagePolicy: FallbackToLogsOnError, \
         env: [{name: PASSWORD, value: wrong}]}]",
    ));
    cluster.until("the crash", |cluster| waiting(cluster).starts_with("CrashLoopBackOff"));
    let last = &status(&cluster)["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["message"]), (&2.into(), &"password authentication failed\n".into()));
    cluster.delete(tables::PODS, "default", "a", &DeleteOptions::default());
    cluster.until("its end", |cluster| status(cluster).is_null());
    cluster.apply(&pod(
        "restartPolicy: Always, containers: [{name: a, image: 'api:1', env: [{name: PASSWORD, value: right}]}]",
    ));
    cluster.until("the start", |cluster| {
        condition(&cluster.get(tables::PODS, "a"), "Ready").is_some_and(|it| it.is_true())
    });
}

#[test]
fn a_deleted_pod_stops_and_goes() {
    let mut cluster = Cluster::new();
    cluster.apply(&pod("restartPolicy: Always, containers: [{name: a, image: a}]"));
    cluster.until("the start", |cluster| status(cluster)["phase"] == "Running");
    cluster.delete(tables::PODS, "default", "a", &DeleteOptions::default());
    cluster.until("the end", |cluster| status(cluster).is_null());
    assert!(cluster.told().contains(&"Pod Killing: Stopping container a".to_owned()));
}

#[test]
fn the_sandbox_goes_on_where_it_was_stopped() {
    let api = Api::new(Clock::fast());
    let mut before = Cluster::on(api.clone(), Settings::default());
    before.apply(&pod(
        "restartPolicy: Always, containers: [{name: a, image: a}, {name: b, image: a, command: ['false']}]",
    ));
    before.until("the crash", |cluster| {
        count(&status(cluster), "/containerStatuses/1/restartCount") == 2 && status(cluster)["phase"] == "Running"
    });
    let uid = before.get(tables::PODS, "a")["metadata"]["uid"].clone();
    let started = status(&before)["containerStatuses"][0]["state"].clone();
    drop(before);
    let mut after = Cluster::on(api, Settings::default());
    after.until("the next crash", |cluster| count(&status(cluster), "/containerStatuses/1/restartCount") == 3);
    assert_eq!(after.get(tables::PODS, "a")["metadata"]["uid"], uid);
    assert_eq!(status(&after)["containerStatuses"][0]["state"], started);
}

#[tokio::test]
async fn logs_are_read_and_refused_as_the_real_ones() {
    let mut cluster = Cluster::new();
    cluster.apply(&pod(
        "restartPolicy: Always, containers: [{name: a, image: a, command: [sh, -c, 'echo one; echo two; exit 1']}, {name: b, image: nope}]",
    ));
    cluster.until("the crash", |cluster| waiting(cluster).starts_with("CrashLoopBackOff"));
    let pod = cluster.get(tables::PODS, "a");
    let options = |text: &str| LogOptions::from_query(text.split('&').filter_map(|pair| pair.split_once('=')));
    for (query, refused) in [
        ("", "a container name must be specified for pod a, choose one of: [a b]"),
        ("container=c", "container c is not valid for pod a"),
        ("container=b", "container \"b\" in pod \"a\" is waiting to start: "),
        ("container=b&previous=true", "previous terminated container \"b\" in pod \"a\" not found"),
        ("container=a&tailLines=-1", "PodLogOptions \"a\" is invalid: tailLines: Invalid value: -1: must be greater"),
    ] {
        let problem = cluster.logs.open(&pod, &options(query)).unwrap_err();
        assert!(problem.message.starts_with(refused), "{query}: {}", problem.message);
    }
    for (query, expected) in [
        ("container=a", "one\ntwo\n"),
        ("container=a&tailLines=1&follow=true", "two\n"),
        ("container=a&limitBytes=2&previous=1", "on"),
    ] {
        let mut reader = cluster.logs.open(&pod, &options(query)).unwrap();
        let mut read = Vec::new();
        while let Some(piece) = reader.next().await {
            read.extend_from_slice(&piece);
        }
        assert_eq!(String::from_utf8(read).unwrap(), expected, "{query}");
    }
}
