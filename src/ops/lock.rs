//! The lock of an application, so that two operations on it cannot overlap.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    cluster::{Cluster, DeleteOptions, Resource},
    context::{Clock, Ctx},
    error::{Error, Result},
    event::Event,
    model::{BrokenLock, LockHolder, LockReport, Target},
    ops::{identity, revisions::located},
    rules::lock::{self, Claimant, LASTS, Lease, RENEWED_EVERY, Times},
};

/// Between two looks at a lock that another holds.
const LOOK: Duration = Duration::from_secs(1);
/// How long giving the lock back may take; after that it expires by itself.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How often breaking is tried when the holder renews at the same moment.
const BREAKS: usize = 5;

/// Which lock is wanted, what for, and how long another holder is waited for.
#[derive(Debug, Clone)]
pub struct LockRequest {
    pub application: String,
    pub namespace: String,
    /// A verb for whoever finds the lock held: `deploy`.
    pub purpose: String,
    pub timeout: Duration,
}

/// The place of a lock.
#[derive(Clone)]
struct Door {
    cluster: Arc<Cluster>,
    resource: Resource,
    application: String,
    namespace: String,
}

/// A lock that is held and renewed until it is released or dropped. Dropped without a release, it expires by itself.
pub struct Lock {
    door: Door,
    stop: CancellationToken,
    keeper: Option<AbortOnDropHandle<Result<Lease>>>,
}

impl Lock {
    /// Takes the lock, waiting for another holder up to the request's timeout.
    ///
    /// # Errors
    /// Failed, naming the holder, when it is held for longer; with the refusal's code 404 when the namespace does not
    /// exist; interrupted.
    pub async fn acquire(ctx: &Ctx, request: &LockRequest) -> Result<Self> {
        let door = Door::at(ctx, &request.application, &request.namespace).await?;
        let claimant = identity::claimant(ctx, &request.purpose).await;
        let taking = take(ctx, &door, &claimant, request.timeout);
        let (lease, since) = ctx.unless_cancelled("waiting for the lock", taking).await?;
        let stop = CancellationToken::new();
        let keeper = Keeper { door: door.clone(), claimant, since, clock: Arc::clone(&ctx.clock), stop: stop.clone() };
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeper.keep(lease)));
        Ok(Self { door, stop, keeper: Some(keeper) })
    }

    /// Does the work, and ends it with an error as soon as the lock is lost.
    pub async fn guard<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            error = self.lost() => Err(error),
            done = work => done,
        }
    }

    async fn lost(&mut self) -> Error {
        let Some(keeper) = self.keeper.as_mut() else { return std::future::pending().await };
        let ended = keeper.await;
        self.keeper = None;
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(_)) | Err(_) => Error::failed("the lock is renewed no more"),
        }
    }

    /// Gives the lock back. What prevents that is only told: the lock then expires by itself.
    pub async fn release(mut self, ctx: &Ctx) {
        let Some(keeper) = self.keeper.take() else { return };
        self.stop.cancel();
        let giving_back = async {
            // A keeper that failed has told so to the work that it guarded.
            let Ok(Ok(lease)) = keeper.await else { return Ok(()) };
            self.door.delete(&lease).await
        };
        match tokio::time::timeout(GIVE_BACK, giving_back).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => ctx.warn(format!("the lock expires in {} s: {error}", LASTS.as_secs())),
            Err(_) => ctx.warn(format!("the lock expires in {} s: the server does not answer", LASTS.as_secs())),
        }
    }
}

impl Door {
    async fn at(ctx: &Ctx, application: &str, namespace: &str) -> Result<Self> {
        let cluster = ctx.cluster().await?;
        let (application, namespace) = (application.to_owned(), namespace.to_owned());
        Ok(Self { cluster, resource: Resource::leases(), application, namespace })
    }

    async fn read(&self) -> Result<Option<Lease>> {
        let name = lock::name(&self.application);
        let lease = self.cluster.get(&self.resource, Some(&self.namespace), &name).await?;
        Ok(lease.as_ref().map(Lease::read))
    }

    /// Writes a lease; None when another was faster.
    async fn write(&self, claimant: &Claimant, times: Times, over: Option<&Lease>) -> Result<Option<Lease>> {
        let object = lock::held(&self.application, &self.namespace, claimant, times, over);
        let written = match over {
            None => self.cluster.create(&self.resource, &object).await,
            Some(_) => self.cluster.update(&self.resource, &object).await,
        };
        match written {
            Ok(lease) => Ok(Some(Lease::read(&lease))),
            // 404: the lease that was to be replaced is gone. Without one, it is the namespace that is not there.
            Err(error) if error.code() == 409 || (error.code() == 404 && over.is_some()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, lease: &Lease) -> Result<()> {
        let options = DeleteOptions {
            uid: Some(lease.uid.clone()),
            resource_version: Some(lease.version.clone()),
            ..DeleteOptions::default()
        };
        let name = lock::name(&self.application);
        match self.cluster.delete(&self.resource, Some(&self.namespace), &name, &options).await {
            // Somebody has broken it meanwhile; it is theirs.
            Err(error) if error.code() == 409 => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// The API server's clock, from what it would write into a new lease.
    async fn server_now(&self) -> Result<Timestamp> {
        let name = format!("{}.clock", lock::name(&self.application));
        let probe = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": self.namespace},
        });
        let answer = self.cluster.try_create(&self.resource, &probe).await?;
        let created = answer["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse().ok());
        created.ok_or_else(|| Error::failed("the API server does not tell the time"))
    }
}

/// Takes the lock. Returns the lease and, by our clock, when it was taken.
async fn take(ctx: &Ctx, door: &Door, claimant: &Claimant, timeout: Duration) -> Result<(Lease, Timestamp)> {
    let began = Instant::now();
    let mut server_clock: Option<(Timestamp, Instant)> = None;
    let mut told = String::new();
    let mut found: Option<Lease> = None;
    loop {
        let since = ctx.clock.now();
        if let Some(lease) = door.write(claimant, Times { since, now: since }, found.as_ref()).await? {
            return Ok((lease, since));
        }
        // Another holds it: look until it is free.
        found = loop {
            let Some(lease) = door.read().await? else { break None };
            let (then, at) = match server_clock {
                Some(clock) => clock,
                None => *server_clock.insert((door.server_now().await?, Instant::now())),
            };
            let elapsed = SignedDuration::try_from(at.elapsed()).unwrap_or_default();
            if lease.is_free(then.saturating_add(elapsed).unwrap_or(then)) || is_abandoned(&lease) {
                break Some(lease);
            }
            let holder = lease.holder.unwrap_or_default();
            if began.elapsed() >= timeout {
                return Err(held(door, &holder, lease.since));
            }
            if told != holder.by {
                let Claimant { by, purpose, .. } = &holder;
                ctx.emit(Event::Waiting { message: format!("waiting for the lock, which {by} holds ({purpose})") });
                told = holder.by;
            }
            tokio::time::sleep(LOOK).await;
        };
    }
}

/// Whether the holder was a process of this machine that runs no more, so that its lease need not be waited for.
fn is_abandoned(lease: &Lease) -> bool {
    let process = lease.holder.as_ref().and_then(|holder| holder.process.as_deref());
    process.is_some_and(identity::is_gone)
}

fn held(door: &Door, holder: &Claimant, since: Option<Timestamp>) -> Error {
    let since = since.map(|since| format!(" since {}", rounded(since))).unwrap_or_default();
    let Claimant { by, purpose, .. } = holder;
    Error::failed(format!("{} is locked by {by} for {purpose}{since}", door.application))
        .hint("wait longer for it with --lock-timeout 10m; a lock whose process was killed expires within 15 s")
        .hint("`kubectl evolve lock break --reason TEXT` takes it away, and stops that process")
}

fn rounded(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Renews a lease until it is stopped or lost.
struct Keeper {
    door: Door,
    claimant: Claimant,
    since: Timestamp,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

impl Keeper {
    /// Returns the last lease when stopped.
    ///
    /// # Errors
    /// That the lock is no longer ours, and why. A server that does not answer is asked again: nobody else can take
    /// the lock meanwhile, and nothing can be applied.
    async fn keep(self, mut lease: Lease) -> Result<Lease> {
        let mut renewed = Instant::now();
        let mut pause = RENEWED_EVERY;
        loop {
            let stopped = tokio::time::timeout(pause, self.stop.cancelled()).await;
            if stopped.is_ok() {
                return Ok(lease);
            }
            let times = Times { since: self.since, now: self.clock.now() };
            // An answer that is slow to come must not use up the time in which the lease is ours: it is asked anew.
            let writing = self.door.write(&self.claimant, times, Some(&lease));
            let Ok(written) = tokio::time::timeout(RENEWED_EVERY, writing).await else {
                pause = Duration::ZERO;
                continue;
            };
            pause = RENEWED_EVERY;
            match written {
                Ok(Some(newest)) => {
                    lease = newest;
                    renewed = Instant::now();
                }
                Ok(None) => match self.door.read().await {
                    Ok(newest) => lease = self.still_ours(&lease, newest)?,
                    Err(error) if error.code() == 0 => {}
                    Err(error) => return Err(self.refused(error)),
                },
                Err(error) if (400..500).contains(&error.code()) && renewed.elapsed() >= LASTS => {
                    return Err(self.refused(error));
                }
                Err(_) => {}
            }
        }
    }

    /// The lease to renew next, when somebody changed it without taking it.
    fn still_ours(&self, ours: &Lease, newest: Option<Lease>) -> Result<Lease> {
        let application = &self.door.application;
        let Some(newest) = newest else {
            return Err(Error::failed(format!("the lock of {application} was deleted while it was held"))
                .hint("run the command again: it continues where this one stopped"));
        };
        if newest.uid == ours.uid && newest.holder.as_ref() == Some(&self.claimant) && newest.since == ours.since {
            return Ok(newest);
        }
        let error = match (&newest.broken, &newest.holder) {
            (Some(BrokenLock { by, reason, .. }), _) => format!("{by} broke the lock of {application}: {reason}"),
            (None, Some(holder)) => {
                format!(
                    "{} took the lock of {application} after it had expired, and runs {}",
                    holder.by, holder.purpose
                )
            }
            (None, None) => format!("the lock of {application} was given away while it was held"),
        };
        Err(Error::failed(error).hint("what was begun stays as it is; run the command again when the other is done"))
    }

    fn refused(&self, error: Error) -> Error {
        error.context(format!("the lock of {} cannot be renewed", self.door.application))
    }
}

/// Does the work while the lock is held.
///
/// # Errors
/// Those of [`Lock::acquire`], those of the work, and that the lock was lost meanwhile.
pub async fn under_lock<T>(ctx: &Ctx, request: &LockRequest, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut lock = Lock::acquire(ctx, request).await?;
    let done = lock.guard(work).await;
    lock.release(ctx).await;
    done
}

/// Does the work while all of these locks are held; they are taken in their order.
///
/// # Errors
/// As [`under_lock`].
pub async fn under_locks<'w, T>(
    ctx: &'w Ctx,
    requests: &'w [LockRequest],
    work: BoxFuture<'w, Result<T>>,
) -> Result<T> {
    match requests.split_first() {
        None => work.await,
        Some((first, rest)) => Box::pin(under_lock(ctx, first, under_locks(ctx, rest, work))).await,
    }
}

/// Who holds the lock of an application.
pub async fn show(ctx: &Ctx, target: &Target) -> Result<LockReport> {
    let cluster = ctx.cluster().await?;
    let (application, namespace) = located(ctx, &cluster, target).await?;
    let (holder, broken) = ctx.unless_cancelled("reading the lock", state(ctx, &application, &namespace)).await?;
    Ok(LockReport { application, namespace, holder, broken })
}

/// The holder of a lock, and who broke it last.
pub(super) async fn state(
    ctx: &Ctx,
    application: &str,
    namespace: &str,
) -> Result<(Option<LockHolder>, Option<BrokenLock>)> {
    let door = Door::at(ctx, application, namespace).await?;
    let lease = door.read().await?.unwrap_or_default();
    if lease.holder.is_none() {
        return Ok((None, lease.broken));
    }
    let now = match door.server_now().await {
        // Who may only look has to trust the own clock.
        Err(error) if error.code() == 403 => ctx.clock.now(),
        now => now?,
    };
    let mut holder = lease.report(now);
    if let Some(holder) = &mut holder {
        holder.expired |= is_abandoned(&lease);
    }
    Ok((holder, lease.broken))
}

/// Takes the lock from its holder, whose operation then ends with the reason.
///
/// # Errors
/// Usage when the reason is empty; failed when nobody holds the lock.
pub async fn break_lock(ctx: &Ctx, target: &Target, reason: &str) -> Result<LockReport> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Error::usage("--reason is empty").hint("say why: whoever held the lock reads it"));
    }
    let cluster = ctx.cluster().await?;
    let (application, namespace) = located(ctx, &cluster, target).await?;
    let door = Door::at(ctx, &application, &namespace).await?;
    let by = identity::by(ctx).await;
    for _ in 0..BREAKS {
        let lease = door.read().await?.unwrap_or_default();
        let Some(holder) = &lease.holder else {
            return Err(Error::failed(format!("nobody holds the lock of {application} in namespace {namespace}")));
        };
        let broken = BrokenLock {
            holder: holder.by.clone(),
            by: by.clone(),
            reason: reason.into(),
            time: rounded(ctx.clock.now()).to_string(),
        };
        let object = lock::broken(&application, &namespace, &lease, &broken);
        match door.cluster.update(&door.resource, &object).await {
            Err(error) if matches!(error.code(), 404 | 409) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                return Ok(LockReport { application, namespace, holder: None, broken: Some(broken) });
            }
        }
    }
    Err(Error::failed(format!("the lock of {application} changes too fast to be broken; try again")))
}
