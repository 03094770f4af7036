//! A command in a container of what is named.

use serde_json::Value;

use crate::{
    cluster::{Cluster, ExecRequest, Execution, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{CommandRequest, ObjectRef, ScopeRequest, Target},
    ops::scope::{EXECUTED, Kinds, resolve},
    rules::{pods::choice, scope},
};

/// Begins the command; whoever asked moves its streams.
///
/// # Errors
/// Usage, when the target or the container is not there; failed, when no pod runs, and with the server's refusal.
pub async fn start(ctx: &Ctx, request: &CommandRequest) -> Result<Execution> {
    let cluster = ctx.cluster().await?;
    let starting = async {
        let object = one(ctx, &cluster, &request.target, &request.of, EXECUTED).await?;
        let pods = pods(&cluster, &object).await?;
        let reference = ObjectRef::of(&object);
        let pod = choice::best(&pods).ok_or_else(|| {
            Error::failed(format!("no pod of {reference} runs: {}", choice::in_words(&pods)))
                .hint(format!("`kubectl describe {reference}` says more"))
        })?;
        let container = choice::container(pod, request.container.as_deref())?;
        let pod_name = ObjectRef::of(pod).name;
        if let Some(why) = choice::not_running(pod, container) {
            return Err(Error::failed(format!("the container {container} of pod/{pod_name} does not run: {why}"))
                .hint(format!("`kubectl logs {pod_name} -c {container} --previous` shows its last words")));
        }
        ctx.note(format!("running in the container {container} of pod/{pod_name}"));
        let wanted = ExecRequest {
            container: Some(container.to_owned()),
            command: request.command.clone(),
            stdin: request.stdin,
            tty: request.tty,
        };
        let namespace = ObjectRef::of(pod).namespace.unwrap_or_default();
        cluster.exec(&namespace, &pod_name, &wanted).await.map_err(refused)
    };
    ctx.unless_cancelled("starting the command", starting).await
}

/// The one object that a word names.
pub(super) async fn one(ctx: &Ctx, cluster: &Cluster, target: &Target, word: &str, kinds: Kinds) -> Result<Value> {
    let request = ScopeRequest { target: target.clone(), words: vec![word.to_owned()], ..ScopeRequest::default() };
    let mut found = resolve(ctx, cluster, &request, kinds).await?.found;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one.object),
        (Some(last), false) => {
            let names: Vec<String> = found.iter().chain([&last]).map(|found| found.reference().to_string()).collect();
            Err(Error::usage(format!("{word} means several objects: {}", names.join(", "))).hint("name one of them"))
        }
        (None, _) => Err(Error::usage(format!("{word} names nothing"))),
    }
}

/// The pods of an object, or the pod itself.
async fn pods(cluster: &Cluster, object: &Value) -> Result<Vec<Value>> {
    if object["kind"] == "Pod" {
        return Ok(vec![object.clone()]);
    }
    let Some(query) = scope::pods(object) else { return Ok(Vec::new()) };
    let list = ListQuery { labels: query.labels, fields: query.fields, ..ListQuery::default() };
    let mut pods = Vec::new();
    cluster.list(&Resource::pods(), query.namespace.as_deref(), &list, |pod| pods.push(pod)).await?;
    Ok(pods)
}

/// A sandbox has no containers; it says so with 400.
fn refused(error: Error) -> Error {
    match error.code() {
        403 => error.hint("running commands takes the right to `create` and `get` `pods/exec`"),
        _ => error,
    }
}
