//! The wait itself.

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    WaitRequest,
    evidence::{self, Case},
    look::Board,
    scene::Scene,
    secrets::learn_secrets,
    watches::{Needed, needed, start},
};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    event::Event,
    model::{Evidence, Health, ObjectHealth, WaitReport},
    rules::{fields::list, rollout::Clock},
};

/// Between two looks, however many changes come in.
const PAUSE: Duration = Duration::from_millis(100);
/// How many changes are taken in at once.
const BATCH: usize = 512;
/// How long the server may say nothing before the reader is told.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a question on the side may take.
pub(super) const ASIDE: Duration = Duration::from_secs(2);

/// Waits until all targets have become what their specs ask for, one of them will not, or the time is over.
///
/// A verdict against the targets is a report with the evidence, not an error. It sends no request for targets that
/// are done already, else one watch for each kind and namespace and up to three for pods and what surrounds them.
///
/// # Errors
/// Failed when the targets may not be watched; interrupted, naming what was left.
pub async fn wait(ctx: &Ctx, cluster: &Cluster, mut request: WaitRequest) -> Result<WaitReport> {
    let mut board = Board::new(&request);
    let open = board.open();
    if open.is_empty() {
        return Ok(report(&request, &board, Vec::new()));
    }
    let unread = learn_secrets(cluster, &mut request, &open).await;
    let watches = needed(&request, &open);
    let mut wait = Wait {
        ctx,
        cluster,
        request: &request,
        scene: Scene::new(watches.len()),
        board: &mut board,
        open,
        began: Instant::now(),
        silent_since: None,
    };
    wait.tell();
    let end = wait.run(&watches).await?;
    let mut notes = std::mem::take(&mut wait.scene.notes);
    if let End::TimeOver(Some(silence)) = &end {
        notes.push(format!("the cluster did not answer at the end: {silence}"));
    }
    let failure = wait.failure(&end, &mut notes).await;
    // Nothing was shown that could hold their values unless there is evidence.
    notes.extend(unread.filter(|_| !failure.is_empty()));
    let images = wait.scene.images();
    let mut report = report(&request, &board, notes);
    report.timed_out = matches!(end, End::TimeOver(_));
    report.failure = failure;
    report.images = images;
    Ok(report)
}

/// How a wait ends.
enum End {
    AllCurrent,
    Failed,
    /// With what kept the server from answering, if it did not.
    TimeOver(Option<String>),
}

struct Wait<'w> {
    ctx: &'w Ctx,
    cluster: &'w Cluster,
    request: &'w WaitRequest,
    scene: Scene,
    board: &'w mut Board,
    /// The targets that are watched.
    open: Vec<usize>,
    began: Instant,
    silent_since: Option<Instant>,
}

impl Wait<'_> {
    async fn run(&mut self, watches: &[Needed]) -> Result<End> {
        let deadline = self.began + self.request.timeout;
        let mut events = pin!(start(self.cluster, watches).ready_chunks(BATCH));
        let mut looked = self.began;
        let mut look_at = deadline;
        loop {
            let now = tokio::select! {
                biased;
                () = self.ctx.cancel.cancelled() => return Err(self.interrupted()),
                () = tokio::time::sleep_until(look_at) => Instant::now(),
                Some(batch) = events.next() => {
                    for (number, event) in batch {
                        let Some(watch) = watches.get(number) else { continue };
                        self.scene.take(number, watch, event)?;
                    }
                    self.notice_silence();
                    look_at = look_at.min((looked + PAUSE).max(Instant::now()));
                    continue;
                }
            };
            looked = now;
            let next = self.look();
            if self.scene.is_complete() && self.board.wonders {
                self.ask_for_addresses().await;
                look_at = now;
                continue;
            }
            if self.scene.is_complete() && self.board.open().is_empty() {
                return Ok(End::AllCurrent);
            }
            if !self.board.failed().is_empty() {
                return Ok(End::Failed);
            }
            if now >= deadline {
                return Ok(End::TimeOver(self.scene.silence.clone()));
            }
            let silence = self.silent_since.map(|since| since + SILENCE).filter(|told_at| *told_at > now);
            look_at = [next.map(|next| self.began + next), silence].into_iter().flatten().fold(deadline, Instant::min);
        }
    }

    /// Judges anew and tells what has changed. Nothing is concluded before every watch has told what there is.
    fn look(&mut self) -> Option<Duration> {
        if let Some(since) = self.silent_since.filter(|since| since.elapsed() >= SILENCE)
            && let Some(silence) = &self.scene.silence
        {
            let message =
                format!("the cluster has not answered for {} s: {silence}; still waiting", since.elapsed().as_secs());
            self.ctx.warn(self.request.redactor.line(&message));
            self.silent_since = None;
        }
        if !self.scene.is_complete() {
            return None;
        }
        // The cluster tells times in whole seconds.
        let since = Timestamp::from_second(self.request.since.as_second()).unwrap_or(self.request.since);
        let clock = Clock { since, now: self.began.elapsed() };
        let next = self.board.look(self.request, &self.open, &self.scene, clock);
        self.tell();
        next
    }

    fn notice_silence(&mut self) {
        self.silent_since = match (&self.scene.silence, self.silent_since) {
            (Some(_), None) => Some(Instant::now()),
            (Some(_), since) => since,
            (None, _) => None,
        };
    }

    /// Tells of each target whose health, or whose pods, have changed.
    fn tell(&mut self) {
        for index in &self.open {
            let Some(view) = self.board.views.get_mut(*index) else { continue };
            let redactor = &self.request.redactor;
            let health = Health { message: redactor.line(&view.rollout.health.message), ..view.rollout.health.clone() };
            let pods: Vec<String> = view.rollout.pods.iter().map(|line| redactor.line(line)).collect();
            let told = (health, pods);
            if view.told.as_ref() != Some(&told) {
                view.told = Some(told.clone());
                self.ctx.emit(Event::Health { object: view.object.clone(), health: told.0, pods: told.1 });
            }
        }
    }

    /// Asks once whether any Service of the cluster has got an address from a load balancer.
    async fn ask_for_addresses(&mut self) {
        self.board.wonders = false;
        let query = ListQuery { fields: Some("spec.type=LoadBalancer".into()), ..ListQuery::default() };
        let mut addresses = 0;
        let services = Resource::services();
        let list = self.cluster.list(&services, None, &query, |service| {
            addresses += list(&service, "/status/loadBalancer/ingress").len();
        });
        // Without an answer, that nothing has touched the Service has to do.
        let _ = tokio::time::timeout(ASIDE, list).await;
        self.board.gives_addresses = Some(addresses > 0);
    }

    fn interrupted(&self) -> Error {
        let left: Vec<String> = self.board.open().iter().filter_map(|index| self.left(*index)).collect();
        let words = match left.as_slice() {
            [] => "interrupted while waiting".to_owned(),
            [first] => format!("interrupted while waiting for {first}"),
            [first, rest @ ..] => format!("interrupted while waiting for {first} and {} more", rest.len()),
        };
        Error::interrupted(words).hint("what was applied stays applied, and the cluster goes on with it")
    }

    fn left(&self, index: usize) -> Option<String> {
        let view = self.board.views.get(index)?;
        Some(format!("{} ({})", view.object, self.request.redactor.line(&view.rollout.health.message)))
    }

    async fn failure(&self, end: &End, notes: &mut Vec<String>) -> Vec<Evidence> {
        let indexes = match end {
            End::AllCurrent => return Vec::new(),
            // What never got to run is nearer to the cause than what ran and crashed, though its time is not over.
            End::Failed => self.board.failed().into_iter().chain(self.board.held_up()).collect(),
            End::TimeOver(_) => self.board.open(),
        };
        let timeout = matches!(end, End::TimeOver(_)).then_some(self.request.timeout);
        let cases = indexes.into_iter().filter_map(|index| {
            let view = self.board.views.get(index)?;
            let target = self.request.targets.get(index)?;
            Some(Case { view, workload: self.scene.target(target).unwrap_or(&target.object), timeout })
        });
        evidence::gather(self.cluster, &self.scene, cases.collect(), &self.request.redactor, notes).await
    }
}

fn report(request: &WaitRequest, board: &Board, mut notes: Vec<String>) -> WaitReport {
    let redactor = &request.redactor;
    let excused = board.views.iter().filter_map(|view| Some(format!("{}: {}", view.object, view.excuse.as_ref()?)));
    notes.extend(excused);
    let objects = board.views.iter().map(|view| ObjectHealth {
        object: view.object.clone(),
        health: Health { message: redactor.line(&view.rollout.health.message), ..view.rollout.health.clone() },
    });
    WaitReport { objects: objects.collect(), notes, ..WaitReport::default() }
}
