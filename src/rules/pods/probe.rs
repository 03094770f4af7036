//! Probes: what they say, and how long they may say it.

use serde_json::Value;

use super::state::{Allowance, Stage, State, Trouble};
use crate::rules::{
    events::newest,
    fields::{number, text},
};

/// A container that runs and is not ready.
pub(super) fn not_ready(container: &Value, events: &[&Value]) -> State {
    let name = text(container, "/name");
    let Some(probe) = container.get("readinessProbe").filter(|probe| !probe.is_null()) else {
        return State::Underway(format!("{name} runs, and is not ready"));
    };
    let failed = newest(events, |event| is_of(event, name, "Readiness probe"));
    let words = match failed {
        Some(event) => text(event, "/message").trim().trim_end_matches(':').to_owned(),
        None => format!("its readiness probe ({}) has not passed", action(probe)),
    };
    State::Trouble(Trouble {
        stage: Stage::Probe,
        container: Some(name.into()),
        reason: "Unhealthy".into(),
        message: format!("{name} runs, and is not ready: {words}"),
        allowance: Allowance::Window(window(probe)),
    })
}

/// A container whose startup probe has not passed. The kubelet restarts it when it never does, so no time is set.
pub(super) fn not_started(container: &Value, events: &[&Value]) -> State {
    let name = text(container, "/name");
    let failed = newest(events, |event| is_of(event, name, "Startup probe"));
    State::Underway(match failed {
        Some(event) => format!("{name}: {}", text(event, "/message").trim()),
        None => format!("{name} is starting"),
    })
}

/// What the probes say when the kubelet has restarted a container because of them.
pub(super) fn restarted_by(container: &str, events: &[&Value]) -> Option<String> {
    let of_container = |event: &Value| text(event, "/involvedObject/fieldPath").ends_with(&format!("{{{container}}}"));
    let killing = newest(events, |event| text(event, "/reason") == "Killing" && of_container(event))?;
    let kind = ["liveness", "startup"]
        .into_iter()
        .find(|kind| text(killing, "/message").contains(&format!("failed {kind} probe")))?;
    let said = match kind {
        "liveness" => newest(events, |event| is_of(event, container, "Liveness probe")),
        _ => newest(events, |event| is_of(event, container, "Startup probe")),
    };
    let words = said.map_or("", |event| text(event, "/message").trim().trim_end_matches(':'));
    Some(format!("restarted because its {kind} probe fails: {words}").trim_end_matches(": ").to_owned())
}

/// Seconds in which a readiness probe may fail: its delay, then ten tries.
fn window(probe: &Value) -> u64 {
    let setting = |name: &str, default: i64| number(probe, name).unwrap_or(default).max(0).unsigned_abs();
    setting("/initialDelaySeconds", 0) + 10 * (setting("/periodSeconds", 10) + setting("/timeoutSeconds", 1))
}

fn is_of(event: &Value, container: &str, probe: &str) -> bool {
    text(event, "/reason") == "Unhealthy"
        && text(event, "/message").starts_with(probe)
        && text(event, "/involvedObject/fieldPath").ends_with(&format!("{{{container}}}"))
}

/// What a probe does: `GET :8080/health`.
fn action(probe: &Value) -> String {
    let port = |action: &Value| action.get("port").map(|port| port.to_string().replace('"', "")).unwrap_or_default();
    if let Some(get) = probe.get("httpGet") {
        return format!("GET :{}{}", port(get), text(get, "/path"));
    }
    if let Some(tcp) = probe.get("tcpSocket") {
        return format!("connect to :{}", port(tcp));
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!("gRPC on :{}", port(grpc));
    }
    "a command".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    fn trouble(container: &str, events: &[&Value]) -> Trouble {
        match not_ready(&yaml(container), events) {
            State::Trouble(trouble) => trouble,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_window_follows_the_probes_settings() {
        let probe = "{name: main, readinessProbe: {httpGet: {port: http, path: /health}, initialDelaySeconds: 20, periodSeconds: 2, timeoutSeconds: 1}}";
        let read = trouble(probe, &[]);
        assert_eq!(read.allowance, Allowance::Window(50));
        assert_eq!(read.message, "main runs, and is not ready: its readiness probe (GET :http/health) has not passed");
        assert_eq!(
            trouble("{name: main, readinessProbe: {tcpSocket: {port: 80}}}", &[]).allowance,
            Allowance::Window(110)
        );
    }

    #[test]
    fn the_probes_own_words_come_from_the_newest_event() {
        let event = |container: &str| {
            yaml(&format!(
                "{{reason: Unhealthy, involvedObject: {{fieldPath: 'spec.containers{{{container}}}'}}, message: 'Readiness probe failed: dial tcp 10.244.0.30:8080: connect: connection refused'}}"
            ))
        };
        let of_main = trouble("{name: main, readinessProbe: {exec: {command: [a]}}}", &[&event("main")]);
        assert!(of_main.message.ends_with("8080: connect: connection refused"), "{}", of_main.message);
        let of_other = trouble("{name: main, readinessProbe: {exec: {command: [a]}}}", &[&event("proxy")]);
        assert!(of_other.message.ends_with("its readiness probe (a command) has not passed"));
    }

    #[test]
    fn a_restart_by_a_probe_is_told_from_a_crash() {
        let killing = yaml(
            "{reason: Killing, type: Normal, involvedObject: {fieldPath: 'spec.containers{main}'}, message: 'Container main failed liveness probe, will be restarted'}",
        );
        let unhealthy = yaml(
            "{reason: Unhealthy, involvedObject: {fieldPath: 'spec.containers{main}'}, message: 'Liveness probe failed: '}",
        );
        assert_eq!(
            restarted_by("main", &[&killing, &unhealthy]).unwrap(),
            "restarted because its liveness probe fails: Liveness probe failed"
        );
        assert_eq!(restarted_by("proxy", &[&killing, &unhealthy]), None);
        let stopping = yaml(
            "{reason: Killing, involvedObject: {fieldPath: 'spec.containers{main}'}, message: Stopping container main}",
        );
        assert_eq!(restarted_by("main", &[&stopping]), None);
    }
}
