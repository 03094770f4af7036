//! Watches, and what they survive.

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use http::Method;
use kubectl_evolve::{
    cluster::{DeleteOptions, ListQuery, Resource, WatchEvent},
    context::Ctx,
};
use serde_json::json;

use super::support::{Fault, Namespace, Proxy, Rule, TestCluster};

/// ConfigMaps with our label; the cluster makes others of its own.
fn ours() -> ListQuery {
    ListQuery { labels: Some("watched=yes".into()), ..ListQuery::default() }
}

async fn config_maps(ctx: &Ctx) -> Resource {
    ctx.cluster().await.unwrap().resource("v1", "ConfigMap").await.unwrap().unwrap()
}

async fn write(ctx: &Ctx, namespace: &Namespace, name: &str) {
    let metadata = json!({"name": name, "namespace": namespace.name, "labels": {"watched": "yes"}});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    ctx.cluster().await.unwrap().create(&config_maps(ctx).await, &object).await.unwrap();
}

async fn delete(ctx: &Ctx, namespace: &Namespace, name: &str) {
    let cluster = ctx.cluster().await.unwrap();
    let kind = config_maps(ctx).await;
    cluster.delete(&kind, Some(&namespace.name), name, &DeleteOptions::default()).await.unwrap();
}

/// The next event in words; interruptions are passed over.
async fn next(watch: &mut (impl futures::Stream<Item = WatchEvent> + Unpin)) -> String {
    let next = async {
        loop {
            match watch.next().await {
                Some(WatchEvent::Interrupted(_)) => {}
                Some(WatchEvent::Seen(object)) => {
                    assert!(object["kind"] == "ConfigMap" && object["metadata"].get("managedFields").is_none());
                    return format!("seen {}", object["metadata"]["name"].as_str().unwrap());
                }
                Some(WatchEvent::Gone { name, .. }) => return format!("gone {name}"),
                Some(WatchEvent::Complete) => return "complete".into(),
                Some(WatchEvent::Refused(error)) => return format!("refused {error}"),
                None => return "end".into(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), next).await.expect("an event within 20 s")
}

/// A context behind a proxy that misbehaves.
fn behind(proxy: &Proxy, namespace: &Namespace) -> Ctx {
    let mut ctx = namespace.ctx();
    ctx.connect.server = Some(proxy.url());
    ctx
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_every_change_with_one_request() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("watch").await;
    let ctx = namespace.ctx();
    write(&ctx, &namespace, "a").await;
    let connected = ctx.cluster().await.unwrap();
    let kind = config_maps(&ctx).await;
    let before = connected.requests();
    let mut watch = pin!(connected.watch(&kind, Some(&namespace.name), &ours()));
    assert_eq!([next(&mut watch).await, next(&mut watch).await], ["seen a", "complete"]);
    assert_eq!(connected.requests(), before + 1);
    write(&ctx, &namespace, "b").await;
    assert_eq!(next(&mut watch).await, "seen b");
    delete(&ctx, &namespace, "a").await;
    assert_eq!(next(&mut watch).await, "gone a");
}

#[tokio::test]
async fn a_watch_goes_on_after_a_restart_and_after_a_lost_history() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("watch").await;
    let proxy = Proxy::start(&cluster, vec![]).await;
    let (direct, ctx) = (namespace.ctx(), behind(&proxy, &namespace));
    write(&direct, &namespace, "a").await;
    write(&direct, &namespace, "b").await;
    let kind = config_maps(&direct).await;
    let connected = ctx.cluster().await.unwrap();
    let mut watch = pin!(connected.watch(&kind, Some(&namespace.name), &ours()));
    assert_eq!(
        [next(&mut watch).await, next(&mut watch).await, next(&mut watch).await],
        ["seen a", "seen b", "complete"]
    );

    proxy.restart(Duration::from_millis(300));
    let (told, ()) = tokio::join!(next(&mut watch), write(&direct, &namespace, "c"));
    assert_eq!(told, "seen c");

    proxy.reset(vec![Rule::once(Method::GET, "watch=true", Fault::WatchGone)]);
    proxy.restart(Duration::ZERO);
    delete(&direct, &namespace, "b").await;
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "complete") {
        told.push(next(&mut watch).await);
    }
    assert_eq!(told, ["seen a", "seen c", "gone b", "complete"]);
}

#[tokio::test]
async fn a_server_that_does_not_stream_lists_is_listed() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("watch").await;
    let refuse = Rule::once(Method::GET, "sendInitialEvents=true", Fault::Answer(422, &[]));
    let proxy = Proxy::start(&cluster, vec![refuse]).await;
    let (direct, ctx) = (namespace.ctx(), behind(&proxy, &namespace));
    write(&direct, &namespace, "a").await;
    let kind = config_maps(&direct).await;
    let connected = ctx.cluster().await.unwrap();
    let mut watch = pin!(connected.watch(&kind, Some(&namespace.name), &ours()));
    assert_eq!([next(&mut watch).await, next(&mut watch).await], ["seen a", "complete"]);
    write(&direct, &namespace, "b").await;
    assert_eq!(next(&mut watch).await, "seen b");
}

#[tokio::test]
async fn a_watch_that_is_forbidden_ends_with_the_servers_words() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("watch").await;
    let refuse = Rule::once(Method::GET, "watch=true", Fault::Answer(403, &[]));
    let proxy = Proxy::start(&cluster, vec![refuse]).await;
    let kind = config_maps(&namespace.ctx()).await;
    let ctx = behind(&proxy, &namespace);
    let connected = ctx.cluster().await.unwrap();
    let mut watch = pin!(connected.watch(&kind, Some(&namespace.name), &ours()));
    let told = next(&mut watch).await;
    assert!(told.starts_with("refused watching configmaps: the request is forbidden"), "{told}");
    assert_eq!(next(&mut watch).await, "end");
}
