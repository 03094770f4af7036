//! How a PostgreSQL does. Its own psql is asked, in its own container and with the credentials of that container's
//! environment, so that no password leaves the pod. Sessions are read-only.

use serde_json::Value;

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::{CommandRequest, DatabaseReport, DatabaseRequest, Target},
    ops::{container::Spot, scope},
    rules::{
        database::{PSQL, QUESTIONS, READ, is_database_name, postgres, read_answers},
        fields::text,
    },
};

/// Asks a database how it does.
///
/// # Errors
/// Usage, when there is no PostgreSQL, or several and none is named; failed, when it does not answer.
pub async fn run(ctx: &Ctx, request: &DatabaseRequest) -> Result<DatabaseReport> {
    let cluster = ctx.cluster().await?;
    let asking = async {
        let spot = find(ctx, &cluster, &request.target, request.what.as_deref()).await?;
        let database = database(request)?;
        ctx.phase("db", format!("asking the PostgreSQL in pod/{}", spot.pod));
        let mut questions = Some(QUESTIONS.as_bytes().to_vec());
        let command = ["sh", "-c", READ, "psql", database, "--tuples-only", "--no-align"];
        let answer = spot.write(&cluster, &command, || Ok(questions.take())).await?;
        let text = answer.succeeded(&format!("asking the PostgreSQL in pod/{}", spot.pod))?;
        let report = read_answers(&text)
            .map_err(|cause| Error::failed("the answers of PostgreSQL cannot be read").because(cause))?;
        Ok(DatabaseReport { namespace: spot.namespace, pod: spot.pod, ..report })
    };
    ctx.unless_cancelled("asking the database", asking).await
}

/// The command that opens psql in the container of a database. The session is read-only unless `write`.
///
/// # Errors
/// As for `run`, when there is none.
pub async fn shell(ctx: &Ctx, request: &DatabaseRequest, write: bool, tty: bool) -> Result<CommandRequest> {
    let cluster = ctx.cluster().await?;
    let finding = find(ctx, &cluster, &request.target, request.what.as_deref());
    let spot = ctx.unless_cancelled("looking for the database", finding).await?;
    let script = if write { PSQL } else { READ };
    let command = ["sh", "-c", script, "psql", database(request)?];
    Ok(CommandRequest {
        target: Target { namespace: Some(spot.namespace), ..request.target.clone() },
        of: format!("pod/{}", spot.pod),
        container: Some(spot.container),
        command: command.map(str::to_owned).to_vec(),
        stdin: true,
        tty,
    })
}

/// The name of the database in the request; empty for the one of the environment.
fn database(request: &DatabaseRequest) -> Result<&str> {
    match request.database.as_deref() {
        Some(name) if !is_database_name(name) => Err(Error::usage(format!("{name:?} is no name of a database"))),
        name => Ok(name.unwrap_or_default()),
    }
}

/// The container of the PostgreSQL that is meant.
async fn find(ctx: &Ctx, cluster: &Cluster, target: &Target, what: Option<&str>) -> Result<Spot> {
    let namespaces = scope::namespaces(ctx, cluster, target)?;
    let mut found: Vec<(Spot, String)> = Vec::new();
    let running = ListQuery { fields: Some("status.phase=Running".into()), ..ListQuery::default() };
    for namespace in &namespaces {
        let keep = |pod: Value| {
            let owner = pod["metadata"]["ownerReferences"][0]["name"].as_str().unwrap_or_default().to_owned();
            let spot = postgres(&pod).map(|server| Spot {
                namespace: namespace.clone(),
                pod: text(&pod, "/metadata/name").to_owned(),
                container: server.container,
            });
            found.extend(spot.map(|spot| (spot, owner)));
        };
        cluster.list(&Resource::pods(), Some(namespace), &running, keep).await?;
    }
    let place = namespaces.join(", ");
    if let Some(word) = what {
        let name = word.split_once('/').map_or(word, |(_, name)| name);
        let means = |owner: &str| owner == name || owner.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        found.retain(|(spot, owner)| spot.pod == name || means(owner));
    }
    found.sort_by(|a, b| a.0.pod.cmp(&b.0.pod));
    let several = found.iter().any(|(_, owner)| *owner != found[0].1);
    match found.first() {
        None => Err(Error::usage(match what {
            Some(word) => format!("no running pod of {word} in {place} has a PostgreSQL"),
            None => format!("no running pod in {place} has a PostgreSQL"),
        })
        .hint("-n names another namespace; a container is known by its image, or by POSTGRES_DB in its environment")),
        Some(_) if several && what.is_none() => {
            let names: Vec<&str> = found.iter().map(|(spot, _)| spot.pod.as_str()).collect();
            Err(Error::usage(format!("{place} has several PostgreSQL: {}", names.join(", "))).hint("name one"))
        }
        Some((spot, _)) => Ok(spot.clone()),
    }
}
