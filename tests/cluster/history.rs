//! Revisions in the cluster.

use kubectl_evolve::{
    error::Place,
    model::{Manifest, ObjectRef, Outcome, Revision},
    ops::history::{History, Packed},
    rules::history as rules,
};
use serde_json::json;

use super::support::{Namespace, TestCluster};

fn manifest(size: usize) -> Manifest {
    let mut state = 1_u64;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + (state >> 60) as u8)
    })
    .take(size)
    .collect();
    let object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big"}, "data": {"noise": noise}});
    Manifest { reference: ObjectRef::of(&object), object, place: Place { file: "big.yaml".into(), line: 1, column: 1 } }
}

fn revision(namespace: &Namespace) -> Revision {
    Revision { application: "shop".into(), namespace: namespace.name.clone(), ..Revision::default() }
}

#[tokio::test]
async fn large_manifests_are_kept_in_several_secrets_and_forgotten_with_their_revision() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("history").await;
    let ctx = namespace.ctx();
    let cluster = ctx.cluster().await.unwrap();
    let history = History::of(&cluster, "shop", &namespace.name);
    let big = [manifest(4_000_000)];
    let mut first = history.begin(&[], revision(&namespace), &Packed::of(&big).unwrap()).await.unwrap();
    first.summary.outcome = Outcome::Deployed;
    history.store(&first).await.unwrap();
    let names = namespace.names("/api/v1", "secrets").await;
    assert!(names.len() > 2 && names.iter().all(|name| name.starts_with("evolve.shop.v1")), "{names:?}");
    assert_eq!(history.manifests(1).await.unwrap(), big);

    let mut second =
        history.begin(&history.list().await.unwrap(), revision(&namespace), &Packed::of([]).unwrap()).await.unwrap();
    second.summary.outcome = Outcome::Failed;
    history.store(&second).await.unwrap();
    history.trim(1).await.unwrap();
    assert_eq!(namespace.names("/api/v1", "secrets").await.len(), names.len() + 1, "the newest success stays");
    second.summary.outcome = Outcome::Deployed;
    history.store(&second).await.unwrap();
    history.trim(1).await.unwrap();
    assert_eq!(namespace.names("/api/v1", "secrets").await, ["evolve.shop.v2"]);
}

#[tokio::test]
async fn a_number_that_is_taken_is_counted_up_and_never_overwritten() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("history").await;
    let ctx = namespace.ctx();
    let cluster = ctx.cluster().await.unwrap();
    let history = History::of(&cluster, "shop", &namespace.name);
    let small = [manifest(10)];
    let first = history.begin(&[], revision(&namespace), &Packed::of(&small).unwrap()).await.unwrap();
    // As one that lists at the same moment.
    let second = history.begin(&[], revision(&namespace), &Packed::of([]).unwrap()).await.unwrap();
    assert_eq!((first.summary.number, second.summary.number), (1, 2));
    assert_eq!(history.manifests(1).await.unwrap(), small);

    let requests = cluster.requests();
    let mut listed = history.list().await.unwrap();
    assert_eq!((listed.len(), cluster.requests() - requests), (2, 1), "a listing is one request");
    rules::settle(&mut listed, true);
    let outcomes: Vec<Outcome> = listed.iter().map(|summary| summary.outcome).collect();
    assert_eq!(outcomes, [Outcome::Interrupted, Outcome::Pending]);
}

#[tokio::test]
async fn a_revision_without_its_parts_is_said_to_be_incomplete() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("history").await;
    let ctx = namespace.ctx();
    let cluster = ctx.cluster().await.unwrap();
    let history = History::of(&cluster, "shop", &namespace.name);
    history.begin(&[], revision(&namespace), &Packed::of(&[manifest(3_000_000)]).unwrap()).await.unwrap();
    namespace.delete("/api/v1", "secrets", "evolve.shop.v1.1").await;
    let error = history.manifests(1).await.unwrap_err();
    assert_eq!(error.message(), "revision 1 is incomplete: secret/evolve.shop.v1.1 is not there");
    let missing = history.revision(7).await.unwrap_err();
    assert!(missing.message().contains("shop has no revision 7"), "{missing}");
}
