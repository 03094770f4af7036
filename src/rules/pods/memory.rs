//! Since when: the only state of the judgement of pods.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    container::crashes,
    state::{Allowance, Instance, Stage, State, Trouble, Verdict},
};
use crate::rules::fields::{list, text};

/// How long a container that no readiness probe vouches for has to run: most that crash do so at once, and
/// Kubernetes calls them available in that moment.
const SETTLE: Duration = Duration::from_secs(3);

/// How much trouble is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long an error may last, from when it was first seen.
    pub grace: Duration,
    /// How often a container of the new revision may be restarted.
    pub restart_budget: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10), restart_budget: 1 }
    }
}

type Container = (String, String);

/// What was seen when, for each pod by its uid.
#[derive(Debug, Default)]
pub struct Memory {
    troubles: HashMap<(Container, Stage), Duration>,
    instances: HashMap<(Container, u32), Duration>,
    /// Restarts from before the wait, which are not counted, for pods that are older than it.
    old: HashMap<String, HashMap<String, u32>>,
}

impl Memory {
    /// Concludes from what a pod shows now and has shown before. `since` is when the deploy began, `now` the time
    /// since the wait began.
    pub fn weigh(
        &mut self,
        pod: &Value,
        state: State,
        patience: &Patience,
        since: Timestamp,
        now: Duration,
    ) -> Verdict {
        let uid = text(pod, "/metadata/uid");
        self.meet(pod, uid, since);
        match state {
            State::Done => Verdict::Ok,
            State::Underway(message) => Verdict::Progress { message, until: None },
            State::Ready(instances) => self.settled(uid, &instances, patience, now),
            State::Trouble(trouble) => self.lasting(uid, trouble, patience, now),
        }
    }

    /// Weighs a trouble of an object that is no pod, such as a workload whose pods are refused.
    pub fn lasting(&mut self, uid: &str, trouble: Trouble, patience: &Patience, now: Duration) -> Verdict {
        let container = (uid.to_owned(), trouble.container.clone().unwrap_or_default());
        let restarts_before = self.restarts_before(&container);
        let first = *self.troubles.entry((container, trouble.stage)).or_insert(now);
        let borne = match trouble.allowance {
            Allowance::Grace(times) => Some(patience.grace * times),
            Allowance::Window(seconds) => Some(Duration::from_secs(seconds).max(patience.grace * 6)),
            Allowance::Crashes(crashes) => {
                (crashes.saturating_sub(restarts_before) > patience.restart_budget).then_some(patience.grace)
            }
        };
        let until = borne.map(|borne| first + borne);
        match until {
            Some(until) if now >= until => Verdict::Fatal(trouble),
            until => Verdict::Transient { trouble, until },
        }
    }

    /// Forgets the troubles of an object that has none now.
    pub fn relieve(&mut self, uid: &str) {
        self.troubles.retain(|((of, _), _), _| of != uid);
    }

    fn settled(&mut self, uid: &str, instances: &[Instance], patience: &Patience, now: Duration) -> Verdict {
        let mut until = None;
        for instance in instances {
            let container = (uid.to_owned(), instance.container.clone());
            let restarted = instance.restarts > self.restarts_before(&container);
            let needed = match (restarted, instance.probed || self.old.contains_key(uid)) {
                (true, _) => patience.grace,
                (false, true) => Duration::ZERO,
                (false, false) => SETTLE.min(patience.grace),
            };
            let first = *self.instances.entry((container, instance.restarts)).or_insert(now);
            until = until.max(Some(first + needed).filter(|end| now < *end));
        }
        if until.is_none() {
            self.relieve(uid);
            return Verdict::Ok;
        }
        Verdict::Progress { message: "watched for an early end".into(), until }
    }

    fn restarts_before(&self, (uid, container): &Container) -> u32 {
        self.old.get(uid).and_then(|containers| containers.get(container)).copied().unwrap_or(0)
    }

    /// Remembers how often the containers of a pod from before the deploy had restarted at the first look.
    fn meet(&mut self, pod: &Value, uid: &str, since: Timestamp) {
        let created: Option<Timestamp> = text(pod, "/metadata/creationTimestamp").parse().ok();
        if self.old.contains_key(uid) || created.is_none_or(|created| created >= since) {
            return;
        }
        let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
        let restarts = statuses
            .into_iter()
            .flat_map(|place| list(pod, place))
            .map(|status| (text(status, "/name").to_owned(), crashes(status)));
        self.old.insert(uid.to_owned(), restarts.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    const SECOND: Duration = Duration::from_secs(1);

    fn since() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn pod(created: &str, restarts: u32) -> Value {
        yaml(&format!(
            "{{metadata: {{uid: u, creationTimestamp: {created}}}, status: {{containerStatuses: [{{name: main, restartCount: {restarts}, state: {{waiting: {{}}}}, lastState: {{terminated: {{}}}}}}]}}}}"
        ))
    }

    fn new() -> Value {
        pod("2026-11-21T10:00:01Z", 0)
    }

    fn trouble(stage: Stage, allowance: Allowance) -> State {
        let container = Some("main".to_owned());
        State::Trouble(Trouble { stage, container, reason: "R".into(), message: "m".into(), allowance })
    }

    fn ready(restarts: u32, probed: bool) -> State {
        State::Ready(vec![Instance { container: "main".into(), restarts, probed }])
    }

    fn is_fatal(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Fatal(_))
    }

    #[test]
    fn an_error_is_final_when_it_has_lasted() {
        let (mut memory, patience) = (Memory::default(), Patience::default());
        let mut at = |seconds: u32, state| memory.weigh(&new(), state, &patience, since(), SECOND * seconds);
        let pull = || trouble(Stage::Image, Allowance::Grace(1));
        let first = at(2, pull());
        assert!(matches!(first, Verdict::Transient { until: Some(until), .. } if until == SECOND * 12), "{first:?}");
        // A pause between two tries does not begin the time anew.
        at(8, State::Underway("ContainerCreating".into()));
        assert!(!is_fatal(&at(11, pull())));
        assert!(is_fatal(&at(12, pull())));
    }

    #[test]
    fn a_crash_needs_both_the_budget_and_the_grace() {
        let (mut memory, patience) = (Memory::default(), Patience::default());
        let mut at = |seconds: u32, crashes| {
            memory.weigh(
                &new(),
                trouble(Stage::Crash, Allowance::Crashes(crashes)),
                &patience,
                since(),
                SECOND * seconds,
            )
        };
        assert!(matches!(at(1, 1), Verdict::Transient { until: None, .. }));
        assert!(matches!(at(3, 2), Verdict::Transient { until: Some(_), .. }));
        assert!(is_fatal(&at(11, 2)));
    }

    #[test]
    fn restarts_from_before_the_deploy_do_not_count() {
        let old = pod("2026-11-21T09:00:00Z", 500);
        let (mut memory, patience) = (Memory::default(), Patience { grace: Duration::ZERO, restart_budget: 1 });
        let mut with = |crashes| {
            is_fatal(&memory.weigh(
                &old,
                trouble(Stage::Crash, Allowance::Crashes(crashes)),
                &patience,
                since(),
                SECOND,
            ))
        };
        assert_eq!([with(501), with(502), with(503)], [false, false, true]);
    }

    #[test]
    fn an_unprobed_container_has_to_run_for_a_moment() {
        let (mut memory, patience) = (Memory::default(), Patience::default());
        let mut at = |seconds: u32, state| memory.weigh(&new(), state, &patience, since(), SECOND * seconds);
        assert!(matches!(at(1, ready(0, false)), Verdict::Progress { until: Some(until), .. } if until == SECOND * 4));
        assert_eq!(at(4, ready(0, false)), Verdict::Ok);
        assert_eq!(at(4, ready(0, true)), Verdict::Ok);
        // Restarted since: it is watched for the grace time, probe or not.
        assert!(matches!(at(5, ready(1, true)), Verdict::Progress { until: Some(until), .. } if until == SECOND * 15));
        assert_eq!(at(15, ready(1, true)), Verdict::Ok);
    }

    #[test]
    fn a_pod_from_before_the_deploy_has_settled() {
        let old = pod("2026-11-21T09:00:00Z", 0);
        assert_eq!(Memory::default().weigh(&old, ready(0, false), &Patience::default(), since(), SECOND), Verdict::Ok);
    }
}
