//! Replaces a StatefulSet whose claim template is too small. Its pods and claims are orphaned and run on; the new one
//! takes them over. It is recorded first, so that whoever is killed in between loses nothing: the next run goes on.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    look::{Growth, Set},
    record::{self, Record},
};
use crate::{
    cluster::{Cluster, DeleteOptions, Propagation},
    context::Ctx,
    error::{Error, Result},
    rules::{
        fields::text,
        storage::{owners, with_template_size},
    },
};

/// How long the garbage collector may take to let go of the pods.
const GOES: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(200);
/// How often the deletion is tried when the StatefulSet changes at the same moment.
const TRIES: usize = 20;

/// Makes the template ask for the size. Once the deletion has begun it does not stop half-way when the user interrupts.
pub(super) async fn replace(ctx: &Ctx, cluster: &Cluster, growth: &Growth, set: &Set) -> Result<()> {
    let name = growth.object.strip_prefix("statefulset/").unwrap_or(&growth.object);
    let namespace = growth.namespace.as_str();
    let record = match (&set.live, &set.record) {
        (Some(live), _) if set.is_replaced(&growth.size) => {
            ctx.phase("replace", format!("replacing statefulset/{name}; its pods and claims stay"));
            Some(delete(cluster, growth, set, live.clone(), name).await?)
        }
        // It was made again before; what was left is to give the fields back and to forget the record.
        (Some(_), Some(record)) => Some(record.clone()),
        (Some(_), None) => None,
        (None, Some(record)) => {
            ctx.phase("replace", format!("making statefulset/{name} again, which an interrupted run has deleted"));
            let object = with_template_size(&record.object, &set.template, &growth.size);
            Some(Record { object, ..record.clone() })
        }
        (None, None) => return Err(Error::failed(format!("statefulset/{name} is gone"))),
    };
    let Some(record) = record else { return Ok(()) };
    let live = create(cluster, set, &record, namespace, name).await?;
    give_back(cluster, set, &record, &live).await?;
    record::remove(cluster, namespace, name).await
}

/// Records the StatefulSet and deletes it without its pods. When it changes meanwhile, it is recorded again.
async fn delete(cluster: &Cluster, growth: &Growth, set: &Set, mut live: Value, name: &str) -> Result<Record> {
    let namespace = growth.namespace.as_str();
    for _ in 0..TRIES {
        let record = Record {
            uid: text(&live, "/metadata/uid").to_owned(),
            object: with_template_size(&live, &set.template, &growth.size),
            managed_fields: live["metadata"]["managedFields"].clone(),
        };
        record::write(cluster, namespace, name, &record).await?;
        let options = DeleteOptions {
            uid: Some(record.uid.clone()),
            resource_version: Some(text(&live, "/metadata/resourceVersion").to_owned()),
            propagation: Propagation::Orphan,
            dry_run: false,
        };
        match cluster.delete(&set.resource, Some(namespace), name, &options).await {
            Err(error) if error.code() == 409 => {}
            deleted => return deleted.map(|_| record),
        }
        match cluster.get(&set.resource, Some(namespace), name).await? {
            Some(now) if text(&now, "/metadata/deletionTimestamp").is_empty() => live = now,
            // Our own deletion, whose answer was lost.
            _ => return Ok(record),
        }
    }
    Err(Error::failed(format!("statefulset/{name} changes too fast to be replaced; try again")))
}

/// Creates the StatefulSet as soon as the old one is gone.
async fn create(cluster: &Cluster, set: &Set, record: &Record, namespace: &str, name: &str) -> Result<Value> {
    let began = Instant::now();
    loop {
        let error = match cluster.create(&set.resource, &record.object).await {
            Ok(live) => return Ok(live),
            Err(error) if error.code() == 409 => error,
            Err(error) => {
                return Err(error.hint(format!(
                    "statefulset/{name} is recorded in secret/evolve.replaces.{name}; the same command makes it again"
                )));
            }
        };
        match cluster.get(&set.resource, Some(namespace), name).await? {
            Some(live) if text(&live, "/metadata/uid") != record.uid => return Ok(live),
            Some(_) if began.elapsed() >= GOES => {
                let message = format!("statefulset/{name} is still being deleted after {} s", GOES.as_secs());
                return Err(Error::failed(message).because(error).hint("the same command goes on when it is gone"));
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Gives the fields of the new StatefulSet to those who owned them, so that the next apply of anybody meets no conflict.
async fn give_back(cluster: &Cluster, set: &Set, record: &Record, live: &Value) -> Result<()> {
    let mut live = live.clone();
    let recorded = json!({"metadata": {"managedFields": record.managed_fields}});
    let (namespace, name) = (text(&live, "/metadata/namespace").to_owned(), text(&live, "/metadata/name").to_owned());
    for _ in 0..TRIES {
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": owners(&recorded, &live)},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
        ]);
        match cluster.patch(&set.resource, Some(&namespace), &name, &patch).await {
            Err(error) if error.code() == 409 => {}
            patched => return patched.map(drop),
        }
        let Some(now) = cluster.get(&set.resource, Some(&namespace), &name).await? else { return Ok(()) };
        live = now;
    }
    // Only who owns the fields is not as it was.
    Ok(())
}
