//! Mounts of volumes that the pod does not have.

use super::rule::{Check, Context, Findings, Rule};
use crate::{config::nearest, model::Severity};

pub(super) static RULE: Rule = Rule {
    code: "volume-missing",
    severity: Severity::Error,
    summary: "A container mounts a volume that its pod does not have",
    help: "The API server refuses the pod. Add the volume under volumes (in a StatefulSet also volumeClaimTemplates), or correct the name.",
    check: Check::Set(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for workload in &context.set.workloads {
        let Some(manifest) = context.set.manifests.get(workload.manifest) else { continue };
        let volumes = workload.template["spec"]["volumes"].as_array().into_iter().flatten();
        let templates = manifest.object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
        let names: Vec<&str> = volumes
            .filter_map(|volume| volume["name"].as_str())
            .chain(templates.filter_map(|template| template["metadata"]["name"].as_str()))
            .collect();
        for container in workload.containers() {
            for field in ["volumeMounts", "volumeDevices"] {
                for (index, mount) in container.value[field].as_array().into_iter().flatten().enumerate() {
                    let Some(name) = mount["name"].as_str().filter(|name| !names.contains(name)) else { continue };
                    let path = workload.path_of(&container).key(field).index(index).key("name");
                    let found = findings.add(workload.manifest, path, format!("the pod has no volume named {name:?}"));
                    if let Some(near) = nearest(name, names.iter().copied()) {
                        found.hint(format!("did you mean {near}?"));
                    }
                }
            }
        }
    }
}
