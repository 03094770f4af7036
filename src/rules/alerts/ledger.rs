//! Which alerts have begun and ended, and who has been told. It is kept between runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::judge::{Judgement, Restarts};
use crate::{
    config::AlertKind,
    model::{Alert, AlertState, Notice, Severity},
};

/// Everything that must survive the end of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ledger {
    /// By the key of their condition.
    alerts: BTreeMap<String, Kept>,
    /// Alerts that are over, and not everyone knows it.
    ended: Vec<Kept>,
    pub restarts: Restarts,
}

/// Someone who is told: a name, and the severity from which on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    pub from: Severity,
}

/// An alert, and who knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub alert: Alert,
    kind: AlertKind,
    /// In seconds.
    #[serde(default)]
    settles: u64,
    /// Since when it is gone, while it may come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone: Option<Timestamp>,
    /// The channels that are told of it.
    #[serde(default)]
    tell: BTreeSet<String>,
    /// Those that were told of its begin.
    #[serde(default)]
    begun: BTreeSet<String>,
    /// Those that were told of its end.
    #[serde(default)]
    over: BTreeSet<String>,
}

impl Ledger {
    /// Takes in what is broken now: what is new begins, what is broken no longer ends, and what could not be judged
    /// stays as it is. An alert that grows worse ends and begins anew, so that those hear of it who are told of
    /// errors alone. `id` gives an id that was never given.
    pub fn take(
        &mut self,
        judgement: &Judgement,
        listeners: &[Listener],
        now: Timestamp,
        mut id: impl FnMut() -> String,
    ) {
        let mut before = std::mem::take(&mut self.alerts);
        for condition in &judgement.conditions {
            let known = before.remove(&condition.key);
            let worse = known.as_ref().is_some_and(|known| condition.severity < known.alert.severity);
            let (ended, known) = if worse { (known, None) } else { (None, known) };
            self.ended.extend(ended.map(|ended| end(ended, now)));
            let mut kept = known.unwrap_or_else(|| Kept {
                alert: Alert {
                    id: id(),
                    rule: rule_name(condition.rule),
                    severity: condition.severity,
                    object: condition.object.clone(),
                    message: String::new(),
                    since: now,
                    until: None,
                },
                kind: condition.rule,
                settles: 0,
                gone: None,
                tell: BTreeSet::new(),
                begun: BTreeSet::new(),
                over: BTreeSet::new(),
            });
            kept.alert.message.clone_from(&condition.message);
            (kept.settles, kept.gone) = (condition.settles.as_secs(), None);
            let fitting = listeners.iter().filter(|listener| kept.alert.severity <= listener.from);
            kept.tell.extend(fitting.map(|listener| listener.name.clone()));
            self.alerts.insert(condition.key.clone(), kept);
        }
        for (key, mut kept) in before {
            if judgement.unknown.contains(&kept.kind) {
                self.alerts.insert(key, kept);
                continue;
            }
            let gone = *kept.gone.get_or_insert(now);
            let settled = now.as_second() - gone.as_second() >= i64::try_from(kept.settles).unwrap_or(i64::MAX);
            match settled {
                true => self.ended.push(end(kept, gone)),
                false => drop(self.alerts.insert(key, kept)),
            }
        }
    }

    /// What a listener has to be told next, the oldest first: of each alert its begin, and then its end.
    pub fn due(&self, listener: &str, cluster: &str) -> Vec<Notice> {
        let notice = |kept: &Kept| {
            let heard = kept.begun.contains(listener);
            let over = kept.alert.until.is_some();
            let state = match (kept.tell.contains(listener), heard) {
                (true, false) => AlertState::Firing,
                (true, true) if over && !kept.over.contains(listener) => AlertState::Recovered,
                _ => return None,
            };
            Some(Notice { state, alert: kept.alert.clone(), cluster: cluster.to_owned() })
        };
        let mut due: Vec<Notice> = self.ended.iter().chain(self.alerts.values()).filter_map(notice).collect();
        due.sort_by_key(|notice| match notice.state {
            AlertState::Recovered => notice.alert.until.unwrap_or(notice.alert.since),
            AlertState::Firing => notice.alert.since,
        });
        due
    }

    /// Notes that a listener was told.
    pub fn told(&mut self, listener: &str, notice: &Notice) {
        for kept in self.alerts.values_mut().chain(&mut self.ended).filter(|kept| kept.alert.id == notice.alert.id) {
            let known = match notice.state {
                AlertState::Firing => &mut kept.begun,
                AlertState::Recovered => &mut kept.over,
            };
            known.insert(listener.to_owned());
        }
        self.ended.retain(|kept| !kept.tell.is_subset(&kept.over));
    }

    /// Waits no longer for listeners that are not configured any more.
    pub fn keep_listeners(&mut self, listeners: &[Listener]) {
        let known = |name: &String| listeners.iter().any(|listener| listener.name == *name);
        self.alerts.values_mut().chain(&mut self.ended).for_each(|kept| kept.tell.retain(known));
        self.ended.retain(|kept| !kept.tell.is_subset(&kept.over));
    }

    /// What lasts, the worst first.
    pub fn firing(&self) -> Vec<Alert> {
        let mut firing: Vec<Alert> = self.alerts.values().map(|kept| kept.alert.clone()).collect();
        firing.sort_by_key(|alert| (alert.severity, alert.since));
        firing
    }
}

fn end(mut kept: Kept, now: Timestamp) -> Kept {
    kept.alert.until = Some(now);
    kept
}

/// As the configuration writes it.
fn rule_name(kind: AlertKind) -> String {
    match kind {
        AlertKind::Restarts => "restarts",
        AlertKind::ErrorLogs => "errorLogs",
        AlertKind::NotReady => "notReady",
        AlertKind::Volume => "volume",
        AlertKind::Certificate => "certificate",
    }
    .into()
}
