//! Sets of objects, side by side with kubectl's own ApplySets, and what is removed from them.

use std::{path::Path, time::Duration};

use kubectl_evolve::{
    cluster::{ApplyMode, Resource},
    context::Ctx,
    model::{ObjectRef, RemovalOutcome},
    ops::inventory::{self, Wishes},
    rules::{
        applyset::{self, Inventory, Scope},
        prune::Claims,
    },
};
use serde_json::{Value, json};

use super::support::{Namespace, Shop, TestCluster};

const PATIENCE: Duration = Duration::from_secs(30);

fn config_map(namespace: &Namespace, name: &str, annotations: Value) -> Value {
    let metadata = json!({"name": name, "namespace": namespace.name, "annotations": annotations});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": name}})
}

/// Applies objects as members of the set of `shop`, as a deploy does.
async fn applied(ctx: &Ctx, namespace: &Namespace, objects: &[Value]) -> Inventory {
    let cluster = ctx.cluster().await.unwrap();
    let references: Vec<ObjectRef> = objects.iter().map(ObjectRef::of).collect();
    let known = inventory::find(&cluster, "shop", &namespace.name).await.unwrap();
    let wanted = Scope::of(&references);
    let inventory = inventory::cover(&cluster, "shop", &namespace.name, known.as_ref(), &wanted).await.unwrap();
    for (object, reference) in objects.iter().zip(&references) {
        let mut object = object.clone();
        applyset::label_member(&mut object, &inventory.id());
        let resource = cluster.resource(&reference.api_version, &reference.kind).await.unwrap().unwrap();
        cluster.apply(&resource, &object, ApplyMode::default()).await.unwrap();
    }
    inventory
}

/// Runs kubectl with ApplySets; returns whether it succeeded, and what it said.
async fn kubectl(namespace: &Namespace, arguments: &[&str], input: &[Value]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": input}).to_string()).unwrap();
    let mut command = tokio::process::Command::new("kubectl");
    command
        .env("KUBECONFIG", namespace.kubeconfig())
        .env("KUBECTL_APPLYSET", "true")
        .args(["-n", &namespace.name])
        .args(arguments);
    if !input.is_empty() {
        command.arg("-f").arg(Path::new(&file));
    }
    let output = command.output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[tokio::test]
async fn kubectl_accepts_everything_of_our_set_but_the_tool() {
    let Some(cluster) = TestCluster::with_kubectl().await else { return };
    let namespace = cluster.namespace("inventory").await;
    let ctx = namespace.ctx();
    let both = [config_map(&namespace, "a", json!({})), config_map(&namespace, "b", json!({}))];
    applied(&ctx, &namespace, &both).await;

    let apply = ["apply", "--server-side", "--force-conflicts", "--prune", "--applyset=secret/evolve.shop"];
    let (accepted, text) = kubectl(&namespace, &apply, &both[..1]).await;
    let expected = r#"already exists and is managed by tooling "kubectl-evolve" instead of "kubectl""#;
    assert!(!accepted && text.contains(expected), "{text}");

    let tool = format!("{}=kubectl/v1.34.0", applyset::TOOLING);
    kubectl(&namespace, &["annotate", "--overwrite", "secret/evolve.shop", &tool], &[]).await;
    let (accepted, text) = kubectl(&namespace, &apply, &both[..1]).await;
    assert!(accepted && text.contains("configmap/b pruned") && !text.contains("configmap/a pruned"), "{text}");

    let cluster = ctx.cluster().await.unwrap();
    let refused = inventory::find(&cluster, "shop", &namespace.name).await.unwrap_err();
    assert!(refused.message().contains("is managed by kubectl, not by kubectl-evolve"), "{refused}");
}

#[tokio::test]
async fn a_parent_grows_before_an_apply_and_shrinks_after_a_prune() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("inventory").await;
    let ctx = namespace.ctx();
    let first = applied(&ctx, &namespace, &[config_map(&namespace, "a", json!({}))]).await;
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": namespace.name}});
    let second = applied(&ctx, &namespace, &[account]).await;
    assert!(second.scope.covers(&first.scope));
    let cluster = ctx.cluster().await.unwrap();
    let members = inventory::members(&cluster, &second).await.unwrap();
    assert_eq!(members.len(), 2);

    let requests = cluster.requests();
    let again = inventory::cover(&cluster, "shop", &namespace.name, Some(&second), &first.scope).await.unwrap();
    assert_eq!((again, cluster.requests()), (second.clone(), requests), "nothing to add is not written");
    inventory::shrink(&cluster, "shop", &second, &first.scope).await.unwrap();
    let found = inventory::find(&cluster, "shop", &namespace.name).await.unwrap().unwrap();
    assert_eq!(found.scope.kinds, first.scope.kinds);
}

#[tokio::test]
async fn another_tools_secret_of_our_name_is_not_taken() {
    let Some(cluster) = TestCluster::with_kubectl().await else { return };
    let namespace = cluster.namespace("inventory").await;
    let input = [config_map(&namespace, "a", json!({}))];
    let apply = ["apply", "--server-side", "--prune", "--applyset=evolve.shop"];
    assert!(kubectl(&namespace, &apply, &input).await.0);
    let ctx = namespace.ctx();
    let cluster = ctx.cluster().await.unwrap();
    // As when kubectl was faster after nothing was found.
    let error = inventory::cover(&cluster, "shop", &namespace.name, None, &Scope::default()).await.unwrap_err();
    assert!(error.message().contains("another tool has made the parent"), "{error}");
}

/// The outcome for each object, by its name.
async fn removed(
    ctx: &Ctx,
    inventory: &Inventory,
    wishes: &Wishes,
    time: Duration,
) -> Vec<(String, RemovalOutcome, String)> {
    let cluster = ctx.cluster().await.unwrap();
    let members = inventory::members(&cluster, inventory).await.unwrap();
    let removals = inventory::survey(&cluster, members, wishes).await.unwrap();
    let report = inventory::remove(ctx, &cluster, &removals, time).await.unwrap();
    let mut lines: Vec<_> = report
        .into_iter()
        .map(|done| (done.object.to_string(), done.outcome, done.reason.unwrap_or_default()))
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn what_may_not_go_stays_and_the_rest_goes() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("inventory").await;
    let ctx = namespace.ctx();
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": namespace.name},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Mi"}}},
    });
    let own_namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name}});
    let objects = [
        config_map(&namespace, "goes", json!({})),
        config_map(&namespace, "stays", json!({"evolve/keep": "true"})),
        claim,
        own_namespace,
    ];
    let inventory = applied(&ctx, &namespace, &objects).await;
    let wishes = Wishes { claims_hint: "--prune-claims deletes it".into(), ..Wishes::default() };
    let lines = removed(&ctx, &inventory, &wishes, PATIENCE).await;
    let outcome = |name: &str| lines.iter().find(|line| line.0.starts_with(name)).cloned().unwrap();
    assert_eq!(outcome("configmap/goes").1, RemovalOutcome::Deleted);
    assert_eq!(outcome("configmap/stays").1, RemovalOutcome::Detached);
    let claim = outcome("persistentvolumeclaim/data");
    assert_eq!(
        (claim.1, claim.2.as_str()),
        (RemovalOutcome::Kept, "its data would be lost; --prune-claims deletes it")
    );
    let kept = outcome("namespace/");
    assert!(kept.1 == RemovalOutcome::Kept && kept.2.contains("secret/evolve.shop"), "{kept:?}");

    let consent = Wishes { claims: Claims::All, ..Wishes::default() };
    let lines = removed(&ctx, &inventory, &consent, PATIENCE).await;
    assert!(
        lines.contains(&("persistentvolumeclaim/data".into(), RemovalOutcome::Deleted, String::new())),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.0.contains("stays")), "what was let go is no member: {lines:?}");
    assert_eq!(namespace.names("/api/v1", "configmaps").await, ["kube-root-ca.crt", "stays"]);
}

#[tokio::test]
async fn what_a_finalizer_holds_is_named_and_what_comes_after_it_waits() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("inventory").await;
    let ctx = namespace.ctx();
    let mut held = config_map(&namespace, "held", json!({"evolve/wave": "1"}));
    held["metadata"]["finalizers"] = json!(["example.org/holds"]);
    let inventory = applied(&ctx, &namespace, &[held, config_map(&namespace, "after", json!({}))]).await;
    let lines = removed(&ctx, &inventory, &Wishes::default(), Duration::from_secs(1)).await;
    let expected = [
        ("configmap/after", RemovalOutcome::Waiting, "what must go before it is still there"),
        ("configmap/held", RemovalOutcome::Lingering, "held by the finalizers example.org/holds"),
    ];
    let lines: Vec<_> =
        lines.iter().map(|(name, outcome, reason)| (name.as_str(), *outcome, reason.as_str())).collect();
    assert_eq!(lines, expected);
    let config_maps = Resource { kind: "ConfigMap".into(), plural: "configmaps".into(), ..Resource::secrets() };
    let free = json!({"metadata": {"finalizers": null}});
    let cluster = ctx.cluster().await.unwrap();
    cluster.patch(&config_maps, Some(&namespace.name), "held", &free).await.unwrap();
    let lines = removed(&ctx, &inventory, &Wishes::default(), PATIENCE).await;
    assert!(lines.iter().all(|line| line.1 == RemovalOutcome::Deleted) && !lines.is_empty(), "{lines:?}");
}

#[tokio::test]
async fn a_set_of_kubectl_is_adopted_and_given_back() {
    let Some(shop) = Shop::with_kubectl("adopt").await else { return };
    let namespace = &shop.namespace;
    let both = [config_map(namespace, "a", json!({})), config_map(namespace, "b", json!({}))];
    let apply = ["apply", "--server-side", "--prune", "--applyset=secret/theirs"];
    assert!(kubectl(namespace, &apply, &both).await.0);

    shop.command(&["inventory", "show"]).await.failed(2, &["there is nothing of shop"]);
    shop.command(&["inventory", "adopt", "secret/nobody", "--yes"]).await.failed(2, &["secret/nobody is not there"]);
    shop.command(&["inventory", "adopt", "secret/theirs"]).await.failed(2, &["needs consent", "--yes"]);
    let adopted = shop.command(&["inventory", "adopt", "secret/theirs", "--yes"]).await;
    for words in ["managed by kubectl-evolve/v", "configmap/a", "configmap/b"] {
        assert!(adopted.succeeded().stdout.contains(words), "{words}\n{adopted}");
    }
    let (accepted, text) = kubectl(namespace, &apply, &both).await;
    assert!(!accepted && text.contains("managed by tooling \"kubectl-evolve\""), "{text}");

    // Our deploy works on their set: b is pruned, a loses a key that only kubectl applied.
    let mut changed = both[0].clone();
    changed["data"] = json!({"other": "value"});
    shop.deploy(&changed.to_string(), &[]).await.succeeded();
    assert_eq!(shop.get("configmaps", "a").await["data"], json!({"other": "value"}));
    assert_eq!(namespace.names("/api/v1", "configmaps").await, ["a", "kube-root-ca.crt"]);

    let released = shop.command(&["inventory", "release", "--yes"]).await;
    assert!(released.succeeded().stdout.contains("managed by kubectl/v1."), "{released}");
    let (accepted, text) = kubectl(namespace, &apply, &both).await;
    assert!(accepted && !text.to_lowercase().contains("conflict"), "{text}");
    assert_eq!(shop.get("configmaps", "a").await["data"], json!({"key": "a"}), "what we applied was kubectl's again");
    let refused = shop.deploy(&changed.to_string(), &[]).await;
    assert!(refused.code == Some(1) && refused.stdout.contains("it belongs to the ApplySet"), "{refused}");
}
