//! Kubeconfigs that cannot be used: nothing is sent, and nothing of what they hold is shown.

use super::support::{Ended, Evolve, kubeconfig};

const SERVER: &str = "https://127.0.0.1:1";
const SECRET: &str = "s3cr3t-t0ken";

/// Runs a command with a kubeconfig of this text.
async fn with(text: &str) -> Ended {
    let evolve = Evolve::without_cluster();
    let file = evolve.file("kubeconfig", text);
    evolve.with_kubeconfig(&file).run(&["version"]).await
}

fn plugin(command: &str, arguments: &str) -> String {
    let variable = format!("env: [{{name: TOKEN, value: {SECRET}}}]");
    let api = "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never";
    let user = format!("{{exec: {{{api}, command: {command}, args: {arguments}, installHint: see docs, {variable}}}}}");
    kubeconfig(SERVER, &user)
}

#[tokio::test]
async fn a_missing_certificate_is_named() {
    let user = format!("{{client-certificate: gone/me.crt, client-key-data: {SECRET}}}");
    with(&kubeconfig(SERVER, &user)).await.failed(2, &["gone/me.crt"]).never_says(SECRET);
    let text =
        kubeconfig(SERVER, "{}").replace("cluster: {server", "cluster: {certificate-authority: gone/ca.crt, server");
    with(&text).await.failed(2, &["gone/ca.crt"]);
}

#[tokio::test]
async fn a_context_or_a_file_that_is_not_there_is_named() {
    with(&kubeconfig(SERVER, "{}").replace("current-context: test", "current-context: gone"))
        .await
        .failed(2, &["gone"]);
    let evolve = Evolve::without_cluster();
    evolve.run(&["version", "--kubeconfig", "no-such-file"]).await.failed(2, &["no-such-file"]);
}

#[tokio::test]
async fn a_broken_file_is_not_quoted() {
    let text = kubeconfig(SERVER, &format!("{{token: {SECRET}")) + "]";
    with(&text).await.failed(2, &["kubeconfig", "line"]).never_says(SECRET);
}

#[tokio::test]
async fn a_plugin_that_fails_is_quoted_from_stderr_only() {
    let failing = format!("[-c, 'echo {SECRET}; echo log in first >&2; exit 7']");
    with(&plugin("sh", &failing)).await.failed(3, &["sh", "log in first", "7"]).never_says(SECRET);
    with(&plugin("sh", &format!("[-c, 'echo {SECRET}']"))).await.failed(3, &["ExecCredential"]).never_says(SECRET);
}

#[tokio::test]
async fn a_plugin_that_is_missing_comes_with_its_install_hint() {
    with(&plugin("no-such-plugin", "[]")).await.failed(3, &["no-such-plugin", "see docs"]).never_says(SECRET);
}
