//! Bad input: nothing is sent, and the error names the place.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Evolve, TestCluster};

fn config_map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}})
}

#[tokio::test]
async fn a_broken_file_is_named_with_its_line() {
    let evolve = Evolve::without_cluster();
    evolve.file("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [settings\n");
    evolve.run(&["deploy", "-f", "broken.yaml", "--app", "shop"]).await.failed(2, &["broken.yaml:4"]);
    evolve.file("cut.json", "{\"apiVersion\": \"v1\",\n\"kind\": ");
    evolve.run(&["deploy", "-f", "cut.json", "--app", "shop"]).await.failed(2, &["cut.json:"]);
    evolve.file("text.yaml", "apiVersion: v1\nkind: ConfigMap\n---\nhello\n");
    evolve.run(&["deploy", "-f", "text.yaml", "--app", "shop"]).await.failed(2, &["text.yaml:"]);
}

#[tokio::test]
async fn an_empty_set_is_refused() {
    let evolve = Evolve::without_cluster();
    evolve.run(&["deploy", "--app", "shop"]).await.failed(2, &["nothing to deploy"]).with_hint();
    evolve.file("comments.yaml", "# nothing yet\n---\n# nor here\n");
    evolve.run(&["deploy", "-f", "comments.yaml", "--app", "shop"]).await.failed(2, &["comments.yaml"]);
    std::fs::create_dir(evolve.folder().join("empty")).unwrap();
    evolve.run(&["deploy", "-f", "empty", "--app", "shop"]).await.failed(2, &["empty"]);
    evolve.run(&["deploy", "-f", "missing.yaml", "--app", "shop"]).await.failed(2, &["missing.yaml"]);
}

#[tokio::test]
async fn a_folder_of_10000_files_is_checked_and_the_broken_one_is_named() {
    let evolve = Evolve::without_cluster();
    for number in 0..10_000 {
        let mut object = config_map(&format!("settings-{number}"), "value");
        if number == 7_000 {
            object["datum"] = json!({});
        }
        evolve.file(&format!("many/{number:05}.json"), &object.to_string());
    }
    let ended = evolve.run(&["check", "--offline", "-f", "many", "-o", "json"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!((&report["objects"], findings.len()), (&json!(10_000), 1), "{findings:?}");
    assert!(findings[0].to_string().contains("07000.json"), "{findings:?}");
}

#[tokio::test]
async fn a_config_map_of_5_mb_is_refused_and_named() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("large").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("large.yaml", &config_map("large", &"x".repeat(5_000_000)).to_string());
    let ended = evolve.run(&["deploy", "-f", "large.yaml", "-n", &namespace.name, "--app", "shop"]).await;
    ended.failed(2, &["large.yaml", "configmap/large", "4883 KiB"]);
    assert!(ended.stdout.len() < 2000, "the report quotes the object");
    assert_eq!(namespace.names("/api/v1", "configmaps").await, ["kube-root-ca.crt"]);
}

#[tokio::test]
async fn a_secret_in_plain_text_is_never_repeated() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("plain").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let secrets = ["hunter-2", "hunter-3"];
    // In base64 as well, because that is how `data` shows a value.
    let unsaid = ["hunter", "aHVudGVy"];
    for (number, secret) in secrets.iter().enumerate() {
        let object =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": secret}});
        evolve.file("secret.yaml", &object.to_string());
        let target = ["-f", "secret.yaml", "-n", &namespace.name, "--app", "shop"];
        let commands: [&[&str]; 5] = [
            &["check"],
            &["diff"],
            &["diff", "-o", "json"],
            &["plan", "--out", "plan.json"],
            &["deploy", "-v", "-o", "json"],
        ];
        for command in commands {
            let arguments = [command, &target].concat();
            let ended = evolve.run(&arguments).await;
            unsaid.iter().for_each(|secret| _ = ended.never_says(secret));
            if command[0] == "deploy" {
                ended.succeeded();
            }
            if number == 1 && command == ["diff"] {
                assert!(ended.stdout.contains("secret/keys"), "a change is shown as a change\n{ended}");
            }
        }
        let plan = std::fs::read_to_string(evolve.folder().join("plan.json")).unwrap();
        assert!(unsaid.iter().all(|secret| !plan.contains(secret)), "the plan holds the value: {plan}");
    }
    // One that the server refuses, and quotes when it does.
    let object =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"key": "hunter?"}});
    evolve.file("secret.yaml", &object.to_string());
    let ended = evolve.run(&["deploy", "-f", "secret.yaml", "-n", &namespace.name, "--app", "shop"]).await;
    assert!(matches!(ended.code, Some(1 | 2)), "{ended}");
    ended.never_says("hunter");
}

/// A server of one page over HTTPS, whose certificate is signed by an authority that is written to `authority`.
async fn https(page: String, authority: &Path) -> String {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![own.der().clone()], private).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("https://localhost:{port}/app.yaml?token=hunter2")
}

#[tokio::test]
async fn manifests_come_over_https_from_a_server_that_is_trusted() {
    let evolve = Evolve::without_cluster();
    let authority = evolve.home().join("authority.pem");
    let url = https(config_map("settings", "value").to_string(), &authority).await;
    let check = ["check", "-f", &url, "--offline"];
    evolve.run(&check).await.failed(3, &["/app.yaml did not answer", "certificate"]).never_says("hunter2");
    let evolve = evolve.variable("SSL_CERT_FILE", authority.to_str().unwrap());
    evolve.run(&check).await.succeeded().never_says("hunter2");
}
