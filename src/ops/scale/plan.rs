//! What would be changed, and what stands in the way.

use serde_json::Value;

use super::surroundings::{listed, room};
use crate::{
    cluster::{Cluster, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{ObjectRef, ScaleChange, ScaleRequest, Scaling, Size},
    ops::scope::Found,
    rules::scaling::{Autoscaler, Claims, Record, Tool, budgets, find, left_behind, quotas, wanted, within},
};

/// One change, and how it is written.
pub(super) struct Step {
    pub change: ScaleChange,
    /// The kind of the object that is written: the workload, or its autoscaler.
    pub resource: Resource,
    /// The patch of an autoscaler; None for a number of replicas.
    pub patch: Option<Value>,
    /// The workload behind it, which is waited for.
    pub workload: Found,
}

/// The steps, with what is to be said of them.
#[derive(Default)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub obstacles: Vec<String>,
    pub notes: Vec<String>,
}

impl Plan {
    /// Adds what a number or bounds change of a workload.
    pub async fn add(
        &mut self,
        ctx: &Ctx,
        cluster: &Cluster,
        request: &ScaleRequest,
        limits: (u32, u32),
        workload: Found,
    ) -> Result<()> {
        refuse_controlled(&workload)?;
        let (autoscaler, resource) = autoscaler(ctx, cluster, &workload).await?;
        match (&request.scaling, autoscaler) {
            (Scaling::Between { .. }, None) => {
                let reference = workload.reference();
                Err(Error::usage(format!("{reference} has no autoscaler whose bounds could be set"))
                    .hint(format!("give it a number: `kubectl evolve scale {} 3`", short(&workload))))
            }
            (Scaling::Between { min, max }, Some(autoscaler)) => {
                let to = Size::Bounds { min: *min, max: *max };
                self.bounds(autoscaler, resource, to, workload);
                Ok(())
            }
            (Scaling::Undo, autoscaler) => {
                self.undo(ctx, cluster, request, autoscaler.zip(Some(resource)), workload).await
            }
            (_, autoscaler) => {
                let current = replicas(cluster, &workload).await?;
                if let Some(wanted) = request.current.filter(|wanted| *wanted != current) {
                    return Err(Error::failed(format!(
                        "{} has {current} replicas, not {wanted}",
                        workload.reference()
                    ))
                    .hint("look at it again, then scale from what it has"));
                }
                let to = wanted(current, &request.scaling)?;
                if !request.force {
                    within(to, limits.0, limits.1)?;
                }
                if let Some(autoscaler) = autoscaler {
                    owned(&autoscaler, &workload, to)?;
                }
                self.replicas(ctx, cluster, workload, current, to).await
            }
        }
    }

    fn bounds(&mut self, autoscaler: Autoscaler, resource: Option<Resource>, to: Size, workload: Found) {
        let (Some(resource), Size::Bounds { min, max }) = (resource, to) else { return };
        let change = ScaleChange { object: autoscaler.reference(), from: autoscaler.bounds(), to };
        let patch = Some(autoscaler.patch(min, max));
        self.steps.push(Step { change, resource, patch, workload });
    }

    /// What was before the last scaling, of the workload or of its autoscaler.
    async fn undo(
        &mut self,
        ctx: &Ctx,
        cluster: &Cluster,
        request: &ScaleRequest,
        autoscaler: Option<(Autoscaler, Option<Resource>)>,
        workload: Found,
    ) -> Result<()> {
        let own = Record::of(&workload.object);
        let its = autoscaler.as_ref().and_then(|(autoscaler, _)| Record::of(&autoscaler.object));
        let newer = match (&own, &its) {
            (Some(own), Some(its)) => its.at > own.at,
            (None, its) => its.is_some(),
            (Some(_), None) => false,
        };
        match (autoscaler, own, its) {
            (Some((autoscaler, resource)), _, Some(record)) if newer => {
                self.bounds(autoscaler, resource, record.from, workload);
            }
            (_, Some(Record { from: Size::Replicas(from), to, .. }), _) => {
                let current = replicas(cluster, &workload).await?;
                if Size::Replicas(current) != to && current != from {
                    self.notes.push(format!(
                        "{} was scaled to {to}, and somebody else has set {current} since",
                        workload.reference()
                    ));
                }
                self.replicas(ctx, cluster, workload, current, from).await?;
            }
            _ if request.scope.words.is_empty() => {}
            _ => {
                return Err(Error::usage(format!("no scaling of {} is recorded", workload.reference()))
                    .hint("`kubectl evolve history` shows the revisions of the application"));
            }
        }
        Ok(())
    }

    /// Another number of replicas, and what it means.
    pub async fn replicas(&mut self, ctx: &Ctx, cluster: &Cluster, workload: Found, from: u32, to: u32) -> Result<()> {
        let reference = workload.reference();
        let namespace = reference.namespace.clone().unwrap_or_default();
        let template = &workload.object["spec"]["template"];
        if let Some(more) = to.checked_sub(from).filter(|more| *more > 0) {
            let found = objects(listed(ctx, cluster, ("", "ResourceQuota"), &namespace).await?);
            self.obstacles.extend(quotas(&found, template, more));
            // The number of nodes may grow, which nobody here knows; the wait tells what the scheduler says.
            let lacks = room(ctx, cluster).await?.and_then(|room| room.lacks(template, more));
            self.notes.extend(lacks.map(|lacks| format!("{reference}: {lacks}")));
        } else if to < from {
            let found = objects(listed(ctx, cluster, ("policy", "PodDisruptionBudget"), &namespace).await?);
            self.notes.extend(budgets(&found, template, to));
        }
        match left_behind(&workload.object, from, to) {
            Some(Claims::Kept(names)) => {
                self.notes.push(format!("{reference}: these claims stay, with their data: {}", names.join(", ")));
            }
            Some(Claims::Deleted(names)) => self.obstacles.push(format!(
                "{reference} deletes the claims of the pods that go, and their data: {}",
                names.join(", ")
            )),
            None => {}
        }
        let change = ScaleChange { object: reference, from: Size::Replicas(from), to: Size::Replicas(to) };
        let resource = workload.resource.clone();
        self.steps.push(Step { change, resource, patch: None, workload });
        Ok(())
    }
}

fn objects(found: Vec<(Resource, Value)>) -> Vec<Value> {
    found.into_iter().map(|(_, object)| object).collect()
}

/// As the command line takes it: `deployment/api`.
pub(super) fn short(workload: &Found) -> String {
    format!("{}/{}", workload.resource.singular, workload.reference().name)
}

/// The number that is wanted now. Kinds of others are asked for theirs.
pub(super) async fn replicas(cluster: &Cluster, workload: &Found) -> Result<u32> {
    let reference = workload.reference();
    if matches!(reference.group(), "" | "apps") && workload.object["spec"]["replicas"].is_u64() {
        let number = workload.object["spec"]["replicas"].as_u64().unwrap_or(1);
        return Ok(u32::try_from(number).unwrap_or(u32::MAX));
    }
    let namespace = reference.namespace.clone().unwrap_or_default();
    cluster.scale(&workload.resource, &namespace, &reference.name).await.map(|(replicas, _)| replicas)
}

/// The autoscaler of a workload, with its kind.
pub(super) async fn autoscaler(
    ctx: &Ctx,
    cluster: &Cluster,
    workload: &Found,
) -> Result<(Option<Autoscaler>, Option<Resource>)> {
    let reference = workload.reference();
    let namespace = reference.namespace.clone().unwrap_or_default();
    let mut found = listed(ctx, cluster, ("keda.sh", "ScaledObject"), &namespace).await?;
    found.extend(listed(ctx, cluster, ("autoscaling", "HorizontalPodAutoscaler"), &namespace).await?);
    let all: Vec<Value> = found.iter().map(|(_, object)| object.clone()).collect();
    let autoscaler = find(&reference, &all);
    let resource = autoscaler.as_ref().and_then(|autoscaler| {
        let kind = autoscaler.reference().kind;
        found.into_iter().map(|(resource, _)| resource).find(|resource| resource.kind == kind)
    });
    Ok((autoscaler, resource))
}

/// An autoscaler sets its own number. At zero, Kubernetes' own does nothing; KEDA has to be told.
fn owned(autoscaler: &Autoscaler, workload: &Found, to: u32) -> Result<()> {
    if to == 0 && autoscaler.tool == Tool::Kubernetes {
        return Ok(());
    }
    let (name, bounds) = (autoscaler.reference(), autoscaler.bounds());
    let short = short(workload);
    let around = match bounds {
        Size::Bounds { min, max } => Size::Bounds { min: min.min(to.max(1)), max: max.max(to.max(1)) },
        other => other,
    };
    Err(Error::usage(format!("{} is scaled by {name}, between {bounds}", workload.reference()))
        .hint(format!("`kubectl evolve scale {short} {around}` sets its bounds"))
        .hint(format!("`kubectl evolve scale {short} --to-zero` stops it, and --wake brings it back")))
}

/// What another object makes, that object scales.
fn refuse_controlled(workload: &Found) -> Result<()> {
    let owners = workload.object["metadata"]["ownerReferences"].as_array();
    let Some(owner) = owners.into_iter().flatten().find(|owner| owner["controller"] == true) else { return Ok(()) };
    let text = |key: &str| owner[key].as_str().unwrap_or_default().to_owned();
    let owner = ObjectRef { api_version: text("apiVersion"), kind: text("kind"), namespace: None, name: text("name") };
    Err(Error::usage(format!("{} is made by {owner}, which would set its number again", workload.reference()))
        .hint(format!("scale {owner}")))
}
