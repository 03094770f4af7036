//! Which pods mount a claim, and which workloads would.

use serde_json::Value;

use crate::rules::{
    fields::{count, list, text},
    prune,
};

/// A pod, as far as its claims are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodUse {
    pub namespace: String,
    pub name: String,
    /// Empty while it is not scheduled.
    pub node: String,
    /// Whether its containers have ended for good, so that it mounts nothing any more.
    pub ended: bool,
    /// `statefulset/db`; None for a pod of its own.
    pub workload: Option<String>,
    pub mounts: Vec<Mount>,
}

/// A claim of a pod, and where to look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    pub claim: String,
    /// A container that runs and mounts the whole of it, with the path; None where there is none.
    pub place: Option<(String, String)>,
}

/// What a pod has to do with claims; None when it has none.
pub fn pod_use(pod: &Value) -> Option<PodUse> {
    let name = text(pod, "/metadata/name");
    let volumes = list(pod, "/spec/volumes").iter();
    let mounts: Vec<Mount> = volumes
        .filter_map(|volume| {
            let claim = claim_of(volume, name)?;
            Some(Mount { claim, place: place(pod, text(volume, "/name")) })
        })
        .collect();
    if mounts.is_empty() {
        return None;
    }
    Some(PodUse {
        namespace: text(pod, "/metadata/namespace").into(),
        name: name.into(),
        node: text(pod, "/spec/nodeName").into(),
        ended: matches!(text(pod, "/status/phase"), "Succeeded" | "Failed"),
        workload: workload(pod),
        mounts,
    })
}

/// The claim of a volume; that of an ephemeral volume is named after its pod.
fn claim_of(volume: &Value, pod: &str) -> Option<String> {
    match text(volume, "/persistentVolumeClaim/claimName") {
        "" => volume.get("ephemeral").map(|_| format!("{pod}-{}", text(volume, "/name"))),
        name => Some(name.to_owned()),
    }
}

/// A running container that mounts the whole volume.
fn place(pod: &Value, volume: &str) -> Option<(String, String)> {
    let runs = |container: &Value| {
        list(pod, "/status/containerStatuses")
            .iter()
            .any(|status| status["name"] == container["name"] && status.pointer("/state/running").is_some())
    };
    list(pod, "/spec/containers").iter().filter(|container| runs(container)).find_map(|container| {
        let mut mounts = list(container, "/volumeMounts").iter();
        let whole = |mount: &&Value| {
            mount["name"] == volume && text(mount, "/subPath").is_empty() && text(mount, "/subPathExpr").is_empty()
        };
        let mount = mounts.find(whole)?;
        Some((text(container, "/name").to_owned(), text(mount, "/mountPath").to_owned()))
    })
}

/// What a pod belongs to, as people name it: the Deployment instead of its ReplicaSet.
fn workload(pod: &Value) -> Option<String> {
    let owner = list(pod, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)?;
    let (kind, name) = (text(owner, "/kind"), text(owner, "/name"));
    let hash = text(pod, "/metadata/labels/pod-template-hash");
    match name.strip_suffix(hash).and_then(|name| name.strip_suffix('-')) {
        Some(deployment) if kind == "ReplicaSet" && !hash.is_empty() => Some(format!("deployment/{deployment}")),
        _ => Some(format!("{}/{name}", kind.to_ascii_lowercase())),
    }
}

/// A workload whose pods mount claims, whether it has pods now or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimUser {
    pub namespace: String,
    /// `statefulset/db`
    pub name: String,
    /// The claims that it names.
    claims: Vec<String>,
    /// How the names of the claims begin that it makes from templates.
    prefixes: Vec<String>,
    /// The ordinals of a StatefulSet's replicas.
    ordinals: std::ops::Range<i64>,
}

/// What a workload has to do with claims; None when it has none.
pub fn workload_claims(object: &Value) -> Option<ClaimUser> {
    let kind = text(object, "/kind");
    let template = if kind == "CronJob" { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    let volumes = list(object, &format!("{template}/volumes")).iter();
    let claims: Vec<String> = volumes
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let prefixes = prune::made_claims(object);
    if claims.is_empty() && prefixes.is_empty() {
        return None;
    }
    let first = count(object, "/spec/ordinals/start");
    let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    Some(ClaimUser {
        namespace: text(object, "/metadata/namespace").into(),
        name: format!("{}/{}", kind.to_ascii_lowercase(), text(object, "/metadata/name")),
        claims,
        prefixes,
        ordinals: first..first.saturating_add(replicas),
    })
}

impl ClaimUser {
    /// Whether its pods mount the claim, and why none does now: None when the claim is not one of its own.
    pub fn of(&self, claim: &str) -> Option<String> {
        if self.claims.iter().any(|named| named == claim) {
            return Some(format!("{} names it, and none of its pods mounts it now", self.name));
        }
        if !prune::is_made_claim(&self.prefixes, claim) {
            return None;
        }
        let ordinal: i64 = claim.rsplit('-').next()?.parse().ok()?;
        Some(match self.ordinals.contains(&ordinal) {
            true => format!("{} made it for its replica {ordinal}, whose pod does not mount it now", self.name),
            false => format!(
                "{} made it for its replica {ordinal}, and has {} replicas now",
                self.name,
                self.ordinals.end - self.ordinals.start
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_pod_mounts_claims_of_its_own_and_ephemeral_ones() {
        let pod = yaml(
            "{metadata: {name: api-7d-x, namespace: shop, labels: {pod-template-hash: 7d},
               ownerReferences: [{kind: ReplicaSet, name: api-7d, controller: true}]},
              spec: {nodeName: n1, volumes: [{name: data, persistentVolumeClaim: {claimName: files}},
                {name: scratch, ephemeral: {}}, {name: tmp, emptyDir: {}}],
                containers: [{name: side, volumeMounts: [{name: data, mountPath: /part, subPath: a}]},
                  {name: main, volumeMounts: [{name: data, mountPath: /files}]}]},
              status: {phase: Running, containerStatuses: [{name: side, state: {running: {}}}, {name: main, state: {running: {}}}]}}",
        );
        let used = pod_use(&pod).unwrap();
        assert_eq!(used.workload.as_deref(), Some("deployment/api"));
        let claims: Vec<&str> = used.mounts.iter().map(|mount| mount.claim.as_str()).collect();
        assert_eq!(claims, ["files", "api-7d-x-scratch"]);
        assert_eq!(used.mounts[0].place, Some(("main".into(), "/files".into())));
        assert_eq!(used.mounts[1].place, None);
        assert_eq!(pod_use(&yaml("{spec: {volumes: [{name: a, emptyDir: {}}]}}")), None);
    }

    #[test]
    fn a_claim_beyond_the_replicas_says_so() {
        let set = yaml(
            "{kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {replicas: 2,
              volumeClaimTemplates: [{metadata: {name: data}}]}}",
        );
        let user = workload_claims(&set).unwrap();
        assert!(user.of("data-db-1").unwrap().ends_with("whose pod does not mount it now"));
        assert_eq!(user.of("data-db-2").unwrap(), "statefulset/db made it for its replica 2, and has 2 replicas now");
        assert_eq!(user.of("data-db-x"), None);
        assert_eq!(workload_claims(&yaml("{kind: Deployment, metadata: {name: web}}")), None);
    }
}
