//! Probes, and what they and the hooks of a container's life do.

use serde_json::{Value, json};

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::{not_negative, port},
    text,
};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Probe {
    Liveness,
    Readiness,
    Startup,
}

impl Probe {
    pub fn field(self) -> &'static str {
        match self {
            Self::Liveness => "livenessProbe",
            Self::Readiness => "readinessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

pub(super) fn probe(kind: Probe, probe: &Value, grace: i64, path: &Path<'_>, causes: &mut Causes) {
    handler(probe, grace, path, causes);
    let numbers = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
    not_negative(probe, &numbers, path, causes);
    let at = path.to("terminationGracePeriodSeconds");
    let own_grace = probe.number(&["terminationGracePeriodSeconds"]);
    if let Some(seconds) = own_grace.filter(|seconds| *seconds <= 0) {
        causes.invalid(&at, seconds, "must be greater than 0");
    }
    let threshold = probe.number(&["successThreshold"]).unwrap_or_default();
    match kind {
        Probe::Readiness => {
            if let Some(seconds) = own_grace {
                causes.invalid(&at, seconds, "must not be set for readinessProbes");
            }
        }
        _ if threshold != 1 => causes.invalid(&path.to("successThreshold"), threshold, "must be 1"),
        _ => {}
    }
}

/// What a probe or a hook does: exactly one of the things it may.
pub(super) fn handler(handler: &Value, grace: i64, path: &Path<'_>, causes: &mut Causes) {
    let mut handlers = 0;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let Some(action) = handler.get(kind) else { continue };
        handlers += 1;
        let path = path.to(kind);
        if handlers > 1 {
            causes.forbidden(&path, "may not specify more than 1 handler type");
            continue;
        }
        match kind {
            "exec" if action.items(&["command"]).is_empty() => causes.required(&path.to("command"), ""),
            "httpGet" => get(action, &path, causes),
            "tcpSocket" => port(action.get("port"), &path.to("port"), causes),
            "grpc" => port(Some(&json!(action.number(&["port"]).unwrap_or_default())), &path.to("port"), causes),
            "sleep" => {
                let seconds = action.number(&["seconds"]).unwrap_or_default();
                if seconds < 0 || seconds > grace {
                    let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                    causes.invalid(&path, seconds, detail);
                }
            }
            _ => {}
        }
    }
    if handlers == 0 {
        causes.required(path, "must specify a handler type");
    }
}

fn get(action: &Value, path: &Path<'_>, causes: &mut Causes) {
    port(action.get("port"), &path.to("port"), causes);
    let scheme = action.text(&["scheme"]);
    if !matches!(scheme, "HTTP" | "HTTPS") {
        causes.unsupported(&path.to("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in action.items(&["httpHeaders"]) {
        let name = header.text(&["name"]);
        causes.all(&path.to("httpHeaders"), name, text::header_name(name));
    }
}
