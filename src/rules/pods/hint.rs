//! What to do about a trouble, where one step is right.

use super::state::{Stage, Trouble};

/// The next step for a trouble, a sentence or a command.
pub fn hint(trouble: &Trouble) -> Option<String> {
    let words = &trouble.message;
    let says = |sign: &str| words.contains(sign);
    let hint = match (trouble.stage, trouble.reason.as_str()) {
        (_, "OOMKilled") => "raise resources.limits.memory, or let the application use less",
        (_, "InvalidImageName") => "correct the image's name; is a variable in it not replaced?",
        (_, "ErrImageNeverPull") => "load the image into the node, or change imagePullPolicy",
        (Stage::Image, _) if says("401") || says("403") || says("denied") || says("unauthorized") => {
            "name a pull secret for that registry in imagePullSecrets"
        }
        (Stage::Image, _) if says("not found") || says("manifest unknown") => {
            "correct the image's name or tag, or push it (into a local cluster: load it)"
        }
        (Stage::Configuration, _) if says("couldn't find key") => "add the key, or correct its name",
        (Stage::Configuration, _) if says("not found") => "add the object to the manifests, or correct its name",
        (Stage::Configuration, _) if says("runAsNonRoot") => {
            "set securityContext.runAsUser, or a numeric USER in the image"
        }
        (Stage::Volume, _) if says("non-existent config key") => "add the key, or correct its name",
        (Stage::Volume, _) if says("not found") => "add the object to the manifests, or correct its name",
        (Stage::Scheduling, _) if says("Insufficient") => "lower resources.requests, or give the cluster more room",
        (Stage::Scheduling, _) if says("node affinity/selector") => "label a node as nodeSelector asks, or correct it",
        (Stage::Scheduling, _) if says("persistentvolumeclaim") => {
            "add the claim to the manifests, or correct its name"
        }
        (Stage::Creation, _) if says("exceeded quota") => "raise the ResourceQuota, or lower replicas and requests",
        (Stage::Creation, _) if says("must specify") => "set the resources that the ResourceQuota counts",
        (Stage::Creation, _) if says("violates PodSecurity") => {
            "set the securityContext that the namespace's level asks for"
        }
        (Stage::Creation, _) if says("serviceaccount") && says("not found") => {
            "add the ServiceAccount to the manifests"
        }
        (_, "StartError") => "correct the command; does the image contain it?",
        (Stage::Probe, _) if says("connection refused") => {
            "does the application listen on the probe's port, on all addresses?"
        }
        _ if says("of the old revision") => "delete that pod, and the new revision takes its place",
        _ => return None,
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pods::Allowance;

    #[test]
    fn a_hint_fits_the_words() {
        let of = |stage, reason: &str, message: &str| {
            let allowance = Allowance::Grace(1);
            hint(&Trouble { stage, container: None, reason: reason.into(), message: message.into(), allowance })
        };
        assert!(of(Stage::Image, "ErrImagePull", "manifest unknown").unwrap().contains("tag"));
        assert!(
            of(Stage::Configuration, "CreateContainerConfigError", "couldn't find key a in Secret b")
                .unwrap()
                .contains("key")
        );
        assert!(
            of(Stage::Crash, "CrashLoopBackOff", "it is of the old revision and").unwrap().contains("delete that pod")
        );
        assert_eq!(of(Stage::Crash, "CrashLoopBackOff", "exit code 1"), None);
    }
}
