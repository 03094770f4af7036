//! The lock, between operations of one process and with holders that were killed.

use std::{sync::Arc, time::Duration};

use http::Method;
use kubectl_evolve::{
    cluster::{ConnectOptions, Resource},
    context::{Ctx, Environment},
    error::Result,
    event::Silent,
    model::Target,
    ops::{
        identity,
        lock::{Lock, LockRequest, break_lock, show},
    },
    rules::lock::{self as rules, Claimant, Times},
};
use tokio::time::Instant;

use super::support::{Fault, Namespace, Proxy, Rule, TestCluster, wait_until};

fn request(namespace: &Namespace, timeout: u64) -> LockRequest {
    LockRequest {
        application: "shop".into(),
        namespace: namespace.name.clone(),
        purpose: "deploy".into(),
        timeout: Duration::from_secs(timeout),
    }
}

fn target(namespace: &Namespace) -> Target {
    Target { application: Some("shop".into()), namespace: Some(namespace.name.clone()), ..Target::default() }
}

/// A lease as a process that was killed a moment ago leaves it.
async fn left_behind(ctx: &Ctx, namespace: &Namespace, process: Option<String>) {
    let claimant = Claimant { by: "bob@desk (process 4)".into(), purpose: "restart".into(), process };
    let now = ctx.clock.now();
    let lease = rules::held("shop", &namespace.name, &claimant, Times { since: now, now }, None);
    ctx.cluster().await.unwrap().create(&Resource::leases(), &lease).await.unwrap();
}

#[tokio::test]
async fn a_held_lock_is_refused_and_names_its_holder() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let ctx = namespace.ctx();
    let lock = Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap();
    let by = identity::claimant(&ctx, "deploy").await.by;
    let error = Lock::acquire(&ctx, &request(&namespace, 0)).await.err().unwrap();
    assert!(error.message().contains(&format!("shop is locked by {by} for deploy since")), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("lock break")));
    let report = show(&ctx, &target(&namespace)).await.unwrap();
    assert_eq!(report.holder.map(|holder| (holder.by, holder.expired)), Some((by, false)));
    lock.release(&ctx).await;
    assert_eq!(show(&ctx, &target(&namespace)).await.unwrap().holder, None);
    Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap().release(&ctx).await;
}

#[tokio::test]
async fn a_lock_outlives_its_duration_while_it_is_held_and_then_is_given_on() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let ctx = namespace.ctx();
    let mut lock = Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap();
    let other = Lock::acquire(&ctx, &request(&namespace, 14)).await;
    assert!(other.is_err(), "a lock that is renewed does not expire");
    lock.guard(async { Ok(()) }).await.unwrap();
    let (first, second) = (namespace.ctx(), request(&namespace, 30));
    let (taken, ()) = tokio::join!(Lock::acquire(&first, &second), lock.release(&ctx));
    taken.unwrap().release(&first).await;
}

#[tokio::test]
async fn a_renewal_that_is_never_answered_costs_nobody_the_lock() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let proxy = Proxy::start(&cluster, vec![Rule::once(Method::PUT, "/leases/", Fault::Hang)]).await;
    let evolve = proxy.evolve();
    let connect = ConnectOptions {
        kubeconfig: Some(evolve.kubeconfig().into()),
        request_timeout: Some(Duration::from_secs(60)),
        ..ConnectOptions::default()
    };
    let slow = Ctx::new(Arc::new(Silent), Environment::default(), connect);
    let mut lock = Lock::acquire(&slow, &request(&namespace, 0)).await.unwrap();
    let renewed = wait_until("two renewals after the one that hangs", Duration::from_secs(30), async || {
        let renewals = proxy.seen().iter().filter(|seen| seen.method == Method::PUT).count();
        (renewals >= 3).then_some(())
    });
    let watched = async {
        renewed.await;
        Ok(())
    };
    lock.guard(watched).await.unwrap();
    let seen = show(&namespace.ctx(), &target(&namespace)).await.unwrap().holder.unwrap();
    assert!(!seen.expired, "{seen:?}");
    lock.release(&slow).await;
}

#[tokio::test]
async fn the_lock_of_a_killed_process_expires() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let ctx = namespace.ctx();
    left_behind(&ctx, &namespace, None).await;
    let began = Instant::now();
    let lock = Lock::acquire(&ctx, &request(&namespace, 60)).await.unwrap();
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(10) && waited < Duration::from_secs(15), "{waited:?}");
    lock.release(&ctx).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_lock_of_a_process_that_is_gone_from_this_machine_is_free_at_once() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let ctx = namespace.ctx();
    let own = identity::claimant(&ctx, "deploy").await.process.unwrap();
    let gone = format!("{}0", own);
    left_behind(&ctx, &namespace, Some(gone)).await;
    Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap().release(&ctx).await;
}

#[tokio::test]
async fn who_loses_the_lock_stops_and_reads_the_reason() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let ctx = namespace.ctx();
    let mut lock = Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap();
    let empty = break_lock(&ctx, &target(&namespace), " ").await.unwrap_err();
    assert!(empty.message().contains("--reason is empty"));
    let report = break_lock(&ctx, &target(&namespace), "it hangs").await.unwrap();
    let by = identity::by(&ctx).await;
    assert_eq!(report.broken.unwrap().reason, "it hangs");
    let endless = std::future::pending::<Result<()>>();
    let lost = tokio::time::timeout(Duration::from_secs(10), lock.guard(endless)).await.unwrap();
    assert_eq!(lost.unwrap_err().message(), format!("{by} broke the lock of shop: it hangs"));
    lock.release(&ctx).await;
    assert_eq!(show(&ctx, &target(&namespace)).await.unwrap().broken.unwrap().by, by);
    let again = break_lock(&ctx, &target(&namespace), "again").await.unwrap_err();
    assert!(again.message().contains("nobody holds the lock"));
    Lock::acquire(&ctx, &request(&namespace, 0)).await.unwrap().release(&ctx).await;
    assert_eq!(show(&ctx, &target(&namespace)).await.unwrap().broken, None);
}

#[tokio::test]
async fn a_missing_namespace_is_told_by_its_code() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("lock").await;
    let request = LockRequest { namespace: "evolve-test-nowhere".into(), ..request(&namespace, 0) };
    let error = Lock::acquire(&namespace.ctx(), &request).await.err().unwrap();
    assert_eq!(error.code(), 404, "{error}");
}
