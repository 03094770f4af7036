use kubectl_evolve::sandbox::pods::Scenario;

use crate::support::{Cluster, has_kubectl, text};

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_rolls_out_scales_waits_reads_logs_and_deletes() {
    if !has_kubectl() {
        return;
    }
    let scenario = "rules: [{match: {image: 'busybox:*'}, behaviour: {logs: [{text: hello from the pod}]}}]";
    let cluster = Cluster::start(serde_saphyr::from_str::<Scenario>(scenario).unwrap()).await;
    cluster.kubectl("apply --server-side -f examples/hello.yaml");
    let told = cluster.kubectl("-n hello rollout status deployment/hello --timeout=60s");
    assert!(told.contains("deployment \"hello\" successfully rolled out"), "{told}");
    cluster.kubectl("-n hello scale deployment/hello --replicas=3");
    cluster.kubectl("-n hello wait --for=jsonpath={.status.readyReplicas}=3 deployment/hello --timeout=60s");
    let pods = cluster.kubectl("-n hello get pods --no-headers");
    assert_eq!(pods.lines().filter(|line| line.contains("1/1") && line.contains("Running")).count(), 3, "{pods}");
    let logs = cluster.kubectl("-n hello logs deployment/hello");
    assert!(logs.contains("hello from the pod\n"), "{logs}");
    let slices = cluster.kubectl("-n hello get endpointslices -o jsonpath={.items[*].endpoints[*].conditions.ready}");
    assert_eq!(slices, "true true true");
    cluster.kubectl("delete namespace hello --timeout=60s");
    assert!(!cluster.kubectl("get namespaces").contains("hello"));
    cluster.sandbox.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_sees_a_bad_image_and_goes_back() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start(Scenario::default()).await;
    cluster.kubectl("apply --server-side -f examples/hello.yaml");
    cluster.kubectl("-n hello rollout status deployment/hello --timeout=60s");
    cluster.kubectl("-n hello set image deployment/hello hello=busybox:nope");
    cluster.kubectl("-n hello wait --for=condition=Progressing=False deployment/hello --timeout=60s");
    let late = cluster.run("kubectl", "-n hello rollout status deployment/hello --timeout=60s");
    assert!(text(&late).contains("exceeded its progress deadline"), "{}", text(&late));
    let events = cluster.kubectl("-n hello get events");
    assert!(events.contains("docker.io/library/busybox:nope: not found"), "{events}");
    cluster.kubectl("-n hello rollout undo deployment/hello");
    cluster.kubectl("-n hello rollout status deployment/hello --timeout=60s");
    cluster.sandbox.stop().await.unwrap();
}
