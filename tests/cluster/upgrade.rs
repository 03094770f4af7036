//! Commands in containers and connections to ports, over websockets.

use std::{sync::Arc, time::Duration};

use kubectl_evolve::cluster::{Cluster, ExecRequest, Execution};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Namespace, TestCluster, wait_until};

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "echo"}, "spec": {
    "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "busybox:1.36",
    "command": ["nc", "-ll", "-p", "9000", "-e", "cat"]}]}}"#;

async fn echo(namespace: &Namespace) -> Arc<Cluster> {
    let pods = format!("/api/v1/namespaces/{}/pods", namespace.name);
    namespace.send("POST", &pods, "application/json", POD.into()).await;
    wait_until("the pod to run", Duration::from_secs(60), async || {
        let pods: Vec<Value> = namespace.list("/api/v1", "pods").await;
        pods.iter().any(|pod| pod["status"]["containerStatuses"][0]["ready"] == true).then_some(())
    })
    .await;
    namespace.ctx().cluster().await.unwrap()
}

fn command(words: &[&str]) -> ExecRequest {
    ExecRequest { command: words.iter().map(ToString::to_string).collect(), ..ExecRequest::default() }
}

async fn outputs(execution: &mut Execution) -> (String, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let (first, second) =
        tokio::join!(execution.stdout.read_to_string(&mut stdout), execution.stderr.read_to_string(&mut stderr));
    first.unwrap();
    second.unwrap();
    (stdout, stderr)
}

/// Bytes of every value, in no order that a terminal or a line could keep.
fn ten_megabytes() -> Vec<u8> {
    (0..10_u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test]
async fn a_command_has_its_outputs_apart_and_its_exit_code() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("upgrade").await;
    let client = echo(&namespace).await;
    let run = async |words: &[&str]| client.exec(&namespace.name, "echo", &command(words)).await;
    let mut ended = run(&["sh", "-c", "echo out; echo err >&2; exit 42"]).await.unwrap();
    assert_eq!(outputs(&mut ended).await, ("out\n".into(), "err\n".into()));
    assert_eq!(ended.status().await.unwrap(), 42);
    let mut ended = run(&["no-such-command"]).await.unwrap();
    outputs(&mut ended).await;
    let error = ended.status().await.unwrap_err();
    assert!(error.message().contains("no-such-command"), "{error}");
}

#[tokio::test]
async fn ten_megabytes_go_through_a_command_unharmed_and_end() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("upgrade").await;
    let client = echo(&namespace).await;
    let request = ExecRequest { stdin: true, ..command(&["cat"]) };
    let mut execution = client.exec(&namespace.name, "echo", &request).await.unwrap();
    let (sent, mut received) = (ten_megabytes(), Vec::new());
    let mut stdin = execution.stdin.take().unwrap();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let (_, read) = tokio::join!(write, execution.stdout.read_to_end(&mut received));
    read.unwrap();
    assert_eq!(execution.status().await.unwrap(), 0);
    assert!(sent == received, "{} bytes of {}", received.len(), sent.len());
}

#[tokio::test]
async fn a_refused_command_is_told_in_the_words_of_the_server() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("upgrade").await;
    let client = namespace.ctx().cluster().await.unwrap();
    let error = client.exec(&namespace.name, "none", &command(&["true"])).await.err().unwrap();
    assert!(matches!(error.code(), 400 | 404), "{error}");
    if TestCluster::real().await.is_none() {
        return;
    }
    assert!(error.message().contains(r#"pods "none" not found"#), "{error}");
    let client = echo(&namespace).await;
    let request = ExecRequest { container: Some("none".into()), ..command(&["true"]) };
    let error = client.exec(&namespace.name, "echo", &request).await.err().unwrap();
    assert!(error.message().contains("container none"), "{error}");
}

#[tokio::test]
async fn ten_megabytes_go_through_a_forwarded_port_and_back() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("upgrade").await;
    let client = echo(&namespace).await;
    let connection = client.port_forward(&namespace.name, "echo", 9000).await.unwrap();
    let (mut read, mut write) = tokio::io::split(connection);
    let sent = ten_megabytes();
    let mut received = vec![0; sent.len()];
    let (written, all) = tokio::join!(write.write_all(&sent), read.read_exact(&mut received));
    written.unwrap();
    all.unwrap();
    assert!(sent == received);
    let mut refused = client.port_forward(&namespace.name, "echo", 9).await.unwrap();
    let error = refused.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
