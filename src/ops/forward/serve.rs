//! Connections are accepted, and the pods are watched so that each goes to one that runs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, future::select_all, stream::BoxStream};
use serde_json::Value;
use tokio::{net::TcpStream, sync::watch, task::JoinSet};

use super::{
    connection::{Connection, Pod},
    open::Forward,
};
use crate::{
    cluster::{Resource, WatchEvent},
    context::Ctx,
    error::{Error, Result},
    model::ObjectRef,
    rules::pods::choice,
};

/// How long a target may be without a running pod at the beginning.
const FIRST_POD: Duration = Duration::from_secs(30);

/// What was seen of the pods.
struct Pods<'c> {
    changes: BoxStream<'c, WatchEvent>,
    known: BTreeMap<String, Value>,
    /// The one that connections go to.
    current: watch::Sender<Option<Pod>>,
    told: Option<String>,
}

impl Forward {
    /// Answers until the user interrupts, or the cluster refuses to tell about the pods.
    ///
    /// # Errors
    /// Failed, when no pod runs at the beginning, and when the watch is refused.
    pub async fn serve(self, ctx: &Ctx) -> Result<()> {
        let cluster = Arc::clone(&self.cluster);
        let changes = cluster.watch(&Resource::pods(), Some(&self.namespace), &self.pods).boxed();
        let (current, pod) = watch::channel(None);
        let mut pods = Pods { changes, known: BTreeMap::new(), current, told: None };
        let first = tokio::time::timeout(FIRST_POD, pods.first(ctx, &self.target));
        tokio::select! {
            () = ctx.cancel.cancelled() => return Ok(()),
            found = first => match found {
                Ok(found) => found?,
                Err(_) => return Err(self.nothing_runs(&pods)),
            },
        }
        let mut connections = JoinSet::new();
        loop {
            let accepting =
                self.listeners.iter().map(|(listener, port)| Box::pin(async move { (listener.accept().await, port) }));
            tokio::select! {
                () = ctx.cancel.cancelled() => return Ok(()),
                told = pods.next(ctx, &self.target) => told?,
                Some(_) = connections.join_next() => {}
                ((accepted, port), ..) = select_all(accepting) => match accepted {
                    Ok((near, _)) => {
                        connections.spawn(self.connection(near, port, pod.clone(), ctx).carry());
                    }
                    // Too many open files, or a client that left at once: the next one may fare better.
                    Err(cause) => {
                        ctx.warn(format!("a connection could not be accepted: {cause}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
    }

    fn connection(
        &self,
        near: TcpStream,
        port: &crate::rules::ports::Port,
        pod: watch::Receiver<Option<Pod>>,
        ctx: &Ctx,
    ) -> Connection {
        Connection {
            near,
            port: port.clone(),
            pod,
            cluster: Arc::clone(&self.cluster),
            namespace: self.namespace.clone(),
            events: Arc::clone(&ctx.events),
        }
    }

    fn nothing_runs(&self, pods: &Pods<'_>) -> Error {
        let seen: Vec<Value> = pods.known.values().cloned().collect();
        let (target, seconds) = (&self.target, FIRST_POD.as_secs());
        Error::failed(format!("no pod of {target} runs after {seconds} s: {}", choice::in_words(&seen)))
            .hint(format!("`kubectl describe {target} -n {}` says more", self.namespace))
    }
}

impl Pods<'_> {
    /// Until there is a pod to connect to.
    async fn first(&mut self, ctx: &Ctx, target: &ObjectRef) -> Result<()> {
        while self.current.borrow().is_none() {
            self.next(ctx, target).await?;
        }
        Ok(())
    }

    async fn next(&mut self, ctx: &Ctx, target: &ObjectRef) -> Result<()> {
        match self.changes.next().await {
            Some(WatchEvent::Seen(pod)) => drop(self.known.insert(ObjectRef::of(&pod).name, pod)),
            Some(WatchEvent::Gone { name, .. }) => drop(self.known.remove(&name)),
            Some(WatchEvent::Complete) => {}
            Some(WatchEvent::Interrupted(message)) => {
                ctx.note(format!("the pods cannot be watched for a moment: {message}"));
                return Ok(());
            }
            Some(WatchEvent::Refused(error)) => return Err(error),
            None => return Err(Error::failed(format!("the pods of {target} are no longer told"))),
        }
        self.choose(ctx, target);
        Ok(())
    }

    /// Stays with a pod for as long as it can be used.
    fn choose(&mut self, ctx: &Ctx, target: &ObjectRef) {
        let kept = self.current.borrow().as_ref().and_then(|pod| {
            let known = self.known.get(&pod.name)?;
            (choice::is_usable(known) && (choice::is_ready(known) || !pod.ready)).then(|| known.clone())
        });
        let best = match kept.filter(choice::is_ready) {
            Some(kept) => Some(kept),
            None => choice::best(self.known.values()).cloned(),
        };
        let pod = best.map(Pod::of);
        let told = pod.as_ref().map(|pod| pod.name.clone());
        match (&told, &self.told) {
            (Some(name), told) if told.as_ref() != Some(name) => {
                ctx.phase("forward", format!("connections to {target} go to pod/{name}"));
            }
            (None, Some(name)) => {
                ctx.phase("forward", format!("pod/{name} is gone; waiting for another pod of {target}"));
            }
            _ => {}
        }
        self.told = told;
        self.current.send_replace(pod);
    }
}
