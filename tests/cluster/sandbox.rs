//! The commands that bring a cluster along.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Evolve, wait_until};

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";

#[tokio::test]
async fn the_demo_goes_as_it_says() {
    let evolve = Evolve::without_cluster();
    let demo = evolve.run(&["demo", "--fast", "--context", "elsewhere"]).await;
    demo.succeeded();
    for words in [
        "todo is deployed and healthy as revision 1",
        "todo in namespace todo is healthy",
        "the image todo-frontend:2 cannot be had",
        "was rolled back to revision 1",
        r#"password authentication failed for user \"todo\""#,
        "was rolled back to revision 3",
        "pods are simulated",
    ] {
        assert!(demo.stdout.contains(words), "{words}\n{demo}");
    }
    let json = evolve.run(&["demo", "--fast", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&json.succeeded().stdout).unwrap();
    assert_eq!((&report["kind"], &report["acts"][2]["outcome"]), (&json!("Demo"), &json!("rolled-back")));
}

#[tokio::test]
async fn a_command_has_a_sandbox_for_its_life() {
    let evolve = Evolve::without_cluster();
    evolve.file("app.yaml", CONFIG);
    let deploy = ["deploy", "-f", "app.yaml", "--app", "shop", "--sandbox"];
    let deployed = evolve.run(&deploy).await;
    deployed.succeeded();
    assert!(deployed.stderr.contains("this is a sandbox: its pods are simulated"), "{deployed}");
    let again = evolve.run(&deploy).await;
    assert!(again.succeeded().stderr.contains("configmap/settings created"), "nothing is left of the first: {again}");
    let program = env!("CARGO_BIN_EXE_kubectl-evolve");
    let beside = evolve.run(&["sandbox", "--", program, "deploy", "-f", "app.yaml", "--app", "shop"]).await;
    assert!(beside.succeeded().stdout.contains("is deployed and healthy"), "{beside}");
    let failed = evolve.run(&["sandbox", "--", program, "history", "--app", "shop"]).await;
    assert_eq!(failed.code, Some(2), "the command's exit code is ours: {failed}");
}

#[tokio::test]
async fn a_named_sandbox_outlives_a_kill_and_is_shared_while_it_runs() {
    let evolve = Evolve::without_cluster();
    evolve.file("app.yaml", CONFIG);
    let named = "--sandbox=lesson";
    evolve.run(&["deploy", "-f", "app.yaml", "--app", "shop", named]).await.succeeded();
    let state = evolve.home().join(".local/state/kubectl-evolve/sandboxes/lesson");
    let served = evolve.run_until(&["sandbox", "--name", "lesson"], async {
        wait_until("the sandbox's kubeconfig", Duration::from_secs(30), async || {
            state.join("kubeconfig").exists().then_some(())
        })
        .await;
        evolve.file("app.yaml", &CONFIG.replace("red", "blue"));
        let joined = evolve.run(&["deploy", "-f", "app.yaml", "--app", "shop", named]).await;
        assert!(joined.succeeded().stdout.contains("as revision 2"), "{joined}");
        evolve.run(&["sandbox", "delete", "lesson"]).await.failed(1, &["is running"]);
    });
    assert!(served.await.is_none(), "it ran until it was killed");
    let history = evolve.run(&["history", "--app", "shop", "-o", "json", named]).await;
    let history: Value = serde_json::from_str(&history.succeeded().stdout).unwrap();
    assert_eq!(history["revisions"].as_array().map(Vec::len), Some(2), "{history}");
    evolve.run(&["sandbox", "delete", "lesson"]).await.succeeded();
    assert!(!state.exists());
}

#[tokio::test]
async fn wrong_wishes_are_told() {
    let evolve = Evolve::without_cluster();
    evolve.file("kubeconfig", "apiVersion: v1\n");
    evolve.run(&["sandbox", "--write", "kubeconfig"]).await.failed(2, &["no sandbox wrote it"]).with_hint();
    evolve.file("rules.yaml", "rules:\n- behaviour: {stratup: 1s}\n");
    evolve.run(&["sandbox", "--scenario", "rules.yaml"]).await.failed(2, &["rules.yaml", "stratup"]);
    evolve.file("faults.yaml", "- {path: '*/configmaps/*', effect: {status: {code: 500}}}\n");
    let program = env!("CARGO_BIN_EXE_kubectl-evolve");
    evolve.file("app.yaml", CONFIG);
    let faulty = ["sandbox", "--faults", "faults.yaml", "--", program, "deploy", "-f", "app.yaml", "--app", "shop"];
    evolve.run(&faulty).await.failed(1, &["configmaps/settings", "the server answered 500"]);
    evolve.run(&["sandbox", "--name", "../x"]).await.failed(2, &["cannot be a sandbox's name"]).with_hint();
    evolve.run(&["sandbox", "--", "no-such-program"]).await.failed(2, &["no-such-program cannot be run"]);
}
