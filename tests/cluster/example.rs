//! The reference application on a real node, from an empty cluster to its end.
//!
//! The node needs its images: `examples/todo/build --load 1 2`.

use std::{fs, path::Path, time::Duration};

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use k8s_openapi::api::core::v1;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::support::{Evolve, TestCluster, wait_until};

const FILES: [&str; 8] = [
    "evolve.yaml",
    "manifests/namespace.yaml",
    "manifests/database.yaml",
    "manifests/backend.yaml",
    "manifests/frontend.yaml",
    "manifests/network.yaml",
    "examples/todo/production/kustomization.yaml",
    "examples/todo/production/autoscalers.yaml",
];

#[tokio::test]
async fn the_example_deploys_rolls_over_fails_goes_back_and_ends() {
    let Some(cluster) = TestCluster::real().await else { return };
    remove_namespace(&cluster).await;
    let evolve = checkout(&cluster);
    let page = Page::of(&cluster).await;

    evolve.run(&["deploy"]).await.succeeded();
    page.answers().await;
    let (status, added) = page.ask(Method::POST, "/api/todos", Some(json!({"title": "water the plants"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let todos = json!([added]);

    let again = evolve.run(&["deploy"]).await;
    assert!(again.succeeded().stdout.contains("todo is as wanted"), "{again}");

    // A new version of both parts, while people use the old one.
    let traffic = Traffic::start(&page);
    edit(&evolve, "todo-frontend:1", "todo-frontend:2");
    edit(&evolve, "todo-backend:1", "todo-backend:2");
    evolve.run(&["deploy"]).await.succeeded();
    old_pods_end(&cluster).await;
    traffic.stop_without_failures().await;
    assert_eq!(page.version().await, "2");
    assert_eq!(page.todos().await, todos);

    // A version that does not exist: the cause is said, and the old pods go on.
    edit(&evolve, "todo-backend:2", "todo-backend:none");
    let failed = evolve.run(&["deploy", "--on-failure=keep"]).await;
    failed.reported(&["deployment.apps/backend", "todo-backend:none"]);
    assert_eq!(page.todos().await, todos);

    evolve.run(&["rollback"]).await.succeeded();
    assert_eq!(page.version().await, "2");
    assert_eq!(page.todos().await, todos);

    // What is deleted and deployed again finds its data, and the password that opens it.
    let deleted = evolve.run(&["delete", "--yes"]).await;
    assert!(deleted.succeeded().stdout.contains("data-database-0"), "{deleted}");
    edit(&evolve, "todo-backend:none", "todo-backend:1");
    evolve.run(&["deploy"]).await.succeeded();
    page.answers().await;
    assert_eq!(page.todos().await, todos);

    remove_namespace(&cluster).await;
}

/// The files of the example in the working folder.
fn checkout(cluster: &TestCluster) -> Evolve {
    let evolve = Evolve::new(&cluster.kubeconfig);
    for file in FILES {
        evolve.file(file, &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap());
    }
    evolve
}

/// Replaces a text in the manifests, where it has to be.
fn edit(evolve: &Evolve, old: &str, new: &str) {
    let mut found = false;
    for file in FILES {
        let text = fs::read_to_string(evolve.folder().join(file)).unwrap();
        found |= text.contains(old);
        evolve.file(file, &text.replace(old, new));
    }
    assert!(found, "{old} is in no manifest");
}

/// Also what a run that was killed left.
async fn remove_namespace(cluster: &TestCluster) {
    let namespaces: Api<v1::Namespace> = Api::all(cluster.client.clone());
    // It may not be there.
    let _ = namespaces.delete("todo", &DeleteParams::default()).await;
    wait_until("the namespace todo to go", Duration::from_secs(90), async || {
        namespaces.get_opt("todo").await.unwrap().is_none().then_some(())
    })
    .await;
}

/// Waits until the pods that were told to end have ended: until then they still answer.
async fn old_pods_end(cluster: &TestCluster) {
    let pods: Api<v1::Pod> = Api::namespaced(cluster.client.clone(), "todo");
    wait_until("the old pods to end", Duration::from_secs(60), async || {
        let pods = pods.list(&ListParams::default()).await.unwrap();
        pods.iter().all(|pod| pod.metadata.deletion_timestamp.is_none()).then_some(())
    })
    .await;
}

/// The application as a browser sees it, on the port of a node.
#[derive(Clone)]
struct Page {
    client: Client<HttpConnector, Full<Bytes>>,
    address: String,
}

impl Page {
    async fn of(cluster: &TestCluster) -> Self {
        let nodes = Api::<v1::Node>::all(cluster.client.clone()).list(&ListParams::default()).await.unwrap();
        let addresses = nodes.items.into_iter().filter_map(|node| node.status?.addresses).flatten();
        let address = addresses.into_iter().find(|address| address.type_ == "InternalIP");
        let address = address.expect("the example needs a cluster with a node").address;
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address: format!("http://{address}:30000") }
    }

    /// The status and the body of an answer; of a connection that failed, what was wrong with it.
    async fn try_ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value), String> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        let request = request.body(Full::from(body)).unwrap();
        let answer = self.client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.try_ask(method, path, body).await.unwrap()
    }

    /// Waits until the Services that were made just now lead somewhere: the node's proxy and the cluster's DNS learn of
    /// them some seconds after the pods are ready.
    async fn answers(&self) {
        wait_until("the page to answer", Duration::from_secs(30), async || {
            let answer = self.try_ask(Method::GET, "/api/todos", None).await;
            matches!(answer, Ok((StatusCode::OK, _))).then_some(())
        })
        .await;
    }

    async fn todos(&self) -> Value {
        let (status, todos) = self.ask(Method::GET, "/api/todos", None).await;
        assert_eq!(status, StatusCode::OK, "{todos}");
        todos
    }

    async fn version(&self) -> String {
        let (_, health) = self.ask(Method::GET, "/health", None).await;
        health["version"].as_str().unwrap_or_default().to_owned()
    }
}

/// Somebody who reads the to-dos again and again.
struct Traffic {
    stop: CancellationToken,
    /// How many requests were answered with 200, and what happened to the others.
    ended: AbortOnDropHandle<(usize, Vec<String>)>,
}

impl Traffic {
    fn start(page: &Page) -> Self {
        let (page, stop) = (page.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let ended = tokio::spawn(async move {
            let (mut answered, mut failures) = (0, Vec::new());
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            while !stopped.is_cancelled() {
                pace.tick().await;
                match page.try_ask(Method::GET, "/api/todos", None).await {
                    Ok((StatusCode::OK, _)) => answered += 1,
                    Ok((status, body)) => failures.push(format!("{status} {body}")),
                    Err(error) => failures.push(error),
                }
            }
            (answered, failures)
        });
        Self { stop, ended: AbortOnDropHandle::new(ended) }
    }

    async fn stop_without_failures(self) {
        self.stop.cancel();
        let (answered, failures) = self.ended.await.unwrap();
        assert!(failures.is_empty(), "{answered} requests were answered, {} were not: {failures:?}", failures.len());
        assert!(answered > 0, "nothing was asked");
    }
}
