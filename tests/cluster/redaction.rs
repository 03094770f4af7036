//! The values of Secrets that a deploy does not carry itself stay out of what it shows and keeps.

use super::support::{Evolve, TestCluster};

const VALUE: &str = "tulip-meadow-91";

/// A Secret, and a Deployment that says its value and ends.
fn manifests() -> (String, String) {
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{key: {VALUE}, user: talker}}\n");
    let talker = "apiVersion: apps/v1
kind: Deployment
metadata: {name: talker}
spec:
  selector: {matchLabels: {app: talker}}
  template:
    metadata: {labels: {app: talker}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: busybox:1.36
          command: [sh, -c, 'echo I hold $KEY in my hand; echo $KEY > /dev/termination-log; exit 3']
          env: [{name: KEY, valueFrom: {secretKeyRef: {name: keys, key: key}}}]
";
    (secret, talker.into())
}

#[tokio::test]
async fn a_part_does_not_show_the_values_of_secrets_that_only_the_cluster_has() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("redaction").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let (secret, talker) = manifests();
    evolve.file("secret.yaml", &secret);
    evolve.file("talker.yaml", &talker);
    let here = ["-n", &namespace.name, "--app", "shop", "-v"];
    let run = async |words: &[&str]| evolve.run(&[words, &here].concat()).await;
    run(&["deploy", "-f", "secret.yaml"]).await.succeeded();
    let impatient = ["--restart-budget=0", "--grace=5s", "--on-failure=keep"];
    let ended = run(&[&["deploy", "-f", "talker.yaml"][..], &impatient].concat()).await;
    ended.reported(&["I hold *** in my hand", "exit code 3", "pod talker-"]).never_says(VALUE);
    run(&["evidence"]).await.succeeded().never_says(VALUE);
    let ended = run(&["restart", "talker", "--restart-budget=0", "--grace=5s"]).await;
    ended.reported(&["I hold *** in my hand"]).never_says(VALUE);
}
