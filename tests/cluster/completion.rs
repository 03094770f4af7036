//! Completion on real parts: kubectl asks us, we ask the cluster, and nobody waits for one that is silent.

use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::support::{Evolve, TestCluster, kubeconfig};

/// The cluster's time to answer, and some for a slow machine.
const SILENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn kubectl_completes_flags_and_names_from_the_cluster() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("completion").await;
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-evolve");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-evolve"), &plugin).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let run = async |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", &path).env("KUBECONFIG", &cluster.kubeconfig).current_dir(folder.path());
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let installed = run("kubectl-evolve", &["completion", "install"]).await;
    assert!(installed.contains("kubectl_complete-evolve, which leads to kubectl-evolve"), "{installed}");
    let flags = run("kubectl", &["__complete", "evolve", "config", "show", "--n"]).await;
    assert!(flags.starts_with("--namespace\t") && flags.ends_with(":4\n"), "{flags}");
    let names = run("kubectl", &["__complete", "evolve", "version", "-n", &namespace.name[..20]]).await;
    assert!(names.lines().any(|line| line == namespace.name), "{names}");
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: prices}}";
    std::fs::write(folder.path().join("shop.yaml"), manifest).unwrap();
    run("kubectl", &["evolve", "deploy", "-f", "shop.yaml", "--app", "shop", "-n", &namespace.name]).await;
    let complete = async |words: &[&str]| {
        let words = [&["__complete", "evolve", "history", "show", "-n", &namespace.name], words].concat();
        run("kubectl", &words).await
    };
    assert_eq!(complete(&["--app", ""]).await, "shop\n:4\n");
    let revisions = complete(&["--app", "shop", ""]).await;
    assert!(revisions.starts_with("1\tdeployed: deploy by ") && revisions.ends_with("\n:4\n"), "{revisions}");
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_not_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ['60'], \
                  interactiveMode: Never}}";
    for user in ["{}", plugin] {
        let evolve = Evolve::without_cluster();
        let silent = evolve.file("silent.kubeconfig", &kubeconfig(&server, user));
        let begin = Instant::now();
        let ended = evolve.with_kubeconfig(&silent).run(&["__complete", "version", "-n", ""]).await;
        assert_eq!((ended.succeeded().stdout.as_str(), ended.stderr.as_str()), (":4\n", ""));
        assert!(begin.elapsed() < SILENCE, "{:?}", begin.elapsed());
    }
}
