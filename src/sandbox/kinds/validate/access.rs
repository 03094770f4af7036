//! Roles and their bindings.
//!
//! Source: `pkg/apis/rbac/validation`.

use serde_json::Value;

use super::{
    super::edit::Read,
    causes::{Causes, Path},
    text,
};
use crate::sandbox::resource::Resource;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn role(resource: &Resource, object: &Value, causes: &mut Causes) {
    let list = Path::Root.to("rules");
    for (position, rule) in object.items(&["rules"]).iter().enumerate() {
        self::rule(rule, resource.namespaced, &list.index(position), causes);
    }
    let path = Path::Root.to("aggregationRule");
    let list = path.to("clusterRoleSelectors");
    let selectors = object.items(&["aggregationRule", "clusterRoleSelectors"]);
    if object.has(&["aggregationRule"]) && selectors.is_empty() {
        causes.required(&list, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (position, selector) in selectors.iter().enumerate() {
        super::meta::selector(selector, &list.index(position), causes);
    }
}

fn rule(rule: &Value, namespaced: bool, path: &Path<'_>, causes: &mut Causes) {
    let has = |key: &str| !rule.items(&[key]).is_empty();
    if !has("verbs") {
        causes.required(&path.to("verbs"), "verbs must contain at least one value");
    }
    if has("nonResourceURLs") {
        let urls = rule.items(&["nonResourceURLs"]).to_vec();
        if namespaced {
            let detail = "namespaced rules cannot apply to non-resource URLs";
            causes.invalid(&path.to("nonResourceURLs"), urls.clone(), detail);
        }
        if has("apiGroups") || has("resources") || has("resourceNames") {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            causes.invalid(&path.to("nonResourceURLs"), urls, detail);
        }
        return;
    }
    if !has("apiGroups") {
        causes.required(&path.to("apiGroups"), "resource rules must supply at least one api group");
    }
    if !has("resources") {
        causes.required(&path.to("resources"), "resource rules must supply at least one resource");
    }
}

pub(super) fn binding(resource: &Resource, object: &Value, causes: &mut Causes) {
    let path = Path::Root.to("roleRef");
    let reference = |key: &str| object.text(&["roleRef", key]);
    if reference("apiGroup") != GROUP {
        causes.unsupported(&path.to("apiGroup"), reference("apiGroup"), &[GROUP]);
    }
    let kinds: &[&str] = if resource.namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&reference("kind")) {
        causes.unsupported(&path.to("kind"), reference("kind"), kinds);
    }
    match reference("name") {
        "" => causes.required(&path.to("name"), ""),
        name => causes.all(&path.to("name"), name, text::path_segment(name)),
    }
    let list = Path::Root.to("subjects");
    for (position, subject) in object.items(&["subjects"]).iter().enumerate() {
        self::subject(subject, resource.namespaced, &list.index(position), causes);
    }
}

/// A binding that is changed: the role stays.
pub(super) fn changed_binding(object: &Value, live: &Value, causes: &mut Causes) {
    let reference = |key: &str| object.text(&["roleRef", key]);
    if live.get("roleRef") != object.get("roleRef") {
        let shown = format!(
            "{{\"APIGroup\":\"{}\",\"Kind\":\"{}\",\"Name\":\"{}\"}}",
            reference("apiGroup"),
            reference("kind"),
            reference("name"),
        );
        causes.invalid_as(&Path::Root.to("roleRef"), shown, "cannot change roleRef");
    }
}

fn subject(subject: &Value, namespaced: bool, path: &Path<'_>, causes: &mut Causes) {
    let (name, group) = (subject.text(&["name"]), subject.text(&["apiGroup"]));
    if name.is_empty() {
        causes.required(&path.to("name"), "");
    }
    match subject.text(&["kind"]) {
        "ServiceAccount" => {
            if !name.is_empty() {
                causes.all(&path.to("name"), name, text::dns_subdomain(name));
            }
            if !group.is_empty() {
                causes.unsupported(&path.to("apiGroup"), group, &[""]);
            }
            if !namespaced && subject.text(&["namespace"]).is_empty() {
                causes.required(&path.to("namespace"), "");
            }
        }
        "User" | "Group" if group != GROUP => causes.unsupported(&path.to("apiGroup"), group, &[GROUP]),
        "User" | "Group" => {}
        other => causes.unsupported(&path.to("kind"), other, &["ServiceAccount", "User", "Group"]),
    }
}
