//! The judgement of a workload, of all that is known about it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::revision::{newest_replica_set, of_new_revision};
use crate::{
    model::{Health, Status},
    rules::{
        fields::{number, text},
        pods::{Allowance, Memory, Patience, Stage, State, Trouble, Verdict, creation, examine},
        readiness::health,
    },
};

/// What surrounds a workload in the cluster.
pub struct Surroundings<'v> {
    /// Those of a Deployment, old and new.
    pub replica_sets: Vec<&'v Value>,
    /// All of its pods, of every revision.
    pub pods: Vec<&'v Value>,
    /// The events about the object with a uid.
    pub events: &'v dyn Fn(&str) -> Vec<&'v Value>,
}

/// When it is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// When the deploy began; what is older is not its doing.
    pub since: Timestamp,
    /// Since the wait began.
    pub now: Duration,
}

/// A trouble, and the pod that has it; none where the pods are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTrouble {
    pub pod: Option<String>,
    pub trouble: Trouble,
    /// Whether it is an error from which the pod does not recover.
    pub fatal: bool,
}

/// How a workload does.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    pub health: Health,
    /// A line for each pod that is waited for: `api-x (ContainerCreating)`.
    pub pods: Vec<String>,
    /// What stands in the way, the likeliest cause first.
    pub troubles: Vec<PodTrouble>,
    /// When to look again though nothing changes, since the wait began.
    pub until: Option<Duration>,
}

/// Collects the verdicts of pods.
struct Bench<'j> {
    memory: &'j mut Memory,
    patience: Patience,
    clock: Clock,
    rollout: Rollout,
    /// A pod is not through yet though the numbers of the workload are right.
    unsettled: Option<String>,
}

/// Judges a workload (or a pod of its own) from its status, its ReplicaSets, its pods and their events.
pub fn judge(
    workload: &Value,
    around: &Surroundings,
    memory: &mut Memory,
    patience: &Patience,
    clock: Clock,
) -> Rollout {
    let health = health(workload);
    let rollout = Rollout { health, pods: Vec::new(), troubles: Vec::new(), until: None };
    let over = matches!(rollout.health.reason.as_str(), "Paused" | "Suspended")
        || rollout.health.status == Status::Terminating;
    let mut bench = Bench { memory, patience: patience_of(workload, patience), clock, rollout, unsettled: None };
    if !over {
        bench.hear(workload, around);
    }
    bench.conclude()
}

impl Bench<'_> {
    fn hear(&mut self, workload: &Value, around: &Surroundings) {
        let newest = newest_replica_set(workload, &around.replica_sets);
        let (new, old): (Vec<&Value>, Vec<&Value>) =
            around.pods.iter().copied().partition(|pod| of_new_revision(workload, newest, pod, &around.pods));
        let (leaving, new): (Vec<&Value>, Vec<&Value>) = new.into_iter().partition(|pod| is_leaving(pod));
        self.refused(workload, newest, around, &new, !old.is_empty() || !leaving.is_empty());
        let (failed, alive): (Vec<&Value>, Vec<&Value>) =
            new.into_iter().partition(|pod| text(pod, "/status/phase") == "Failed");
        for pod in alive {
            self.pod(workload, pod, around);
        }
        self.failed(workload, &failed, around);
        if text(workload, "/kind") == "StatefulSet" {
            self.blocked_by_old(workload, &old, around);
        }
        if self.rollout.pods.is_empty() {
            let leaving = old.iter().chain(&leaving).filter(|pod| is_leaving(pod));
            self.rollout.pods = leaving.map(|pod| format!("{} (Terminating)", name(pod))).collect();
        }
    }

    /// Pods that the API server does not let come into being.
    fn refused(
        &mut self,
        workload: &Value,
        newest: Option<&Value>,
        around: &Surroundings,
        new: &[&Value],
        others: bool,
    ) {
        let uid = text(workload, "/metadata/uid");
        let wanted = ["/status/desiredNumberScheduled", "/spec/replicas", "/spec/parallelism"];
        let wanted = wanted.into_iter().find_map(|pointer| number(workload, pointer)).unwrap_or(1);
        let missing = i64::try_from(new.len()).unwrap_or(i64::MAX) < wanted && text(workload, "/kind") != "Pod";
        let waits = self.rollout.health.status == Status::InProgress;
        let owners: Vec<&Value> = [workload].into_iter().chain(newest).collect();
        let events = (around.events)(uid);
        match creation(&owners, &events, self.clock.since, others).filter(|_| missing && waits) {
            Some(trouble) => {
                let verdict = self.memory.lasting(uid, trouble, &self.patience, self.clock.now);
                self.take(None, verdict);
            }
            None => self.memory.relieve(uid),
        }
    }

    fn pod(&mut self, workload: &Value, pod: &Value, around: &Surroundings) {
        let state = examine(pod, &(around.events)(text(pod, "/metadata/uid")));
        let state = match state {
            // A Job tries again by itself, as often as its backoffLimit says.
            State::Trouble(trouble) if trouble.stage == Stage::Crash && retries_by_itself(workload, pod) => {
                State::Underway(trouble.message)
            }
            State::Trouble(trouble) if text(workload, "/kind") == "Job" => State::Trouble(self.last_try(trouble)),
            state => state,
        };
        let verdict = self.memory.weigh(pod, state, &self.patience, self.clock.since, self.clock.now);
        self.take(Some(pod), verdict);
    }

    /// A Job whose pods are restarted in place deletes the pod, and its log with it, when the restarts are used up.
    /// The end of the last one it allows is final at once, while the log is there.
    fn last_try(&self, mut trouble: Trouble) -> Trouble {
        if matches!(trouble.allowance, Allowance::Crashes(crashes) if crashes > self.patience.restart_budget) {
            trouble.allowance = Allowance::Grace(0);
        }
        trouble
    }

    /// Pods that have failed as a whole, such as evicted ones. Their controller makes others, so they count together.
    fn failed(&mut self, workload: &Value, failed: &[&Value], around: &Surroundings) {
        let Some(pod) = failed.iter().copied().max_by_key(|pod| text(pod, "/metadata/creationTimestamp")) else {
            return;
        };
        if self.rollout.health.status == Status::Current {
            return;
        }
        let State::Trouble(mut trouble) = examine(pod, &(around.events)(text(pod, "/metadata/uid"))) else { return };
        let uid = text(workload, "/metadata/uid");
        let many = failed.len() > usize::try_from(self.patience.restart_budget).unwrap_or(usize::MAX);
        let verdict = if many && text(workload, "/kind") != "Job" {
            trouble.allowance = Allowance::Grace(1);
            self.memory.lasting(&format!("{uid} failed"), trouble, &self.patience, self.clock.now)
        } else {
            Verdict::Transient { trouble, until: None }
        };
        self.take(Some(pod), verdict);
    }

    /// A StatefulSet that orders its pods replaces none while one of them, of whatever revision, is not ready.
    fn blocked_by_old(&mut self, workload: &Value, old: &[&Value], around: &Surroundings) {
        let ordered = text(workload, "/spec/podManagementPolicy") != "Parallel";
        let rolling = text(workload, "/spec/updateStrategy/type") != "OnDelete";
        if !ordered || !rolling || self.rollout.health.status != Status::InProgress {
            return;
        }
        for pod in old.iter().copied().filter(|pod| !is_leaving(pod)) {
            let State::Trouble(mut trouble) = examine(pod, &(around.events)(text(pod, "/metadata/uid"))) else {
                continue;
            };
            trouble.message = format!(
                "it is of the old revision and has to become ready before the new one comes: {}",
                trouble.message
            );
            if !matches!(trouble.allowance, Allowance::Window(_)) {
                trouble.allowance = Allowance::Grace(1);
            }
            let verdict = self.memory.lasting(text(pod, "/metadata/uid"), trouble, &self.patience, self.clock.now);
            self.take(Some(pod), verdict);
        }
    }

    fn take(&mut self, pod: Option<&Value>, verdict: Verdict) {
        let (words, until) = match verdict {
            Verdict::Ok => return,
            Verdict::Progress { message, until } => (message, until),
            Verdict::Transient { trouble, until } => {
                let words = trouble.message.clone();
                self.rollout.troubles.push(PodTrouble { pod: pod.map(name), trouble, fatal: false });
                (words, until)
            }
            Verdict::Fatal(trouble) => {
                let words = trouble.message.clone();
                self.rollout.troubles.push(PodTrouble { pod: pod.map(name), trouble, fatal: true });
                (words, None)
            }
        };
        self.rollout.until = match (self.rollout.until, until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        match pod {
            Some(pod) => self.rollout.pods.push(format!("{} ({words})", name(pod))),
            None => self.rollout.health.message.push_str(&format!("; {words}")),
        }
        self.unsettled.get_or_insert(words);
    }

    fn conclude(mut self) -> Rollout {
        self.rollout.troubles.sort_by_key(|known| (!known.fatal, known.trouble.stage));
        self.rollout.pods.sort();
        let current = self.rollout.health.status == Status::Current;
        if let Some(known) = self.rollout.troubles.first().filter(|known| known.fatal) {
            let message = match &known.pod {
                Some(pod) => format!("pod {pod}: {}", known.trouble.message),
                None => known.trouble.message.clone(),
            };
            self.rollout.health = Health::failed(known.trouble.reason.clone(), message);
        } else if let Some(words) = self.unsettled.filter(|_| current) {
            self.rollout.health = Health::in_progress(format!("{}; {words}", self.rollout.health.message));
        }
        self.rollout
    }
}

/// A Job says itself how often its containers may be restarted.
fn patience_of(workload: &Value, patience: &Patience) -> Patience {
    if text(workload, "/kind") != "Job" {
        return *patience;
    }
    let limit = u32::try_from(number(workload, "/spec/backoffLimit").unwrap_or(6)).unwrap_or(0);
    Patience { restart_budget: limit.saturating_sub(1), ..*patience }
}

/// Whether a crash of this pod is answered with a new pod, which the Job counts.
fn retries_by_itself(workload: &Value, pod: &Value) -> bool {
    text(workload, "/kind") == "Job" && text(pod, "/spec/restartPolicy") == "Never"
}

fn is_leaving(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

fn name(pod: &Value) -> String {
    text(pod, "/metadata/name").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    const SECOND: Duration = Duration::from_secs(1);

    /// A pod of a ReplicaSet or another owner; `status` is that of its container.
    fn pod(name: &str, owner: &str, status: &str) -> Value {
        yaml(&format!(
            "metadata: {{name: {name}, uid: {name}, creationTimestamp: 2026-11-21T10:00:01Z, ownerReferences: [{{uid: {owner}, controller: true}}], labels: {{controller-revision-hash: {owner}}}}}\nspec: {{nodeName: node1, restartPolicy: Always, containers: [{{name: main, image: 'a:1'}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}], containerStatuses: [{{name: main, {status}}}]}}\n"
        ))
    }

    const RUNS: &str = "ready: true, started: true, restartCount: 0, state: {running: {}}";
    const PULLS: &str = "restartCount: 0, state: {waiting: {reason: ErrImagePull, message: not found}}";
    const CRASHES: &str = "restartCount: 1, state: {terminated: {exitCode: 1, reason: Error}}";

    fn deployment(status: &str) -> Value {
        yaml(&format!(
            "kind: Deployment\napiVersion: apps/v1\nmetadata: {{name: api, uid: d, generation: 2, annotations: {{deployment.kubernetes.io/revision: '2'}}}}\nspec: {{replicas: 1}}\nstatus: {{observedGeneration: 2, {status}}}\n"
        ))
    }

    fn replica_set(uid: &str, revision: &str) -> Value {
        yaml(&format!("{{metadata: {{uid: {uid}, annotations: {{deployment.kubernetes.io/revision: '{revision}'}}}}}}"))
    }

    struct Case {
        memory: Memory,
        workload: Value,
        replica_sets: Vec<Value>,
        pods: Vec<Value>,
        events: Vec<Value>,
    }

    impl Case {
        fn new(workload: Value, pods: Vec<Value>) -> Self {
            let replica_sets = vec![replica_set("old", "1"), replica_set("new", "2")];
            Self { memory: Memory::default(), workload, replica_sets, pods, events: Vec::new() }
        }

        fn at(&mut self, seconds: u32) -> Rollout {
            let events = |uid: &str| {
                self.events.iter().filter(|event| text(event, "/involvedObject/uid") == uid).collect::<Vec<_>>()
            };
            let around = Surroundings {
                replica_sets: self.replica_sets.iter().collect(),
                pods: self.pods.iter().collect(),
                events: &events,
            };
            let clock = Clock { since: "2026-11-21T10:00:00Z".parse().unwrap(), now: SECOND * seconds };
            judge(&self.workload, &around, &mut self.memory, &Patience::default(), clock)
        }
    }

    const ROLLING: &str = "replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1";
    const AVAILABLE: &str = "replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1";

    #[test]
    fn only_pods_of_the_new_revision_are_judged() {
        let pods = vec![pod("api-old", "old", CRASHES), pod("api-new", "new", PULLS)];
        let mut case = Case::new(deployment(ROLLING), pods);
        let first = case.at(0);
        assert_eq!(first.health.status, Status::InProgress);
        assert_eq!(first.health.message, "1 of 1 updated, 1 old to go");
        assert_eq!(first.pods, ["api-new (the image a:1 cannot be had: not found)"]);
        assert_eq!(first.until, Some(SECOND * 10));
        let last = case.at(10);
        assert_eq!((last.health.status, last.health.reason.as_str()), (Status::Failed, "ErrImagePull"));
        assert_eq!(last.health.message, "pod api-new: the image a:1 cannot be had: not found");
        assert_eq!(last.troubles.first().and_then(|known| known.pod.as_deref()), Some("api-new"));
    }

    #[test]
    fn an_available_workload_is_watched_for_an_early_end() {
        let mut case = Case::new(deployment(AVAILABLE), vec![pod("api-new", "new", RUNS)]);
        let first = case.at(1);
        assert_eq!((first.health.status, first.until), (Status::InProgress, Some(SECOND * 4)));
        assert_eq!(first.health.message, "1 replica available; watched for an early end");
        assert_eq!(case.at(4).health.status, Status::Current);
        case.pods = vec![pod("api-new", "new", CRASHES)];
        assert_eq!(case.at(5).health.status, Status::InProgress);
        assert_eq!(case.at(15).health.reason, "CrashLoopBackOff");
    }

    #[test]
    fn the_earliest_stage_is_the_likeliest_cause() {
        let mut case = Case::new(deployment(ROLLING), vec![pod("a", "new", CRASHES), pod("b", "new", PULLS)]);
        case.at(0);
        let stages: Vec<Stage> = case.at(20).troubles.iter().map(|known| known.trouble.stage).collect();
        assert_eq!(stages, [Stage::Image, Stage::Crash]);
    }

    #[test]
    fn refused_pods_are_a_trouble_of_the_workload() {
        let refused = "conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: 'pods \"a\" is forbidden: exceeded quota: q'}]";
        let mut case = Case::new(deployment(refused), vec![]);
        assert_eq!(case.at(0).health.message, "0 of 1 updated; its pods are refused: exceeded quota: q");
        let last = case.at(10);
        assert_eq!((last.health.status, last.health.reason.as_str()), (Status::Failed, "FailedCreate"));
        assert_eq!(last.health.message, "its pods are refused: exceeded quota: q");
    }

    #[test]
    fn a_few_evicted_pods_are_borne_and_many_are_not() {
        let evicted = |name: &str| {
            let mut pod = pod(name, "new", "restartCount: 0, state: {}");
            pod["status"]["phase"] = "Failed".into();
            pod["status"]["reason"] = "Evicted".into();
            pod
        };
        let mut case = Case::new(deployment(ROLLING), vec![evicted("a")]);
        case.at(0);
        assert_eq!(case.at(60).health.status, Status::InProgress);
        case.pods.push(evicted("b"));
        case.at(60);
        assert_eq!(case.at(70).health.reason, "Evicted");
        case.workload = deployment(AVAILABLE);
        case.pods.push(pod("c", "new", RUNS));
        case.at(71);
        assert_eq!(case.at(80).health.status, Status::Current);
    }

    #[test]
    fn a_stateful_set_is_blocked_by_its_old_pod() {
        let workload = yaml(
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {uid: s, generation: 2}, spec: {replicas: 1, podManagementPolicy: OrderedReady}, status: {observedGeneration: 2, replicas: 1, updatedReplicas: 0, updateRevision: new}}",
        );
        let mut case = Case::new(workload, vec![pod("db-0", "old", CRASHES)]);
        case.at(0);
        let last = case.at(10);
        assert_eq!(last.health.status, Status::Failed);
        assert!(last.health.message.starts_with("pod db-0: it is of the old revision"), "{}", last.health.message);
    }

    #[test]
    fn a_job_counts_its_own_tries() {
        let job = |limit: u32| {
            yaml(&format!(
                "{{apiVersion: batch/v1, kind: Job, metadata: {{uid: j}}, spec: {{backoffLimit: {limit}}}, status: {{startTime: x, active: 1}}}}"
            ))
        };
        let of = |limit: u32, policy: &str| {
            let mut pod = pod("j-1", "j", CRASHES);
            pod["spec"]["restartPolicy"] = policy.into();
            Case::new(job(limit), vec![pod]).at(60).health.status
        };
        assert_eq!([of(3, "OnFailure"), of(2, "OnFailure")], [Status::InProgress, Status::Failed]);
        assert_eq!(of(1, "Never"), Status::InProgress);
    }

    #[test]
    fn a_paused_deployment_is_left_alone() {
        let mut workload = deployment(ROLLING);
        workload["spec"]["paused"] = true.into();
        let mut case = Case::new(workload, vec![pod("api-new", "new", PULLS)]);
        assert_eq!((case.at(60).health.status, case.at(60).pods), (Status::Current, vec![]));
    }

    #[test]
    fn pods_that_leave_are_said_when_nothing_else_is() {
        let mut leaving = pod("api-old", "old", RUNS);
        leaving["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:09Z".into();
        let mut case = Case::new(deployment(ROLLING), vec![leaving]);
        assert_eq!(case.at(0).pods, ["api-old (Terminating)"]);
    }
}
