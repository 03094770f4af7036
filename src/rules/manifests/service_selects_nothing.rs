//! Services that select no pod.

use serde_json::Value;

use super::{
    labels::in_words,
    rule::{Check, Context, Findings, Rule},
    set::{Set, Workload},
};
use crate::model::{FieldPath, Manifest, Severity};

pub(super) static RULE: Rule = Rule {
    code: "service-selects-nothing",
    severity: Severity::Warning,
    summary: "A Service selects none of the pods in the manifests",
    help: "The Service will have no endpoints unless pods from elsewhere carry the labels. Compare its selector with the labels of the pod templates.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest, selector) in services(context.set) {
        let namespace = context.set.namespace_of(manifest);
        let mut here = context.set.workloads.iter().filter(|workload| workload.namespace == namespace).peekable();
        // Without workloads beside it the Service is for pods from elsewhere.
        if here.peek().is_none() || !context.set.selected(namespace, selector).is_empty() {
            continue;
        }
        let message = format!("no pod of the manifests has the labels {}", in_words(selector));
        let found = findings.add(index, FieldPath::default().key("spec").key("selector"), message);
        if let Some(near) = most_alike(here, selector) {
            let reference = context.set.manifests.get(near.manifest).map(|near| near.reference.to_string());
            found.hint(format!("{} has some of them", reference.unwrap_or_default()));
        }
        // Custom resources may stand for pods.
        if context.set.custom.iter().any(|other| context.set.namespace_of(other) == namespace) {
            found.severity(Severity::Info);
        }
    }
}

/// The Services that select pods.
pub(super) fn services<'s, 'a>(
    set: &'s Set<'a>,
) -> impl Iterator<Item = (usize, &'a Manifest, &'a Value)> + use<'s, 'a> {
    set.manifests.iter().enumerate().filter_map(|(index, manifest)| {
        let is_service = manifest.reference.api_version == "v1" && manifest.reference.kind == "Service";
        let spec = manifest.object.get("spec").filter(|spec| is_service && spec["type"] != "ExternalName")?;
        let selector =
            spec.get("selector").filter(|selector| selector.as_object().is_some_and(|all| !all.is_empty()))?;
        Some((index, manifest, selector))
    })
}

/// The workload that has most of the labels, when one has at least half.
fn most_alike<'w, 'a: 'w>(
    workloads: impl Iterator<Item = &'w Workload<'a>>,
    selector: &Value,
) -> Option<&'w Workload<'a>> {
    let wanted = selector.as_object()?;
    let shared = |workload: &Workload<'_>| {
        wanted.iter().filter(|(key, value)| workload.labels().get(key) == Some(value)).count()
    };
    let best = workloads.max_by_key(|workload| shared(workload))?;
    (2 * shared(best) >= wanted.len()).then_some(best)
}
