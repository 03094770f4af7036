//! Security contexts of pods and containers.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::optional_one_of,
    volume::descending,
};

const USERS: &str = "must be between 0 and 2147483647, inclusive";

fn users(context: &Value, keys: &[&str], path: &Path<'_>, causes: &mut Causes) {
    for key in keys {
        let number = context.number(&[key]).filter(|number| !(0..=i64::from(i32::MAX)).contains(number));
        if let Some(number) = number {
            causes.invalid(&path.to(key), number, USERS);
        }
    }
}

pub(super) fn container(container: &Value, host_users: bool, path: &Path<'_>, causes: &mut Causes) {
    let Some(context) = container.get("securityContext") else { return };
    let path = &path.to("securityContext");
    users(context, &["runAsUser", "runAsGroup"], path, causes);
    let mount = context.text(&["procMount"]);
    if !mount.is_empty() {
        optional_one_of(context, "procMount", &["Default", "Unmasked"], path, causes);
        if host_users && mount == "Unmasked" {
            causes.invalid(&path.to("procMount"), mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(context, path, causes);
    if context.get("allowPrivilegeEscalation") == Some(&Value::Bool(false)) {
        if context.is_true(&["privileged"]) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            causes.invalid_as(path, go_struct(context), detail);
        }
        if context.items(&["capabilities", "add"]).iter().any(|capability| capability == "CAP_SYS_ADMIN") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            causes.invalid_as(path, go_struct(context), detail);
        }
    }
}

pub(super) fn pod(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(context) = spec.get("securityContext") else { return };
    let path = &path.to("securityContext");
    users(context, &["fsGroup", "runAsUser", "runAsGroup"], path, causes);
    let groups = path.to("supplementalGroups");
    for (position, group) in context.items(&["supplementalGroups"]).iter().enumerate() {
        if group.as_i64().is_some_and(|group| !(0..=i64::from(i32::MAX)).contains(&group)) {
            causes.invalid(&groups.index(position), group.clone(), USERS);
        }
    }
    if spec.is_true(&["hostPID"]) && spec.is_true(&["shareProcessNamespace"]) {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        causes.invalid(&path.to("shareProcessNamespace"), true, detail);
    }
    optional_one_of(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, causes);
    seccomp(context, path, causes);
    optional_one_of(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, causes);
}

fn seccomp(context: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(profile) = context.get("seccompProfile") else { return };
    let path = &path.to("seccompProfile");
    let kind = profile.text(&["type"]);
    let local = profile.at(&["localhostProfile"]).and_then(Value::as_str);
    match kind {
        "" => causes.required(&path.to("type"), "type is required when seccompProfile is set"),
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        other => causes.unsupported(&path.to("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
    let at = path.to("localhostProfile");
    match (kind, local) {
        ("Localhost", None) => causes.required(&at, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(local)) => descending(local, &at, causes),
        (_, Some(_)) => causes.invalid_as(&at, go_struct(profile), "can only be set when seccomp type is Localhost"),
        _ => {}
    }
}

/// A struct as the API server shows its own: with the names of Go.
fn go_struct(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let shown: Vec<String> = fields
                .iter()
                .map(|(key, value)| {
                    let mut letters = key.chars();
                    let first = letters.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
                    format!("\"{first}{}\":{}", letters.as_str(), go_struct(value))
                })
                .collect();
            format!("{{{}}}", shown.join(","))
        }
        other => other.to_string(),
    }
}
