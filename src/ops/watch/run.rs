//! Looking, judging and telling, again and again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    certificates::certificates,
    errors::{ErrorLine, Errors},
    listeners::{OUTPUT, listeners},
    pods::Pods,
    record::Record,
    volumes::volumes,
};
use crate::{
    cluster::Cluster,
    config::{self, AlertKind, AlertRule},
    context::Ctx,
    error::{Error, Result},
    model::{ConfigRequest, Notice, ObjectRef, WatchReport, WatchRequest},
    notify::Channel,
    ops::scope::{self, Scope},
    rules::{
        alerts::{ErrorFact, Facts, Listener, judge},
        fields::counted,
    },
};

/// How often everything is judged, where nothing else is asked for.
const INTERVAL: Duration = Duration::from_secs(15);
/// How often what changes slowly is looked at: the scope, volumes and certificates.
const SLOWLY: Duration = Duration::from_secs(60);
/// How long the first list of pods may take.
const BEGINS: Duration = Duration::from_secs(60);

/// Watches what is meant, and tells everyone who is configured. `output` is told every notice, once, like the others.
///
/// # Errors
/// Usage, for a configuration that cannot be followed; failed, when another process watches the same or the cluster
/// refuses. What cannot be told is warned of and told later.
pub async fn run(
    ctx: &Ctx,
    request: &WatchRequest,
    mut output: impl FnMut(&Notice) -> Result<()>,
) -> Result<WatchReport> {
    let configuration =
        ConfigRequest { file: request.scope.target.config.clone(), profile: request.scope.target.profile.clone() };
    let settings =
        crate::ops::config::load(ctx, &configuration)?.map(|config| config.settings.watch).unwrap_or_default();
    let (listeners, channels): (Vec<Listener>, Vec<Option<Channel>>) =
        listeners(&settings, &ctx.environment)?.into_iter().unzip();
    let cluster = ctx.cluster().await?;
    let scope = scope::resolve(ctx, &cluster, &request.scope, scope::WORKLOADS).await?;
    let record = Record::open(ctx, cluster.server(), &scope.namespaces, &request.scope)?;
    let mut watching = Watching {
        ctx,
        cluster: Arc::clone(&cluster),
        rules: rules(&settings),
        listeners,
        channels,
        record,
        facts: Facts::default(),
        errors: Errors::default(),
        slow: None,
        report: WatchReport::default(),
        silent: BTreeMap::new(),
    };
    let (errors, during) = (watching.errors.clone(), watching.error_time());
    let following = async {
        match during {
            Some(during) if request.once => errors.read(ctx, &request.scope, during).await,
            Some(during) => errors.follow(ctx, &request.scope, during).await,
            None => {}
        }
    };
    if request.once {
        following.await;
        watching.go(request, scope, &mut output).await?;
    } else {
        let both = async { tokio::join!(watching.go(request, scope, &mut output), following).0 };
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => {}
            ended = both => ended?,
        }
    }
    watching.report.firing = watching.record.ledger.firing();
    Ok(watching.report)
}

fn rules(settings: &config::Watch) -> Vec<AlertRule> {
    use AlertKind::{Certificate, ErrorLogs, NotReady, Restarts, Volume};
    match settings.rules.as_slice() {
        [] => [Restarts, ErrorLogs, NotReady, Volume, Certificate].map(AlertRule::of).into(),
        rules => rules.to_vec(),
    }
}

struct Watching<'a> {
    ctx: &'a Ctx,
    cluster: Arc<Cluster>,
    rules: Vec<AlertRule>,
    listeners: Vec<Listener>,
    channels: Vec<Option<Channel>>,
    record: Record,
    facts: Facts,
    errors: Errors,
    /// When what changes slowly was looked at.
    slow: Option<Instant>,
    report: WatchReport,
    /// What was said of listeners that take nothing now.
    silent: BTreeMap<String, String>,
}

impl Watching<'_> {
    async fn go(
        &mut self,
        request: &WatchRequest,
        mut scope: Scope,
        output: &mut impl FnMut(&Notice) -> Result<()>,
    ) -> Result<()> {
        self.record.ledger.keep_listeners(&self.listeners);
        let cluster = Arc::clone(&self.cluster);
        let mut ticks = interval(request.interval.unwrap_or(INTERVAL));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watched = references(&scope);
        let mut pods = Pods::of(&cluster, &scope.namespaces, &scope.found);
        self.ctx.phase("watch", format!("watching {}", counted(i64::try_from(watched.len()).unwrap_or(0), "workload")));
        pods.complete(BEGINS).await?;
        loop {
            let resolved = Instant::now();
            while resolved.elapsed() < SLOWLY {
                tokio::select! {
                    biased;
                    _ = ticks.tick() => {
                        self.look(&pods, &scope, request, output).await?;
                        if request.once {
                            return Ok(());
                        }
                    }
                    changed = pods.next() => changed?,
                }
            }
            pods.forget();
            // What came and what went since. A server that does not answer now is asked again later.
            match scope::resolve(self.ctx, &cluster, &request.scope, scope::WORKLOADS).await {
                Ok(new) => scope = new,
                Err(error) => self.ctx.warn(format!("what is watched could not be looked up: {error}")),
            }
            if references(&scope) != watched {
                watched = references(&scope);
                pods = Pods::of(&cluster, &scope.namespaces, &scope.found);
                pods.complete(BEGINS).await?;
            }
        }
    }

    /// How far back lines of the level error count; None where no rule asks for them.
    fn error_time(&self) -> Option<Duration> {
        let rules = self.rules.iter().filter(|rule| rule.rule == AlertKind::ErrorLogs);
        rules.map(AlertRule::during).max()
    }

    /// One look: what is new is told to everyone who can be reached.
    async fn look(
        &mut self,
        pods: &Pods<'_>,
        scope: &Scope,
        request: &WatchRequest,
        output: &mut impl FnMut(&Notice) -> Result<()>,
    ) -> Result<()> {
        self.facts.errors = self.error_facts(pods);
        self.facts.pods = Some(pods.facts());
        if self.slow.is_none_or(|last| last.elapsed() >= SLOWLY) {
            self.slow = Some(Instant::now());
            self.look_slowly(scope, request).await;
        }
        let moment = self.ctx.clock.now();
        // Nobody reads fractions of a second.
        let now = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        let ledger = &mut self.record.ledger;
        let judgement = judge(&self.rules, &self.facts, &mut ledger.restarts, now);
        let mut number = 0;
        ledger.take(&judgement, &self.listeners, now, || {
            number += 1;
            id(moment, number)
        });
        // Kept before anyone is told: what ends here is told by the next run.
        self.record.keep()?;
        for index in 0..self.listeners.len() {
            self.tell(index, request.once, output).await?;
        }
        Ok(())
    }

    async fn look_slowly(&mut self, scope: &Scope, request: &WatchRequest) {
        let wanted = |kind| self.rules.iter().any(|rule| rule.rule == kind);
        let (certificates_wanted, volumes_wanted) = (wanted(AlertKind::Certificate), wanted(AlertKind::Volume));
        if certificates_wanted {
            let found = certificates(&self.cluster, &scope.namespaces).await;
            self.facts.certificates = self.or_note(found, "certificates");
        }
        if volumes_wanted {
            let found = volumes(self.ctx, &request.scope).await;
            self.facts.volumes = self.or_note(found, "volumes");
        }
    }

    fn error_facts(&mut self, pods: &Pods<'_>) -> Option<Vec<ErrorFact>> {
        self.error_time()?;
        let lines = self.errors.lines().map_err(Error::failed);
        let fact = |line: ErrorLine| {
            let workload = pods.owner(&line.namespace, &line.pod)?.clone();
            Some(ErrorFact { workload, time: line.time, line: line.line })
        };
        self.or_note(lines, "logs").map(|lines| lines.into_iter().filter_map(fact).collect())
    }

    fn or_note<T>(&mut self, found: Result<T>, what: &str) -> Option<T> {
        found
            .map_err(|error| {
                let note = format!("{what} are not watched: {error}");
                if !self.report.notes.contains(&note) {
                    self.ctx.warn(note.clone());
                    self.report.notes.push(note);
                }
            })
            .ok()
    }

    /// Tells a listener what it does not know, the oldest first. A channel that fails is tried again at the next look.
    async fn tell(&mut self, index: usize, once: bool, output: &mut impl FnMut(&Notice) -> Result<()>) -> Result<()> {
        let (Some(listener), Some(channel)) = (self.listeners.get(index), self.channels.get(index)) else {
            return Ok(());
        };
        let name = listener.name.clone();
        while let Some(notice) = self.record.ledger.due(&name, self.cluster.server()).into_iter().next() {
            match channel {
                None => output(&notice)?,
                Some(channel) => {
                    if let Err(error) = channel.tell(&notice).await {
                        let words = format!("a notice was not taken and is sent again until it is: {error}");
                        if self.silent.insert(name, words.clone()).as_ref() != Some(&words) {
                            self.ctx.warn(words);
                        }
                        return Ok(());
                    }
                    self.silent.remove(&name);
                }
            }
            self.record.ledger.told(&name, &notice);
            self.record.keep()?;
            if name == OUTPUT && once {
                self.report.notices.push(notice);
            }
        }
        Ok(())
    }
}

/// An id that no other alert has: alerts begin at a moment of one process.
fn id(now: Timestamp, number: u32) -> String {
    format!("{:x}-{number}", now.as_nanosecond())
}

fn references(scope: &Scope) -> Vec<ObjectRef> {
    scope.found.iter().map(|found| found.reference()).collect()
}
