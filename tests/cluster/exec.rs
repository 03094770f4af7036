//! Commands in containers, on a real node.

use std::{process::Stdio, time::Duration};

use tokio::io::AsyncWriteExt;

use super::support::{Evolve, Namespace, TestCluster};

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: box, annotations: {kubectl.kubernetes.io/default-container: main}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: side, image: 'busybox:1.36', command: [sleep, '1000000']}
  - {name: main, image: 'busybox:1.36', command: [sleep, '1000000'], env: [{name: WHO, value: main}]}
";

async fn pod() -> Option<(Namespace, Evolve)> {
    let cluster = TestCluster::real().await?;
    let namespace = cluster.namespace("exec").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("pod.yaml", POD);
    evolve.run(&["deploy", "-f", "pod.yaml", "-n", &namespace.name, "--app", "box"]).await.succeeded();
    Some((namespace, evolve))
}

#[tokio::test]
async fn a_command_ends_with_its_own_exit_code_and_its_streams_apart() {
    let Some((namespace, evolve)) = pod().await else { return };
    let exec = async |words: &[&str]| evolve.run(&[&["exec", "box", "-n", &namespace.name], words].concat()).await;
    let ended = exec(&["--", "sh", "-c", "echo $WHO; echo err >&2; exit 42"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(42), "main\n", "err\n"));
    let ended = exec(&["-c", "side", "--", "sh", "-c", "echo \"$WHO\""]).await;
    assert_eq!(ended.succeeded().stdout, "\n");
    exec(&["-c", "none", "--", "true"]).await.failed(2, &["has no container none", "main"]).with_hint();
    exec(&["--", "no-such-command"]).await.failed(1, &["no-such-command"]);
    evolve.run(&["exec", "bx", "-n", &namespace.name, "--", "true"]).await.failed(2, &["bx"]).with_hint();
}

#[tokio::test]
async fn an_input_is_handed_on_byte_by_byte_with_its_end() {
    let Some((namespace, evolve)) = pod().await else { return };
    let sent: Vec<u8> = (0..10_u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut command = evolve.command(&["exec", "pod/box", "-i", "-n", &namespace.name, "--", "cat"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let ((), output) = tokio::join!(feeding, child.wait_with_output());
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == sent, "{} bytes of {}", output.stdout.len(), sent.len());
}

#[tokio::test]
async fn the_documented_permissions_for_commands_are_enough() {
    let Some((namespace, evolve)) = pod().await else { return };
    let user = super::forward::allow(&evolve, &namespace, include_str!("../../docs/exec.md")).await;
    let exec = ["exec", "pod/box", "-n", &namespace.name, "--as", &user, "--", "echo", "allowed"];
    assert_eq!(evolve.run(&exec).await.succeeded().stdout, "allowed\n");
    let exec = ["exec", "pod/box", "-n", &namespace.name, "--as", "nobody", "--", "true"];
    evolve.run(&exec).await.failed(1, &["nobody"]).with_hint();
}

#[tokio::test]
async fn a_sandbox_says_that_it_runs_no_commands() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("exec").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let ended = evolve.run(&["exec", "pod/none", "-n", &namespace.name, "--", "true"]).await;
    ended.failed(2, &["there is no Pod none"]).with_hint();
    if TestCluster::real().await.is_some() {
        return;
    }
    evolve.file("pod.yaml", POD);
    evolve.run(&["deploy", "-f", "pod.yaml", "-n", &namespace.name, "--app", "box"]).await.succeeded();
    let exec = ["exec", "box", "-n", &namespace.name, "--", "true"];
    let ended = tokio::time::timeout(Duration::from_secs(60), evolve.run(&exec)).await.unwrap();
    ended.failed(1, &["running true in pod/box"]);
}
