//! Running containers: their probes, what they need, and their end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    behaviour::{Behaviour, Probe, Without},
    run::Step,
    state::{Running, State},
};
use crate::rules::fields::{list, number, text};

/// How long a container takes until its probes succeed where nothing is said.
const STARTUP: Duration = Duration::from_millis(400);

/// When a probe looks, and how often it must agree.
struct Schedule {
    first: Timestamp,
    period: SignedDuration,
    failures: i32,
    successes: i32,
}

impl Schedule {
    fn of(probe: &Value, since: Timestamp) -> Self {
        let seconds = |pointer: &str, usual: i64| number(probe, pointer).filter(|found| *found > 0).unwrap_or(usual);
        let delay = SignedDuration::from_secs(number(probe, "/initialDelaySeconds").unwrap_or(0));
        let times = |pointer, usual| i32::try_from(seconds(pointer, usual)).unwrap_or(i32::MAX);
        Self {
            first: since.checked_add(delay).unwrap_or(Timestamp::MAX),
            period: SignedDuration::from_secs(seconds("/periodSeconds", 10)),
            failures: times("/failureThreshold", 3),
            successes: times("/successThreshold", 1),
        }
    }

    /// The first look at or behind a time.
    fn at(&self, time: Timestamp) -> Timestamp {
        if time <= self.first {
            return self.first;
        }
        let passed = time.duration_since(self.first).as_millis();
        let period = self.period.as_millis().max(1);
        let looks = i64::try_from((passed + period - 1) / period).unwrap_or(i64::MAX);
        let wait = SignedDuration::from_millis(looks.saturating_mul(i64::try_from(period).unwrap_or(1)));
        self.first.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// So many looks later.
    fn later(&self, time: Timestamp, looks: i32) -> Timestamp {
        let wait = self.period.saturating_mul(looks.max(0));
        time.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}

/// When the container can answer.
fn answers(behaviour: &Behaviour, since: Timestamp) -> Timestamp {
    since.checked_add(behaviour.startup.map_or(STARTUP, |time| time.0)).unwrap_or(Timestamp::MAX)
}

/// What a probe has come to by now from the results that a behaviour gives, and when that changes next.
fn result(
    results: &[Probe],
    schedule: &Schedule,
    running: &Running,
    from: Timestamp,
    now: Timestamp,
) -> (bool, Option<Timestamp>) {
    let mut state = true;
    let mut next = None;
    for probe in results {
        let told = running.since.checked_add(probe.after.0).unwrap_or(Timestamp::MAX).max(from);
        let looks = if probe.ok { schedule.successes } else { schedule.failures };
        let at = schedule.later(schedule.at(told), looks - 1);
        if at <= now {
            state = probe.ok;
        } else if next.is_none_or(|next| at < next) {
            next = Some(at);
        }
    }
    (state, next)
}

impl Step<'_> {
    /// A container runs: true where it has ended.
    pub fn running(&mut self, at: usize) -> bool {
        let Some(running) = self.run.containers[at].running() else { return false };
        let since = running.since;
        if let Some((when, exit)) = self.exit(at, since) {
            if when <= self.now() {
                let (code, reason) = match (exit.oom, exit.code) {
                    (true, _) => (137, "OOMKilled"),
                    (false, 0) => (0, "Completed"),
                    (false, code) => (code, "Error"),
                };
                let mut said: Vec<String> = self.said(at);
                said.extend(exit.logs.iter().cloned());
                let message = self.termination(at, &exit.message, &said, code);
                self.end(at, when, code, reason, &exit.logs, message);
                return true;
            }
            self.wake(when);
        }
        if self.crashes_for_want(at) {
            return true;
        }
        let behaviour = self.run.containers[at].behaviour.clone();
        let answers = answers(&behaviour, since);
        if self.starts(at, since, answers) {
            return true;
        }
        self.readiness(at, since, answers);
        self.is_killed_by_liveness(at, since, answers)
    }

    /// What the kubelet keeps of an end: the message file, or the log's end where the container asks for that.
    fn termination(&self, at: usize, message: &str, logs: &[String], code: i32) -> String {
        let falls_back = text(self.container(at), "/terminationMessagePolicy") == "FallbackToLogsOnError";
        if !message.is_empty() || code == 0 || !falls_back || logs.is_empty() {
            return message.to_owned();
        }
        format!("{}\n", logs.join("\n"))
    }

    /// The lines that a container has written once each.
    fn said(&self, at: usize) -> Vec<String> {
        let Some(running) = self.run.containers[at].running() else { return Vec::new() };
        self.lines(at, &running.variables).into_iter().map(|line| line.text).collect()
    }

    /// Ends a container that cannot go on without what it needs.
    fn crashes_for_want(&mut self, at: usize) -> bool {
        let run = &self.run.containers[at];
        let Some(running) = run.running() else { return false };
        let since = running.since;
        let crash = run.behaviour.needs.iter().filter(|need| need.without == Without::Crash);
        let Some(found_out) = crash.map(|need| need.after.0).min() else { return false };
        let when = since.checked_add(found_out).unwrap_or(Timestamp::MAX);
        if when > self.now() {
            self.wake(when);
            return false;
        }
        // A server that got its connections keeps them.
        let State::Running(running) = &mut self.run.containers[at].state else { return false };
        if std::mem::replace(&mut running.checked, true) {
            return false;
        }
        let Some(need) = self.unmet(at, Without::Crash) else { return false };
        let logs: Vec<String> = need.log.into_iter().collect();
        let message = self.termination(at, "", &logs, need.code);
        self.end(at, when, need.code, if need.code == 0 { "Completed" } else { "Error" }, &logs, message);
        true
    }

    /// The startup probe: true where it ends the container.
    fn starts(&mut self, at: usize, since: Timestamp, answers: Timestamp) -> bool {
        let probe = self.container(at).get("startupProbe");
        let schedule = probe.map(|probe| Schedule::of(probe, since));
        let started = schedule.as_ref().map_or(since, |schedule| schedule.at(answers));
        if let (Some(schedule), Some(probe)) = (&schedule, probe) {
            let limit = schedule.later(schedule.first, schedule.failures - 1);
            if answers > limit {
                if limit <= self.now() {
                    self.fail_probe(at, "Startup", probe);
                    return self.kill(at, limit, "startup");
                }
                self.wake(limit);
                return false;
            }
        }
        let now = self.now();
        let State::Running(running) = &mut self.run.containers[at].state else { return false };
        running.started = started <= now;
        if started > now {
            self.wake(started);
        }
        false
    }

    fn readiness(&mut self, at: usize, since: Timestamp, answers: Timestamp) {
        let now = self.now();
        let container = self.container(at);
        let behaviour = self.run.containers[at].behaviour.clone();
        let unmet = self.unmet(at, Without::Unready).is_some();
        let State::Running(running) = &mut self.run.containers[at].state else { return };
        if !running.started {
            return;
        }
        let Some(probe) = container.get("readinessProbe") else {
            running.ready = true;
            return;
        };
        let schedule = Schedule::of(probe, since);
        // The first look after the start-up is not put off to the next of the schedule.
        let has_startup = container.get("startupProbe").is_some();
        // Where nothing is said of its start, a server answers its first probe.
        let prompt = has_startup || behaviour.startup.is_none();
        let first = if prompt { answers.max(schedule.first) } else { schedule.at(answers) };
        let (told, next) = result(&behaviour.readiness, &schedule, running, answers, now);
        let was_ready = running.ready;
        running.ready = first <= now && told && !unmet;
        let failed_early = !prompt && first > now && schedule.first <= now;
        let tell =
            (failed_early && !running.unhealthy) || (was_ready && !running.ready) || (unmet && !running.unhealthy);
        running.unhealthy = if running.ready { false } else { running.unhealthy || tell };
        if tell {
            self.fail_probe(at, "Readiness", probe);
        }
        for then in [(first > now).then_some(first), next].into_iter().flatten() {
            self.wake(then);
        }
    }

    fn is_killed_by_liveness(&mut self, at: usize, since: Timestamp, answers: Timestamp) -> bool {
        let Some(probe) = self.container(at).get("livenessProbe") else { return false };
        let behaviour = self.run.containers[at].behaviour.clone();
        let now = self.now();
        let schedule = Schedule::of(probe, since);
        let Some(running) = self.run.containers[at].running() else { return false };
        let (alive, next) = result(&behaviour.liveness, &schedule, running, answers, now);
        if !alive {
            self.fail_probe(at, "Liveness", probe);
            return self.kill(at, now, "liveness");
        }
        if let Some(next) = next {
            self.wake(next);
        }
        false
    }

    fn kill(&mut self, at: usize, when: Timestamp, probe: &str) -> bool {
        let name = self.run.containers[at].name.clone();
        self.tell(Some(at), false, "Killing", format!("Container {name} failed {probe} probe, will be restarted"));
        self.end(at, when, 137, "Error", &[], String::new());
        true
    }

    /// Tells of a failed probe as the real kubelet words it.
    fn fail_probe(&mut self, at: usize, which: &str, probe: &Value) {
        let container = self.container(at);
        let named = |port: &Value| match port.as_str() {
            Some(name) => list(container, "/ports")
                .iter()
                .find(|port| port["name"] == name)
                .and_then(|port| number(port, "/containerPort"))
                .unwrap_or(0),
            None => port.as_i64().unwrap_or(0),
        };
        let ip = self.run.ip.as_str();
        let why = if let Some(http) = probe.get("httpGet") {
            let address = format!("{ip}:{}", named(&http["port"]));
            let scheme = if text(http, "/scheme") == "HTTPS" { "https" } else { "http" };
            let run = &self.run.containers[at];
            let answering = run.running().is_some_and(|running| answers(&run.behaviour, running.since) <= self.now());
            if answering {
                "HTTP probe failed with statuscode: 503".to_owned()
            } else {
                let path = text(http, "/path");
                format!("Get \"{scheme}://{address}{path}\": dial tcp {address}: connect: connection refused")
            }
        } else if let Some(tcp) = probe.get("tcpSocket") {
            format!("dial tcp {ip}:{}: connect: connection refused", named(&tcp["port"]))
        } else {
            String::new()
        };
        self.tell(Some(at), true, "Unhealthy", format!("{which} probe failed: {why}"));
    }
}
