//! Variables of containers, and where their values come from.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    common::required_form,
    text,
};

const OF_VARIABLES: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const OF_FILES: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const OF_RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// What refers to a field of the pod.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reader {
    Variable,
    File,
}

pub(super) fn variables(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("env");
    for (position, variable) in container.items(&["env"]).iter().enumerate() {
        let path = list.index(position);
        required_form(variable, "name", text::variable_name, &path, causes);
        if let Some(from) = variable.get("valueFrom") {
            value_from(variable, from, &path.to("valueFrom"), causes);
        }
    }
}

fn value_from(variable: &Value, from: &Value, path: &Path<'_>, causes: &mut Causes) {
    let mut sources = 0;
    if let Some(reference) = from.get("fieldRef") {
        sources += 1;
        field(reference, Reader::Variable, &path.to("fieldRef"), causes);
    }
    if let Some(reference) = from.get("resourceFieldRef") {
        sources += 1;
        resource(reference, Reader::Variable, &path.to("resourceFieldRef"), causes);
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        let Some(reference) = from.get(key) else { continue };
        sources += 1;
        let path = path.to(key);
        let name = reference.text(&["name"]);
        causes.all(&path.to("name"), name, text::dns_subdomain(name));
        required_form(reference, "key", text::config_key, &path, causes);
    }
    let detail = match sources {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        _ if !variable.text(&["value"]).is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    causes.invalid(path, "", detail);
}

/// A reference to a field of the pod.
pub(super) fn field(reference: &Value, reader: Reader, path: &Path<'_>, causes: &mut Causes) {
    let field = reference.text(&["fieldPath"]);
    if reference.text(&["apiVersion"]).is_empty() {
        return causes.required(&path.to("apiVersion"), "");
    }
    if field.is_empty() {
        return causes.required(&path.to("fieldPath"), "");
    }
    let subscript = field.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    let base = subscript.map_or(field, |(base, _)| base);
    let known = matches!(base, "metadata.annotations" | "metadata.labels" | "spec.restartPolicy" | "status.phase")
        || OF_VARIABLES.contains(&base)
        || base == "spec.schedulerName";
    if !known || (subscript.is_some() && !matches!(base, "metadata.annotations" | "metadata.labels")) {
        let detail = format!("error converting fieldPath: field label not supported: {field}");
        return causes.invalid(&path.to("fieldPath"), field, detail);
    }
    let expressions: &[&str] = if reader == Reader::Variable { &OF_VARIABLES } else { &OF_FILES };
    match subscript {
        Some(("metadata.annotations", key)) => {
            causes.all(path, &key.to_lowercase(), text::qualified_name(&key.to_lowercase()))
        }
        Some((_, key)) => causes.all(path, key, text::qualified_name(key)),
        None if !expressions.contains(&field) => causes.unsupported(&path.to("fieldPath"), field, expressions),
        None => {}
    }
}

/// A reference to an amount of a container's resources.
pub(super) fn resource(reference: &Value, reader: Reader, path: &Path<'_>, causes: &mut Causes) {
    let name = reference.text(&["resource"]);
    let pages = name.starts_with("limits.hugepages-") || name.starts_with("requests.hugepages-");
    if reader == Reader::File && reference.text(&["containerName"]).is_empty() {
        causes.required(&path.to("containerName"), "");
    } else if name.is_empty() {
        causes.required(&path.to("resource"), "");
    } else if !OF_RESOURCES.contains(&name) && !pages {
        causes.unsupported(&path.to("resource"), name, &OF_RESOURCES);
    }
    let divisor = reference.text(&["divisor"]);
    if matches!(divisor, "" | "0") {
        return;
    }
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let cpu = name.ends_with(".cpu");
    if cpu && !matches!(divisor, "1m" | "1") {
        let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
        return causes.invalid(&path.to("divisor"), name, detail);
    }
    let known = match name.split_once('.').map_or("", |(_, rest)| rest) {
        "memory" => "memory",
        "ephemeral-storage" => "local ephemeral storage",
        rest if rest.starts_with("hugepages-") => "hugepages",
        _ => return,
    };
    if !sizes.contains(&divisor) {
        let sizes = sizes.join(", ");
        let detail = format!("only divisor's values {sizes} are supported with the {known} resource");
        causes.invalid(&path.to("divisor"), name, detail);
    }
}

pub(super) fn sources(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.to("envFrom");
    for (position, source) in container.items(&["envFrom"]).iter().enumerate() {
        let path = list.index(position);
        let prefix = source.text(&["prefix"]);
        if !prefix.is_empty() {
            causes.all(&path.to("prefix"), prefix, text::variable_name(prefix));
        }
        let mut sources = 0;
        for key in ["configMapRef", "secretRef"] {
            if let Some(reference) = source.get(key) {
                sources += 1;
                required_form(reference, "name", text::dns_subdomain, &path.to(key), causes);
            }
        }
        match sources {
            0 => causes.invalid(&list, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => causes.invalid(&list, "", "may not have more than one field specified at a time"),
        }
    }
}
