//! Ports that lead to pods, on a real node.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Child,
};

use super::support::{Evolve, Namespace, TestCluster, wait_until};

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: 'busybox:1.36'
        command: [sh, -c, 'mkdir /www; hostname > /www/index.html; httpd -f -p 8080 -h /www']
        ports: [{name: web, containerPort: 8080}]
        readinessProbe: {httpGet: {port: web}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 18081, targetPort: web}]}
";

/// Gives a user the role in a page, and returns the user's name.
pub async fn allow(evolve: &Evolve, namespace: &Namespace, page: &str) -> String {
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (role, _) = rest.split_once("```").unwrap();
    let user = format!("operator-{}", namespace.name);
    let binding = format!(
        "{role}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: operator}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}}\n\
         subjects: [{{kind: User, name: {user}, apiGroup: rbac.authorization.k8s.io}}]\n"
    );
    evolve.file("role.yaml", &binding);
    evolve.run(&["deploy", "-f", "role.yaml", "-n", &namespace.name, "--app", "rbac"]).await.succeeded();
    user
}

async fn web() -> Option<(Namespace, Evolve)> {
    let cluster = TestCluster::real().await?;
    let namespace = cluster.namespace("forward").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("web.yaml", WEB);
    evolve.run(&["deploy", "-f", "web.yaml", "-n", &namespace.name, "--app", "web"]).await.succeeded();
    Some((namespace, evolve))
}

/// Starts a forward, and returns it with the address that it prints.
async fn start(evolve: &Evolve, arguments: &[&str]) -> (Child, String) {
    let mut child = evolve.command(arguments).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    tokio::time::timeout(Duration::from_secs(30), stdout.read_line(&mut line)).await.unwrap().unwrap();
    (child, line.trim().trim_start_matches("http://").to_owned())
}

/// The body of what a web server answers.
async fn get(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned())
}

#[tokio::test]
async fn a_forwarded_port_follows_the_pod_that_is_replaced() {
    let Some((namespace, evolve)) = web().await else { return };
    for target in ["web", "service/web", "deployment/web"] {
        let word = if target == "deployment/web" { ":web" } else { ":http" };
        let (_child, address) = start(&evolve, &["forward", target, word, "-n", &namespace.name]).await;
        let first = get(&address).await.unwrap();
        assert_eq!(namespace.names("/api/v1", "pods").await, [first.as_str()]);
        namespace.delete("/api/v1", "pods", &first).await;
        let answered = wait_until("another pod to answer", Duration::from_secs(60), async || {
            get(&address).await.filter(|body| *body != first)
        });
        assert!(answered.await.starts_with("web-"));
    }
}

#[tokio::test]
async fn a_command_runs_while_a_port_is_forwarded_and_its_code_is_passed_on() {
    let Some((namespace, evolve)) = web().await else { return };
    let words = ["forward", "web", ":http", "-n", &namespace.name, "--", "sh", "-c", "echo $EVOLVE_URL; exit 7"];
    let ended = evolve.run(&words).await;
    assert_eq!(ended.code, Some(7), "{ended}");
    assert!(ended.stdout.starts_with("http://127.0.0.1:"), "{ended}");
}

#[tokio::test]
async fn the_documented_permissions_for_ports_are_enough() {
    let Some((namespace, evolve)) = web().await else { return };
    let user = allow(&evolve, &namespace, include_str!("../../docs/forward.md")).await;
    let (_child, address) = start(&evolve, &["forward", "web", ":http", "-n", &namespace.name, "--as", &user]).await;
    assert!(get(&address).await.unwrap().starts_with("web-"));
}

#[tokio::test]
async fn a_port_that_is_taken_or_not_there_says_what_to_do() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("forward").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("web.yaml", WEB);
    let deploy = ["deploy", "-f", "web.yaml", "-n", &namespace.name, "--app", "web", "--wait=false"];
    evolve.run(&deploy).await.succeeded();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let word = format!("{}:http", taken.local_addr().unwrap().port());
    let forward = async |words: &[&str]| evolve.run(&[&["forward", "-n", &namespace.name], words].concat()).await;
    forward(&["web", &word]).await.failed(2, &["is in use"]).with_hint();
    forward(&["web", "admin"]).await.failed(2, &["service/web has no port admin", "http (18081)"]);
    forward(&["web", "80:80:80"]).await.failed(2, &["is no port"]).with_hint();
    forward(&["wbe"]).await.failed(2, &["there is no Service wbe"]).with_hint();
}
