//! Alerts of `watch`: each told once, whatever becomes of the process and of those who are told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::support::{Evolve, Namespace, TestCluster, wait_until};

const DEADLINE: Duration = Duration::from_secs(60);
/// Never ready: the probe asks a port where nothing listens.
const BROKEN: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}, annotations: {sandbox.evolve/readiness: '[{ok: false}]'}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - {name: main, image: 'busybox:1.36', command: [sleep, '1000000'], readinessProbe: {tcpSocket: {port: 81}}}
";
const RULES: &str = "name: shop
watch:
  rules: [{rule: notReady, during: 3s, severity: error}]
  webhooks: [{urlEnv: HOOK}, {urlEnv: SLACK, format: slack}]
";

/// Who is told, and what they were told.
struct Hook {
    url: String,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    /// By path: the key of each notice, with its body.
    notices: Mutex<Vec<(String, String, Value)>>,
    /// Answers that it cannot now.
    down: AtomicBool,
    came: Notify,
}

impl Hook {
    async fn start() -> Self {
        let told = Arc::new(Told::default());
        let take = |path: &'static str| {
            post(async move |State(told): State<Arc<Told>>, headers: axum::http::HeaderMap, body: String| {
                if told.down.load(Ordering::Relaxed) {
                    return StatusCode::SERVICE_UNAVAILABLE;
                }
                let key = headers["idempotency-key"].to_str().unwrap().to_owned();
                let body = serde_json::from_str(&body).unwrap();
                told.notices.lock().unwrap().push((path.to_owned(), key, body));
                told.came.notify_one();
                StatusCode::OK
            })
        };
        let routes = Router::new().route("/hook", take("/hook")).route("/slack", take("/slack"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::clone(&told);
        tokio::spawn(async { axum::serve(listener, routes.with_state(state)).await });
        Self { url, told }
    }

    fn evolve(&self, cluster: &TestCluster, rules: &str) -> Evolve {
        let evolve = Evolve::new(&cluster.kubeconfig)
            .variable("HOOK", &format!("{}/hook", self.url))
            .variable("SLACK", &format!("{}/slack", self.url));
        evolve.file("evolve.yaml", rules);
        evolve
    }

    /// How often each notice came to a path.
    fn counts(&self, path: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, key, _) in self.told.notices.lock().unwrap().iter().filter(|(to, ..)| to == path) {
            *counts.entry(key.clone()).or_default() += 1;
        }
        counts
    }
}

async fn broken(namespace: &Namespace) {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments?fieldManager=test", namespace.name);
    namespace.send("POST", &path, "application/yaml", BROKEN.as_bytes().to_vec()).await;
}

async fn mended(namespace: &Namespace) {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/api", namespace.name);
    let patch = json!([
        {"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"},
        {"op": "remove", "path": "/spec/template/metadata/annotations"},
    ]);
    namespace.send("PATCH", &path, "application/json-patch+json", patch.to_string().into_bytes()).await;
}

#[tokio::test]
async fn an_alert_and_its_end_are_told_to_everyone_once() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("alerts").await;
    let hook = Hook::start().await;
    let evolve = hook.evolve(&cluster, RULES);
    broken(&namespace).await;
    let watch = ["watch", "-n", &namespace.name, "--once", "-o", "json"];
    // One who is told is away; the other hears of it all the same.
    hook.told.down.store(true, Ordering::Relaxed);
    let report = wait_until("the alert", DEADLINE, async || {
        let ended = evolve.run(&watch).await;
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        (ended.code == Some(1)).then_some((report, ended.stderr))
    })
    .await;
    assert_eq!(report.0["kind"], "WatchReport");
    assert_eq!(report.0["firing"][0]["rule"], "notReady");
    assert!(report.1.contains("a notice was not taken"), "{}", report.1);
    hook.told.down.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(evolve.run(&watch).await.code, Some(1));
    }
    mended(&namespace).await;
    wait_until("the end of the alert", DEADLINE, async || (evolve.run(&watch).await.code == Some(0)).then_some(()))
        .await;
    let told = evolve.run(&watch).await;
    assert!(told.succeeded().stdout.contains("\"firing\": []"), "{told}");
    for path in ["/hook", "/slack"] {
        let counts = hook.counts(path);
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [1, 1], "{path}: {counts:?}");
    }
    let notices = hook.told.notices.lock().unwrap();
    let (_, _, slack) = notices.iter().find(|(path, ..)| path == "/slack").unwrap();
    assert!(slack["text"].as_str().unwrap().starts_with("error: notReady of deployment.apps/api in"), "{slack}");
}

/// The worst moment: the receiver has taken the notice, and the process ends before it has noted that.
#[tokio::test]
async fn a_killed_watch_loses_no_alert_and_says_what_it_repeats() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("alerts-kill").await;
    let hook = Hook::start().await;
    let evolve = hook.evolve(&cluster, RULES);
    let watch = ["watch", "-n", &namespace.name, "--interval=200ms"];
    broken(&namespace).await;
    for _ in 0..2 {
        let came = async { hook.told.came.notified().await };
        assert!(tokio::time::timeout(DEADLINE, evolve.run_until(&watch, came)).await.unwrap().is_none());
    }
    mended(&namespace).await;
    let both = wait_until("both notices everywhere", DEADLINE, async || {
        (hook.counts("/hook").len() == 2 && hook.counts("/slack").len() == 2).then_some(())
    });
    evolve.run_until(&watch, both).await;
    // Whoever was told twice can tell by the key: there is one alert, with its begin and its end.
    assert_eq!(hook.counts("/hook").keys().collect::<Vec<_>>(), hook.counts("/slack").keys().collect::<Vec<_>>());
    assert!(hook.counts("/hook").values().all(|times| *times <= 3), "{:?}", hook.counts("/hook"));
}

#[tokio::test]
async fn errors_in_logs_are_counted_by_workload() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("alerts-logs").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("evolve.yaml", "name: shop\nwatch:\n  rules: [{rule: errorLogs, above: 1, during: 10m}]\n");
    let text = "level=error msg=boom";
    let chatty = BROKEN
        .replace("[sleep, '1000000']", &format!("[sh, -c, 'echo {text}; echo {text}; sleep 1000000']"))
        .replace("readiness: '[{ok: false}]'", &format!("logs: '[{{text: \"{text}\"}}, {{text: \"{text}\"}}]'"));
    let path = format!("/apis/apps/v1/namespaces/{}/deployments?fieldManager=test", namespace.name);
    namespace.send("POST", &path, "application/yaml", chatty.into_bytes()).await;
    let firing = wait_until("the alert", DEADLINE, async || {
        let ended = evolve.run(&["watch", "-n", &namespace.name, "--once", "-o", "json"]).await;
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["firing"].get(0).cloned()
    })
    .await;
    assert_eq!(firing["object"]["name"], "api");
    assert_eq!(firing["message"], format!("2 lines of the level error within 10m; the last: {text}"));
}

/// A mail server of the system, OpenSMTPD, on a port of its own; it keeps the mails in files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_mail_server_takes_the_mail() {
    let Some(cluster) = TestCluster::real().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mails = folder.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    for open in [folder.path(), &mails] {
        std::fs::set_permissions(open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    }
    let config = folder.path().join("smtpd.conf");
    let text = format!(
        "table everyone {{ \"@\" = nobody }}\nlisten on 127.0.0.1 port {port}\n\
         action \"keep\" maildir \"{}/box\" virtual <everyone>\nmatch from any for any action \"keep\"\n",
        mails.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut server = tokio::process::Command::new("smtpd");
    let mut server =
        server.arg("-d").arg("-f").arg(&config).kill_on_drop(true).spawn().expect("OpenSMTPD is installed");
    let namespace = cluster.namespace("alerts-mail").await;
    broken(&namespace).await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let rules = "name: shop\nwatch:\n  rules: [{rule: notReady, during: 3s, severity: error}]\n";
    let email = "{server: 127.0.0.1, security: none, from: evolve@shop.example, to: [ops@shop.example]";
    evolve.file("evolve.yaml", &format!("{rules}  email: {email}, port: {port}}}\n"));
    let mail = wait_until("the mail", DEADLINE, async || {
        evolve.run(&["watch", "-n", &namespace.name, "--once"]).await;
        let mut new = std::fs::read_dir(mails.join("box/new")).ok()?;
        std::fs::read_to_string(new.next()?.ok()?.path()).ok()
    })
    .await;
    // Its helpers end with it.
    let process = server.id().unwrap().to_string();
    std::process::Command::new("kill").arg(process).status().unwrap();
    server.wait().await.unwrap();
    for words in ["To: <ops@shop.example>", "Subject: error: notReady of deployment.apps/api in", "Message-ID: <"] {
        assert!(mail.contains(words), "{words}\n{mail}");
    }
}

#[tokio::test]
async fn what_cannot_be_watched_is_said() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("alerts-wrong").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("evolve.yaml", RULES);
    let watch = ["watch", "-n", &namespace.name, "--once"];
    evolve.run(&watch).await.failed(2, &["watch.webhooks[0].urlEnv", "HOOK is not set"]).with_hint();
    evolve.file("evolve.yaml", "name: shop\nwatch:\n  rules: [{rule: restart}]\n");
    evolve.run(&watch).await.failed(2, &["evolve.yaml:3", "restarts"]);
    evolve.file("evolve.yaml", "name: shop\nwatch:\n  rules: [{rule: notReady}]\n");
    evolve.run(&watch).await.succeeded();
    let nothing = ["watch", "-n", &namespace.name, "nothing", "--once"];
    evolve.run(&nothing).await.failed(2, &["there is no", "nothing"]);
}
