//! Pods, in pods and in templates of pods.

use serde_json::{Value, json};

use super::super::edit::{Edit, Fields, Read};

pub(super) fn fill(name: &str, object: &mut Fields) {
    match name {
        "Pod" => pod(object),
        "PodSpec" => {
            object.or("dnsPolicy", "ClusterFirst");
            object.or("restartPolicy", "Always");
            object.or("securityContext", json!({}));
            object.or("terminationGracePeriodSeconds", 30);
            object.or("schedulerName", "default-scheduler");
            service_account(object);
            drop_image_volumes(object);
            drop_restart_policies(object);
        }
        "Container" | "EphemeralContainer" => {
            let policy = pull_policy(object.text(&["image"]));
            object.or("imagePullPolicy", policy);
            object.or("terminationMessagePath", "/dev/termination-log");
            object.or("terminationMessagePolicy", "File");
        }
        "Probe" => {
            object.or("timeoutSeconds", 1);
            object.or("periodSeconds", 10);
            object.or("successThreshold", 1);
            object.or("failureThreshold", 3);
        }
        "HTTPGetAction" => {
            object.or("path", "/");
            object.or("scheme", "HTTP");
        }
        "Volume" if object.keys().all(|key| key == "name") => {
            object.insert("emptyDir".into(), json!({}));
        }
        "SecretVolumeSource" | "ConfigMapVolumeSource" | "DownwardAPIVolumeSource" | "ProjectedVolumeSource" => {
            object.or("defaultMode", 420);
        }
        "HostPathVolumeSource" => object.or("type", ""),
        "ServiceAccountTokenProjection" => object.or("expirationSeconds", 3600),
        "ObjectFieldSelector" => object.or("apiVersion", "v1"),
        _ => {}
    }
}

fn pod(object: &mut Fields) {
    let Some(spec) = object.within("spec") else { return };
    for list in ["containers", "initContainers"] {
        for container in spec.each(list) {
            requests_from_limits(container);
        }
    }
    spec.or("enableServiceLinks", true);
    if spec.is_true(&["hostNetwork"]) {
        for list in ["containers", "initContainers"] {
            for port in spec.each(list).flat_map(|container| container.each("ports")) {
                let Some(number) = port.get("containerPort").cloned() else { continue };
                if port.number(&["hostPort"]).unwrap_or_default() == 0 {
                    port.insert("hostPort".into(), number);
                }
            }
        }
    }
}

/// Limits without requests are requests too; in pods, not in templates.
fn requests_from_limits(container: &mut Fields) {
    let Some(resources) = container.inside("resources") else { return };
    let Some(limits) = resources.fields(&["limits"]).filter(|limits| !limits.is_empty()).cloned() else { return };
    let Some(requests) = resources.within("requests") else { return };
    for (resource, amount) in limits {
        requests.or(&resource, amount);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`: both say the same.
fn service_account(spec: &mut Fields) {
    let name = match spec.text(&["serviceAccountName"]) {
        "" => spec.text(&["serviceAccount"]).to_owned(),
        name => name.to_owned(),
    };
    if !name.is_empty() {
        spec.insert("serviceAccountName".into(), json!(name));
        spec.insert("serviceAccount".into(), json!(name));
    }
}

/// Volumes of images are behind a feature gate that is off by default: they are left out, and so are their mounts.
fn drop_image_volumes(spec: &mut Fields) {
    let is_image = |volume: &Value| volume.has(&["image"]);
    let names: Vec<String> =
        spec.items(&["volumes"]).iter().filter(|it| is_image(it)).map(|it| it.text(&["name"]).to_owned()).collect();
    if names.is_empty() {
        return;
    }
    if let Some(Value::Array(volumes)) = spec.get_mut("volumes") {
        volumes.retain(|volume| !is_image(volume));
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in spec.each(list) {
            if let Some(Value::Array(mounts)) = container.get_mut("volumeMounts") {
                mounts.retain(|mount| !names.iter().any(|name| name == mount.text(&["name"])));
            }
        }
    }
}

/// Policies of single containers are behind a gate that is off by default too, but for init containers that keep running.
fn drop_restart_policies(spec: &mut Fields) {
    for list in ["containers", "initContainers"] {
        for container in spec.each(list) {
            container.shift_remove("restartPolicyRules");
            if list == "containers" || container.text(&["restartPolicy"]) != "Always" {
                container.shift_remove("restartPolicy");
            }
        }
    }
}

/// `Always` for the tag `latest`, be it written or not; `IfNotPresent` for other tags, digests and what is no name.
fn pull_policy(image: &str) -> Value {
    let is_name = !image.is_empty() && !image.contains(|c: char| c.is_whitespace());
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = match (image.contains('@'), name.split_once(':')) {
        (true, tagged) => tagged.is_some_and(|(_, tag)| tag.starts_with("latest@")),
        (false, Some((_, tag))) => tag == "latest",
        (false, None) => true,
    };
    let lower_case = !image.split(':').next().unwrap_or_default().contains(|c: char| c.is_ascii_uppercase());
    json!(if is_name && latest && lower_case { "Always" } else { "IfNotPresent" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pull_policy_follows_the_tag() {
        for image in ["nginx", "nginx:latest", "localhost:5000/nginx", "ghcr.io/a/b:latest"] {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
        for image in ["nginx:1", "localhost:5000/nginx:1", "nginx@sha256:abc", "nginx:1@sha256:abc", "", "Nginx"] {
            assert_eq!(pull_policy(image), "IfNotPresent", "{image}");
        }
    }
}
