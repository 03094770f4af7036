//! The loop of the controllers.

use std::{sync::Arc, thread, time::Duration};

use tokio::{runtime, time};
use tokio_util::sync::CancellationToken;

use super::{
    action::{Decision, Suffixes, View},
    autoscaler, budget,
    cache::Cache,
    claims, collector, cron_job, daemon_set, deployment, endpoints, job, namespaces, quota,
    recorder::Recorder,
    replica_set, routes, scheduler,
    settings::Settings,
    stateful_set,
    tables::{self, Key},
    work::{Agenda, Task, Work},
};
use crate::sandbox::{
    api::Api,
    pods::{Kubelet, LogBook},
    store::{Change, ChangeKind, Subscription},
};

/// The longest that a fast clock stands still before it jumps, and which part of a wait it lives through: what runs
/// outside has the time to see what happens.
const PAUSE: Duration = Duration::from_millis(250);
const PART: u32 = 200;

/// The controllers at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Controllers {
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Controllers {
    /// Makes what every cluster has, and starts the loop. What is stored already is kept.
    pub fn start(api: Api, settings: Settings) -> Self {
        let logs = LogBook::new(api.clock().clone());
        api.set_logs(Arc::new(logs.clone()));
        let stop = CancellationToken::new();
        let mut engine = Engine::new(api, settings, logs);
        engine.seed();
        engine.settle();
        let stopped = stop.clone();
        let run = move || {
            let runtime = runtime::Builder::new_current_thread().enable_time().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(engine.run(stopped));
            }
        };
        let thread = thread::Builder::new().name("controllers".into()).spawn(run).ok();
        Self { stop, thread }
    }

    /// Stops the loop, and returns when it has ended.
    pub fn stop(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A controller that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// All that the loop works with.
#[derive(Debug)]
pub struct Engine {
    pub api: Api,
    pub settings: Settings,
    pub cache: Cache,
    pub agenda: Agenda,
    pub recorder: Recorder,
    pub suffixes: Suffixes,
    kubelet: Kubelet,
    subscription: Subscription,
}

impl Engine {
    pub fn new(api: Api, settings: Settings, logs: Arc<LogBook>) -> Self {
        let kubelet = Kubelet::new(settings.scenario.clone(), logs);
        let subscription = api.subscribe();
        let mut engine = Self {
            api,
            settings,
            cache: Cache::default(),
            agenda: Agenda::default(),
            recorder: Recorder::default(),
            suffixes: Suffixes::default(),
            kubelet,
            subscription,
        };
        engine.relist();
        engine
    }

    /// Takes everything that is stored, and looks at all of it.
    fn relist(&mut self) {
        let (revision, objects) = self.api.store().everything();
        self.subscription = Subscription::new(self.api.store(), Some(revision));
        self.cache.clear();
        self.agenda.clear();
        for object in objects {
            let table = self.cache.tables.number(&object.group, &object.plural);
            let key = Key { table, place: object.key.into() };
            self.cache.put(&key, object.bytes);
        }
        for key in self.cache.keys() {
            routes::route(&self.cache, &key, None, &self.kubelet, &mut self.agenda);
        }
    }

    /// Takes in what has changed.
    fn observe(&mut self) {
        match self.subscription.take() {
            Ok(changes) => changes.iter().for_each(|change| self.take(change)),
            Err(_) => self.relist(),
        }
    }

    fn take(&mut self, change: &Change) {
        let table = self.cache.tables.number(&change.table.group, &change.table.plural);
        let key = Key { table, place: (*change.key).into() };
        let before = match change.kind {
            ChangeKind::Deleted => self.cache.take(&key),
            ChangeKind::Added | ChangeKind::Modified => self.cache.put(&key, change.bytes.clone()),
        };
        routes::route(&self.cache, &key, before.as_ref(), &self.kubelet, &mut self.agenda);
    }

    /// Looks at the next piece of work; false where nothing is due.
    fn step(&mut self) -> bool {
        let now = self.api.clock().now();
        let Some(work) = self.agenda.next(now) else { return false };
        let decision = self.decide(&work);
        if let Some(again) = decision.again {
            self.agenda.add_at(work.clone(), again);
        }
        self.carry_out(work, decision.actions);
        true
    }

    fn decide(&mut self, (task, key): &Work) -> Decision {
        let view = View { cache: &self.cache, now: self.api.clock().now(), suffixes: &self.suffixes };
        match task {
            Task::Namespace => namespaces::reconcile(&view, key, &self.settings.authority),
            Task::Collect => collector::reconcile(&view, key),
            Task::Deployment => deployment::reconcile(&view, key),
            Task::ReplicaSet => replica_set::reconcile(&view, key),
            Task::StatefulSet => stateful_set::reconcile(&view, key),
            Task::DaemonSet => daemon_set::reconcile(&view, key),
            Task::Job => job::reconcile(&view, key),
            Task::CronJob => cron_job::reconcile(&view, key),
            Task::Claim => claims::reconcile(&view, key),
            Task::Volume => claims::reconcile_volume(&view, key),
            Task::Autoscaler => autoscaler::reconcile(&view, key),
            Task::Budget => budget::reconcile(&view, key),
            Task::Quota => quota::reconcile(&view, key),
            Task::Endpoints => endpoints::reconcile(&view, key),
            Task::Schedule => scheduler::reconcile(&view, key),
            Task::Pod => self.kubelet.reconcile(&view, key),
        }
    }

    /// Works until nothing is due now.
    pub fn settle(&mut self) {
        loop {
            self.observe();
            if !self.step() {
                return;
            }
        }
    }

    async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.observe();
            if self.step() {
                continue;
            }
            let timer = self.agenda.next_timer();
            let clock = self.api.clock().clone();
            let wait = timer.map_or(Duration::MAX, |timer| clock.until(timer));
            let wait = if clock.is_fast() { (wait / PART).min(PAUSE) } else { wait };
            tokio::select! {
                () = stop.cancelled() => return,
                changes = self.subscription.next() => match changes {
                    Ok(changes) => changes.iter().for_each(|change| self.take(change)),
                    Err(_) => self.relist(),
                },
                () = time::sleep(wait), if timer.is_some() => {
                    if let Some(timer) = timer {
                        clock.jump_to(timer);
                    }
                }
            }
        }
    }

    /// The resource of a table, in the version in which controllers write it.
    pub fn resource(&self, table: tables::TableId) -> Option<Arc<crate::sandbox::Resource>> {
        let (group, plural) = self.cache.tables.name(table);
        if let Some(version) = tables::Tables::version(table) {
            return self.api.resource(group, version, plural);
        }
        let served = self.api.registry().all();
        let found = served.into_iter().find(|served| served.table.group == group && served.table.plural == plural);
        found.map(|served| served.resource)
    }
}
