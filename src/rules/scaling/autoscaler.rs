//! The autoscaler that decides a workload's number of replicas.

use serde_json::{Value, json};

use crate::{
    model::{ObjectRef, Size},
    rules::{
        autoscaling::scales,
        fields::{number, text},
    },
};

/// Which tool an autoscaler belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A HorizontalPodAutoscaler. At zero replicas it does nothing (autoscaling.k8s.io, `ScalingDisabled`).
    Kubernetes,
    /// A ScaledObject, which keeps a HorizontalPodAutoscaler of its own.
    Keda,
}

/// An autoscaler of a workload.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    pub tool: Tool,
    pub object: Value,
}

impl Autoscaler {
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::of(&self.object)
    }

    /// Its bounds. What is left out is 1 below for Kubernetes, 0 for KEDA, and 100 above for KEDA.
    pub fn bounds(&self) -> Size {
        let read = |pointer: &str, absent: u32| {
            number(&self.object, pointer).and_then(|number| u32::try_from(number).ok()).unwrap_or(absent)
        };
        match self.tool {
            Tool::Kubernetes => Size::Bounds { min: read("/spec/minReplicas", 1), max: read("/spec/maxReplicas", 1) },
            Tool::Keda => {
                Size::Bounds { min: read("/spec/minReplicaCount", 0), max: read("/spec/maxReplicaCount", 100) }
            }
        }
    }

    /// The merge patch that sets its bounds.
    pub fn patch(&self, min: u32, max: u32) -> Value {
        match self.tool {
            Tool::Kubernetes => json!({"spec": {"minReplicas": min, "maxReplicas": max}}),
            Tool::Keda => json!({"spec": {"minReplicaCount": min, "maxReplicaCount": max}}),
        }
    }
}

/// The autoscaler of a workload: a ScaledObject before the HorizontalPodAutoscaler that it keeps.
pub fn find(workload: &ObjectRef, autoscalers: &[Value]) -> Option<Autoscaler> {
    let of = |tool: Tool| {
        let found = autoscalers.iter().find(|object| match tool {
            Tool::Kubernetes => object["kind"] == "HorizontalPodAutoscaler" && scales(object, workload),
            Tool::Keda => object["kind"] == "ScaledObject" && is_scaled_object_of(object, workload),
        })?;
        Some(Autoscaler { tool, object: found.clone() })
    };
    of(Tool::Keda).or_else(|| of(Tool::Kubernetes))
}

/// Its target is a Deployment unless it says otherwise (keda.sh, ScaledObject spec).
fn is_scaled_object_of(object: &Value, workload: &ObjectRef) -> bool {
    let target = |key: &str, absent: &'static str| match text(object, &format!("/spec/scaleTargetRef/{key}")) {
        "" => absent.to_owned(),
        given => given.to_owned(),
    };
    target("name", "") == workload.name
        && target("kind", "Deployment") == workload.kind
        && target("apiVersion", "apps/v1").split('/').next() == Some(workload.group())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn a_scaled_object_comes_before_the_autoscaler_that_it_keeps() {
        let api = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("shop".into()),
            name: "api".into(),
        };
        let hpa = yaml(
            "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: api}, spec: {maxReplicas: 6, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}}}",
        );
        let keda = yaml(
            "{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: queue}, spec: {scaleTargetRef: {name: api}, maxReplicaCount: 9}}",
        );
        let found = find(&api, std::slice::from_ref(&hpa)).unwrap();
        assert_eq!(found.bounds(), Size::Bounds { min: 1, max: 6 });
        let found = find(&api, &[hpa, keda]).unwrap();
        assert_eq!((found.tool, found.bounds()), (Tool::Keda, Size::Bounds { min: 0, max: 9 }));
        assert_eq!(found.patch(1, 2), json!({"spec": {"minReplicaCount": 1, "maxReplicaCount": 2}}));
        let web = ObjectRef { name: "web".into(), ..api };
        assert!(find(&web, &[found.object]).is_none());
    }
}
