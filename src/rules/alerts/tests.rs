use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    config::{AlertKind, AlertRule},
    model::{AlertState, ObjectRef, Severity},
    rules::fields::yaml,
};

fn api() -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "api".into(),
    }
}

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

fn rules(kinds: &[AlertKind]) -> Vec<AlertRule> {
    kinds.iter().copied().map(AlertRule::of).collect()
}

fn restarted(times: u64, ended: i64) -> Facts {
    let container =
        ContainerFact { name: "main".into(), restarts: times, last_end: Some((at(ended), "exit code 1".into())) };
    let pod =
        PodFact { workload: api(), pod: "api-1".into(), uid: "u".into(), unready: None, containers: vec![container] };
    Facts { pods: Some(vec![pod]), ..Facts::default() }
}

#[test]
fn restarts_are_counted_within_their_time() {
    let rules = rules(&[AlertKind::Restarts]);
    let mut seen = Restarts::default();
    let mut broken = |times, now| judge(&rules, &restarted(times, now), &mut seen, at(now)).conditions;
    assert!(broken(40, 0).is_empty(), "what was before is not known in time");
    assert!(broken(42, 100).is_empty());
    let [condition] = &broken(43, 200)[..] else { panic!("one condition") };
    assert_eq!(condition.message, "4 restarts within 10m, most in pod/api-1; main last ended with exit code 1");
    assert!(broken(43, 900).is_empty());
}

#[test]
fn a_pod_that_is_not_ready_for_long_says_why() {
    let pod = yaml(
        "{metadata: {name: api-1, uid: u, creationTimestamp: 2026-11-21T09:00:00Z}, spec: {containers: [{name: main, image: a}]},
          status: {phase: Running, conditions: [{type: Ready, status: 'False', lastTransitionTime: 2026-11-21T10:00:00Z}],
            containerStatuses: [{name: main, ready: false, restartCount: 9, state: {waiting: {reason: CrashLoopBackOff}},
              lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: 2026-11-21T10:00:00Z}}}]}}",
    );
    let facts = Facts { pods: Some(vec![pod_fact(&pod, &api())]), ..Facts::default() };
    let rules = rules(&[AlertKind::NotReady]);
    let mut seen = Restarts::default();
    assert!(judge(&rules, &facts, &mut seen, at(299)).conditions.is_empty());
    let [condition] = &judge(&rules, &facts, &mut seen, at(330)).conditions[..] else { panic!("one condition") };
    assert!(condition.message.starts_with("1 of 1 pods not ready; pod/api-1 for 5m30s: "), "{}", condition.message);
}

#[test]
fn volumes_certificates_and_errors_have_limits_and_the_worse_rule_counts() {
    let claim = ObjectRef { kind: "PersistentVolumeClaim".into(), name: "data".into(), ..api() };
    let secret = ObjectRef { kind: "Secret".into(), name: "tls".into(), ..api() };
    let facts = Facts {
        pods: None,
        errors: Some(
            (0..21).map(|second| ErrorFact { workload: api(), time: at(second), line: "bad".into() }).collect(),
        ),
        volumes: Some(vec![VolumeFact { claim, used_bytes: 97 << 20, capacity_bytes: 100 << 20 }]),
        certificates: Some(vec![CertificateFact { secret, ends: at(86_400 * 3), names: vec!["shop.example".into()] }]),
    };
    let kinds = [AlertKind::Volume, AlertKind::Certificate, AlertKind::ErrorLogs, AlertKind::Restarts];
    let mut rules = rules(&kinds);
    rules.push(AlertRule { above: Some(95), severity: Severity::Error, ..AlertRule::of(AlertKind::Volume) });
    let judgement = judge(&rules, &facts, &mut Restarts::default(), at(30));
    let said: Vec<(Severity, &str)> =
        judgement.conditions.iter().map(|condition| (condition.severity, condition.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (Severity::Error, "the volume is 97 % full; 3 MiB are free"),
            (Severity::Warning, "the certificate for shop.example ends in 2 days, on 2026-11-24T10:00:00Z"),
            (Severity::Warning, "21 lines of the level error within 1m; the last: bad"),
        ]
    );
    assert!(judgement.unknown.contains(&AlertKind::Restarts));
}

fn listeners() -> [Listener; 2] {
    [("slack", Severity::Warning), ("mail", Severity::Error)].map(|(name, from)| Listener { name: name.into(), from })
}

fn condition(severity: Severity) -> Condition {
    Condition {
        key: "k".into(),
        rule: AlertKind::Volume,
        severity,
        object: api(),
        message: "full".into(),
        settles: Duration::ZERO,
    }
}

fn now_broken(conditions: Vec<Condition>) -> Judgement {
    Judgement { conditions, ..Judgement::default() }
}

#[test]
fn each_listener_is_told_once_and_of_the_recovery() {
    let mut ledger = Ledger::default();
    let mut ids = 0;
    let mut id = || {
        ids += 1;
        ids.to_string()
    };
    ledger.take(&now_broken(vec![condition(Severity::Warning)]), &listeners(), at(0), &mut id);
    assert!(ledger.due("mail", "c").is_empty(), "mail is told of errors alone");
    let [notice] = &ledger.due("slack", "c")[..] else { panic!("one notice") };
    assert_eq!(notice.state, AlertState::Firing);
    ledger.told("slack", notice);
    ledger.take(&now_broken(vec![condition(Severity::Warning)]), &listeners(), at(10), &mut id);
    assert!(ledger.due("slack", "c").is_empty());
    // Worse: it ends and begins anew, and mail hears of it.
    ledger.take(&now_broken(vec![condition(Severity::Error)]), &listeners(), at(20), &mut id);
    assert_eq!(ledger.due("mail", "c").len(), 1);
    let states: Vec<AlertState> = ledger.due("slack", "c").iter().map(|notice| notice.state).collect();
    assert_eq!(states, [AlertState::Recovered, AlertState::Firing]);
    // What cannot be judged stays.
    let unknown = Judgement { unknown: [AlertKind::Volume].into(), ..Judgement::default() };
    ledger.take(&unknown, &listeners(), at(30), &mut id);
    assert_eq!(ledger.firing().len(), 1);
    ledger.take(&now_broken(Vec::new()), &listeners(), at(40), &mut id);
    assert!(ledger.firing().is_empty());
    // Nobody was told yet, so both the begin and the end are still due.
    let [begin] = &ledger.due("mail", "c")[..] else { panic!("one notice at a time") };
    assert_eq!(begin.state, AlertState::Firing);
    ledger.told("mail", begin);
    assert_eq!(ledger.due("mail", "c").first().map(|notice| notice.state), Some(AlertState::Recovered));
    ledger.keep_listeners(&[]);
    assert_eq!(ledger, Ledger::default());
}

#[test]
fn what_comes_and_goes_is_one_alert() {
    let mut ledger = Ledger::default();
    let mut ids = 0;
    let mut take = |broken: bool, now: i64| {
        let condition = Condition { settles: Duration::from_secs(30), ..condition(Severity::Warning) };
        let conditions = if broken { vec![condition] } else { Vec::new() };
        ledger.take(&now_broken(conditions), &listeners(), at(now), || {
            ids += 1;
            ids.to_string()
        });
        ledger.firing().first().map(|alert| alert.id.clone())
    };
    for (broken, now) in [(true, 0), (false, 10), (true, 20), (false, 30), (false, 59)] {
        assert_eq!(take(broken, now).as_deref(), Some("1"), "{now}");
    }
    assert_eq!(take(false, 60), None);
    assert_eq!(take(true, 70).as_deref(), Some("2"));
}

proptest! {
    /// Whatever comes and goes, and whenever telling fails, each begin is told once, and each end once after it.
    #[test]
    fn no_notice_is_lost_or_doubled(steps in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 1..40)) {
        let mut ledger = Ledger::default();
        let mut told: Vec<(String, AlertState)> = Vec::new();
        let (mut ids, mut begins, mut is_broken) = (0, 0, false);
        for (number, (breaks, reachable, restart)) in steps.into_iter().chain([(false, true, true)]).enumerate() {
            begins += usize::from(breaks && !is_broken);
            is_broken = breaks;
            let conditions = if breaks { vec![condition(Severity::Warning)] } else { Vec::new() };
            let id = || { ids += 1; ids.to_string() };
            ledger.take(&now_broken(conditions), &listeners(), at(i64::try_from(number).unwrap()), id);
            if restart {
                ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
            }
            while reachable && let Some(notice) = ledger.due("slack", "c").into_iter().next() {
                ledger.told("slack", &notice);
                told.push((notice.alert.id, notice.state));
            }
        }
        let mut once = told.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), told.len());
        prop_assert_eq!(told.len(), 2 * begins);
        let restarts = std::mem::take(&mut ledger.restarts);
        prop_assert_eq!(restarts, Restarts::default());
        prop_assert_eq!(ledger, Ledger::default());
    }
}
