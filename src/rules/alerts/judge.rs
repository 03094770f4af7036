//! Which rules are broken now.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CertificateFact, ErrorFact, Facts, PodFact, VolumeFact};
use crate::{
    config::{AlertKind, AlertRule},
    model::{ObjectRef, Severity},
    rules::fields::counted,
};

/// What holds a rule's limit where the configuration gives none.
const RESTARTS: u32 = 3;
const ERRORS: u32 = 20;
/// Pods that were not ready count as well again after so long at the latest.
const SETTLES: Duration = Duration::from_secs(60);
const VOLUME: u32 = 80;
const CERTIFICATE: u32 = 14;
/// In seconds.
const DAY: i64 = 86_400;
/// Restarts of one container that are remembered, the newest.
const REMEMBERED: usize = 100;

/// A rule that is broken by an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The rule and the object: what makes it the same condition at the next look.
    pub key: String,
    pub rule: AlertKind,
    pub severity: Severity,
    pub object: ObjectRef,
    pub message: String,
    /// How long it must be gone before it counts as over: a container that crashes again and again is ready in between.
    pub settles: Duration,
}

/// Everything that is broken, and which rules could not be judged.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    pub conditions: Vec<Condition>,
    pub unknown: BTreeSet<AlertKind>,
}

/// The restarts that were seen, so that they can be counted within a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts(BTreeMap<String, Seen>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    count: u64,
    times: Vec<Timestamp>,
}

/// Judges the facts by the rules. Where a rule is there twice for one object, the worse condition counts.
pub fn judge(rules: &[AlertRule], facts: &Facts, restarts: &mut Restarts, now: Timestamp) -> Judgement {
    if let Some(pods) = &facts.pods {
        restarts.take(pods, now);
    }
    let mut judgement = Judgement::default();
    for rule in rules {
        match broken(rule, facts, restarts, now) {
            None => drop(judgement.unknown.insert(rule.rule)),
            Some(found) => found.into_iter().for_each(|condition| judgement.add(condition)),
        }
    }
    judgement.conditions.sort_by(|a, b| (a.severity, &a.key).cmp(&(b.severity, &b.key)));
    judgement
}

impl Judgement {
    fn add(&mut self, condition: Condition) {
        match self.conditions.iter_mut().find(|known| known.key == condition.key) {
            Some(known) if condition.severity < known.severity => *known = condition,
            Some(_) => {}
            None => self.conditions.push(condition),
        }
    }
}

/// The conditions of a rule; None where its facts are not known.
fn broken(rule: &AlertRule, facts: &Facts, restarts: &Restarts, now: Timestamp) -> Option<Vec<Condition>> {
    let condition = |object: &ObjectRef, message: String| Condition {
        key: key(rule.rule, object),
        rule: rule.rule,
        severity: rule.severity,
        object: object.clone(),
        message,
        settles: match rule.rule {
            AlertKind::NotReady => rule.during().min(SETTLES),
            _ => Duration::ZERO,
        },
    };
    let since = |during: Duration| now.saturating_sub(signed(during)).unwrap_or(Timestamp::MIN);
    let each =
        |found: Vec<(ObjectRef, String)>| found.into_iter().map(|(object, said)| condition(&object, said)).collect();
    Some(each(match rule.rule {
        AlertKind::Restarts => {
            let of = |pods: &[&PodFact]| restarting(pods, restarts, rule, since(rule.during()));
            by_workload(facts.pods.as_ref()?, of)
        }
        AlertKind::NotReady => {
            let of = |pods: &[&PodFact]| not_ready(pods, since(rule.during()), now);
            by_workload(facts.pods.as_ref()?, of)
        }
        AlertKind::ErrorLogs => erring(facts.errors.as_ref()?, rule, since(rule.during())),
        AlertKind::Volume => filling(facts.volumes.as_ref()?, rule),
        AlertKind::Certificate => ending(facts.certificates.as_ref()?, rule, now),
    }))
}

fn key(rule: AlertKind, object: &ObjectRef) -> String {
    format!("{rule:?} {} {object}", object.namespace.as_deref().unwrap_or_default())
}

/// What is said of each workload of which something is to be said.
fn by_workload(pods: &[PodFact], of: impl Fn(&[&PodFact]) -> Option<String>) -> Vec<(ObjectRef, String)> {
    let mut workloads: BTreeMap<&ObjectRef, Vec<&PodFact>> = BTreeMap::new();
    for pod in pods {
        workloads.entry(&pod.workload).or_default().push(pod);
    }
    workloads.into_iter().filter_map(|(object, pods)| Some((object.clone(), of(&pods)?))).collect()
}

fn erring(errors: &[ErrorFact], rule: &AlertRule, since: Timestamp) -> Vec<(ObjectRef, String)> {
    let mut counts: BTreeMap<&ObjectRef, (u32, &str)> = BTreeMap::new();
    for error in errors.iter().filter(|error| error.time >= since) {
        let known = counts.entry(&error.workload).or_default();
        *known = (known.0 + 1, &error.line);
    }
    let over = counts.into_iter().filter(|(_, (count, _))| *count > rule.above.unwrap_or(ERRORS));
    over.map(|(object, (count, line))| {
        let (lines, during) = (counted(count.into(), "line"), words(rule.during()));
        (object.clone(), format!("{lines} of the level error within {during}; the last: {line}"))
    })
    .collect()
}

fn filling(volumes: &[VolumeFact], rule: &AlertRule) -> Vec<(ObjectRef, String)> {
    let limit = u128::from(rule.above.unwrap_or(VOLUME));
    let full = |volume: &VolumeFact| {
        let used = u128::from(volume.used_bytes) * 100;
        used.checked_div(volume.capacity_bytes.into()).unwrap_or(0)
    };
    let over = volumes.iter().filter(|volume| full(volume) > limit);
    over.map(|volume| {
        let free = volume.capacity_bytes.saturating_sub(volume.used_bytes) >> 20;
        (volume.claim.clone(), format!("the volume is {} % full; {free} MiB are free", full(volume)))
    })
    .collect()
}

fn ending(certificates: &[CertificateFact], rule: &AlertRule, now: Timestamp) -> Vec<(ObjectRef, String)> {
    let left = |ends: Timestamp| (ends.as_second() - now.as_second()).div_euclid(DAY);
    let limit = i64::from(rule.days.unwrap_or(CERTIFICATE));
    let near = certificates.iter().filter(|certificate| left(certificate.ends) < limit);
    near.map(|certificate| {
        let end = match left(certificate.ends) {
            ..0 => format!("ended on {}", certificate.ends),
            days => format!("ends in {}, on {}", counted(days, "day"), certificate.ends),
        };
        (certificate.secret.clone(), format!("the certificate for {} {end}", certificate.names.join(", ")))
    })
    .collect()
}

fn restarting(pods: &[&PodFact], restarts: &Restarts, rule: &AlertRule, since: Timestamp) -> Option<String> {
    let containers = pods.iter().flat_map(|pod| pod.containers.iter().map(move |container| (pod, container)));
    let counts = containers.map(|(pod, container)| (restarts.within(&pod.uid, &container.name, since), pod, container));
    let (mut all, mut worst): (u64, Option<(u64, _, _)>) = (0, None);
    for (count, pod, container) in counts {
        all += count;
        if worst.as_ref().is_none_or(|(known, ..)| *known < count) {
            worst = Some((count, pod, container));
        }
    }
    let (_, pod, container) = worst.filter(|_| all > u64::from(rule.above.unwrap_or(RESTARTS)))?;
    let end = container.last_end.as_ref().map(|(_, words)| format!("; {} last ended with {words}", container.name));
    let times = counted(i64::try_from(all).unwrap_or(i64::MAX), "restart");
    let during = words(rule.during());
    Some(format!("{times} within {during}, most in pod/{}{}", pod.pod, end.unwrap_or_default()))
}

fn not_ready(pods: &[&PodFact], limit: Timestamp, now: Timestamp) -> Option<String> {
    let unready = pods.iter().filter_map(|pod| pod.unready.as_ref().map(|(since, why)| (since, pod, why)));
    let late: Vec<_> = unready.filter(|(since, ..)| **since <= limit).collect();
    let (since, pod, why) = late.iter().min_by_key(|(since, ..)| *since)?;
    let lasts = u64::try_from(now.as_second() - since.as_second()).unwrap_or(0);
    let lasts = words(Duration::from_secs(lasts));
    Some(format!("{} of {} pods not ready; pod/{} for {lasts}: {why}", late.len(), pods.len(), pod.pod))
}

impl Restarts {
    /// Notes the restarts that came since the last look. Those of a pod that is seen for the first time count when the
    /// pod says that its last end is recent: how often it restarted before is not known in time.
    fn take(&mut self, pods: &[PodFact], now: Timestamp) {
        let mut seen = BTreeMap::new();
        for pod in pods {
            for container in &pod.containers {
                let name = name(&pod.uid, &container.name);
                let time = container.last_end.as_ref().map_or(now, |(time, _)| *time);
                let mut known = self.0.remove(&name).unwrap_or_else(|| Seen {
                    count: container.restarts.saturating_sub(container.last_end.is_some().into()),
                    times: Vec::new(),
                });
                let more = container.restarts.saturating_sub(known.count);
                known.times.extend((0..more.min(REMEMBERED as u64)).map(|_| time));
                let excess = known.times.len().saturating_sub(REMEMBERED);
                known.times.drain(..excess);
                known.count = container.restarts;
                seen.insert(name, known);
            }
        }
        self.0 = seen;
    }

    fn within(&self, uid: &str, container: &str, since: Timestamp) -> u64 {
        let times = self.0.get(&name(uid, container)).map(|seen| seen.times.as_slice()).unwrap_or_default();
        times.iter().filter(|time| **time >= since).count() as u64
    }
}

fn name(uid: &str, container: &str) -> String {
    format!("{uid}/{container}")
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A time in its largest units: `10m`, `1h30m`.
fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
    }
}
