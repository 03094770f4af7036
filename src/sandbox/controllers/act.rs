//! Carries out what controllers decide.

use serde_json::Value;

use super::{
    action::{Action, Notice, SCHEDULER},
    engine::Engine,
    replica_set,
    tables::{self, Key, TableId},
    work::{Task, Work},
};
use crate::sandbox::{
    api::{DeleteOptions, Propagation, Write},
    problem::Problem,
    resource::At,
};

impl Engine {
    /// Does one thing after the other, up to the first that fails; then the object is looked at again later.
    pub fn carry_out(&mut self, work: Work, actions: Vec<Action>) {
        for action in actions {
            if self.act(action, &work).is_err() {
                self.agenda.add_failed(work, self.api.clock().now());
                return;
            }
        }
        self.agenda.succeeded(&work);
    }

    fn act(&mut self, action: Action, work: &Work) -> Result<(), Problem> {
        match action {
            Action::Create { table, object, manager, refused } => {
                let created = self.create(table, object, manager);
                if let (Err(problem), Some(mut notice)) = (&created, refused) {
                    notice.message.push_str(&problem.message);
                    self.tell_failure(work, *notice, problem);
                }
                created
            }
            Action::Update { key, subresource, object, manager } => {
                let Some(at) = self.at(&key) else { return Ok(()) };
                self.api.update(&at, subresource, object, &Write::by(manager)).map(drop)
            }
            Action::Delete { key, uid, grace, propagation } => {
                let Some(at) = self.at(&key) else { return Ok(()) };
                let propagation = propagation.map(|name| match name {
                    "Foreground" => Propagation::Foreground,
                    "Orphan" => Propagation::Orphan,
                    _ => Propagation::Background,
                });
                let options = DeleteOptions {
                    grace_period_seconds: grace,
                    propagation,
                    uid: Some(uid.into()),
                    ..DeleteOptions::default()
                };
                match self.api.delete(&at, &options) {
                    Err(problem) if problem.code != 404 => Err(problem),
                    _ => Ok(()),
                }
            }
            Action::Bind { pod, node } => {
                let Some(at) = self.at(&pod) else { return Ok(()) };
                self.api.bind(&at, &node, &Write::by(SCHEDULER))
            }
            Action::Tell(notice) => {
                self.record(notice);
                Ok(())
            }
        }
    }

    pub fn create(&self, table: TableId, object: Value, manager: &str) -> Result<(), Problem> {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let Some(resource) = self.resource(table) else { return Ok(()) };
        let namespace = resource.namespaced.then(|| text("namespace"));
        let at = At { resource, namespace, name: text("name") };
        self.api.create(&at, object, &Write::by(manager)).map(drop)
    }

    /// Where an object is, in the version of its controllers.
    pub fn at(&self, key: &Key) -> Option<At> {
        let resource = self.resource(key.table)?;
        let namespace = resource.namespaced.then(|| key.namespace().to_owned());
        Some(At { resource, namespace, name: key.name().to_owned() })
    }

    /// Says that pods cannot be made: in an event, and in the status of a ReplicaSet.
    fn tell_failure(&mut self, (task, key): &Work, notice: Notice, problem: &Problem) {
        self.record(notice);
        let now = self.api.clock().now();
        if *task != Task::ReplicaSet {
            return;
        }
        let failed = self.at(key).and_then(|at| {
            let set = self.api.get(&at).ok()?;
            Some((at, replica_set::with_failure(&set, now, &problem.message)?))
        });
        if let Some((at, object)) = failed {
            // The next look sets it again where somebody was faster.
            let _ = self.api.update(&at, "status", object, &Write::by(super::action::MANAGER));
        }
    }

    /// Records an event.
    pub fn record(&mut self, notice: Notice) {
        let now = self.api.clock().now();
        let repeated = self.recorder.known(&notice).and_then(|key| Some((key.clone(), self.cache.get(key)?)));
        if let Some((key, event)) = repeated
            && let Some(at) = self.at(&key)
        {
            let again = super::recorder::again(event, now);
            let _ = self.api.update(&at, "", again, &Write::by(super::recorder::manager(&notice)));
            return;
        }
        let event = super::recorder::event(&notice, now);
        let key = Key::new(
            tables::EVENTS,
            event["metadata"]["namespace"].as_str().unwrap_or_default(),
            event["metadata"]["name"].as_str().unwrap_or_default(),
        );
        // In a namespace that ends nothing can be said any more.
        if self.create(tables::EVENTS, event, super::recorder::manager(&notice)).is_ok() {
            let surplus = self.recorder.remember(&notice, key, now);
            for old in surplus {
                if let Some(at) = self.at(&old) {
                    let _ = self.api.delete(&at, &DeleteOptions::default());
                }
            }
        }
    }
}
