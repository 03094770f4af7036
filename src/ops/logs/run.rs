//! Reads the logs that a request means.

use std::{
    io,
    sync::{Arc, PoisonError, atomic::AtomicUsize},
};

use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    task::{JoinError, JoinHandle, JoinSet},
};

use super::{
    choose::{Choice, choose, present},
    merge::{AHEAD, Lane, Merge, WINDOW},
    outlet::Outlet,
    pipe::Pipe,
    plan::Plan,
    pods,
    read::{Stop, is_refused, read},
    sink::LogSink,
    timeline,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    event::{Event, Sink},
    model::{LogSource, LogsReport, LogsRequest},
};

/// How many logs are read at once where their order does not matter and nobody waits for what comes next.
const AT_ONCE: usize = 64;
/// How many failures are kept one by one.
const FAILURES: usize = 100;

/// What the tasks of one run share.
pub(super) struct Shared<S> {
    pub cluster: Arc<Cluster>,
    pub events: Arc<dyn Sink>,
    pub plan: Plan,
    floor: Arc<Mutex<S>>,
    /// Where logs go that are put in order.
    merge: std::sync::Mutex<Option<mpsc::UnboundedSender<Lane>>>,
    /// How many logs were begun.
    pub begun: AtomicUsize,
}

/// How a task ended.
pub(super) type Ended = std::result::Result<(), Stop>;

/// Reads logs, and follows them if that is asked for, until all have ended or the user interrupts.
///
/// # Returns
/// How it went, and the sink with what it holds.
///
/// # Errors
/// Usage, when nothing is meant; failed, when no log at all can be read, or the output cannot be written. A reader of
/// the output that goes away is no error.
pub async fn run<S: LogSink>(ctx: &Ctx, request: &LogsRequest, sink: S) -> Result<(LogsReport, S)> {
    let plan = Plan::of(request, ctx.clock.now())?;
    let cluster = ctx.cluster().await?;
    let choice = choose(ctx, &cluster, request).await?;
    let floor = Arc::new(Mutex::new(sink));
    let (lanes, merging) = match plan.sort {
        false => (None, None),
        true => {
            let (sender, receiver) = mpsc::unbounded_channel();
            let window = plan.follow.then_some(WINDOW);
            (Some(sender), Some((Merge::new(Arc::clone(&floor), Arc::clone(&ctx.clock), window), receiver)))
        }
    };
    let shared = Arc::new(Shared {
        cluster,
        events: Arc::clone(&ctx.events),
        plan,
        floor: Arc::clone(&floor),
        merge: std::sync::Mutex::new(lanes),
        begun: AtomicUsize::new(0),
    });
    let mut run = Run { tasks: JoinSet::new(), report: LogsReport::default(), first: None, closed: false };
    let ended = match shared.plan.follow {
        true => run.follow(ctx, &shared, choice, merging).await,
        false => run.read(ctx, &shared, choice, merging).await,
    };
    run.tasks.shutdown().await;
    drop(shared);
    ended?;
    let all_failed = !run.report.failed.is_empty() && run.report.failed.len() >= run.report.streams;
    if let Some(error) = run.first.filter(|_| all_failed && !run.report.interrupted) {
        return Err(error);
    }
    let sink = Arc::into_inner(floor).ok_or_else(|| Error::failed("the output is still in use"))?;
    Ok((run.report, sink.into_inner()))
}

type Merging<S> = Option<(Merge<S>, mpsc::UnboundedReceiver<Lane>)>;

/// One run, as its tasks end.
pub(super) struct Run {
    pub tasks: JoinSet<Ended>,
    pub report: LogsReport,
    /// The first log that could not be read.
    first: Option<Error>,
    /// Whether nobody reads the output any more.
    pub closed: bool,
}

impl Run {
    async fn read<S: LogSink>(
        &mut self,
        ctx: &Ctx,
        shared: &Arc<Shared<S>>,
        choice: Choice,
        merging: Merging<S>,
    ) -> Result<()> {
        let sources = present(ctx, &shared.cluster, &shared.plan, &choice).await?;
        let at_once = if shared.plan.sort { sources.len() } else { AT_ONCE.min(sources.len()) };
        let places = Arc::new(Semaphore::new(at_once));
        self.report.streams = sources.len();
        let woven = usize::from(shared.plan.timeline);
        shared.floor.lock().await.expect(sources.len() + woven);
        let mut threads = match shared.plan.timeline {
            true => timeline::present(ctx, shared, &choice, &sources).await,
            false => Vec::new(),
        };
        for source in sources {
            let (shared, places, outlet) = (Arc::clone(shared), Arc::clone(&places), shared.outlet(&source));
            self.tasks.spawn(async move {
                let Ok(_place) = places.acquire().await else { return Ok(()) };
                let mut pipe = Pipe::new(source, &shared.plan, outlet);
                let ended = read(&shared.cluster, &shared.plan, at_once, &mut pipe).await;
                if let Err(Stop::Log(_)) = &ended {
                    pipe.finish().await?;
                }
                ended
            });
        }
        for task in threads.drain(..) {
            self.tasks.spawn(task);
        }
        let merging = merging.map(|(merge, lanes)| tokio::spawn(merge.run(lanes)));
        self.until_the_end(ctx, shared, merging).await
    }

    async fn follow<S: LogSink>(
        &mut self,
        ctx: &Ctx,
        shared: &Arc<Shared<S>>,
        choice: Choice,
        merging: Merging<S>,
    ) -> Result<()> {
        let merging = merging.map(|(merge, lanes)| tokio::spawn(merge.run(lanes)));
        if shared.plan.timeline {
            for task in timeline::followed(ctx, shared, &choice).await {
                self.tasks.spawn(task);
            }
        }
        pods::follow(ctx, shared, choice, self).await?;
        self.finish_merge(shared, merging).await
    }

    /// Waits for all tasks, and for the merge to give out what they brought.
    async fn until_the_end<S: LogSink>(
        &mut self,
        ctx: &Ctx,
        shared: &Arc<Shared<S>>,
        merging: Option<JoinHandle<io::Result<()>>>,
    ) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                () = ctx.cancel.cancelled() => {
                    self.report.interrupted = true;
                    break;
                }
                ended = self.tasks.join_next() => match ended {
                    Some(ended) => self.ended(&*shared.events, ended)?,
                    None => break,
                },
            }
            if self.closed {
                break;
            }
        }
        self.finish_merge(shared, merging).await
    }

    /// Waits until the merge has given out what came, unless nobody wants it any more.
    async fn finish_merge<S: LogSink>(
        &mut self,
        shared: &Arc<Shared<S>>,
        merging: Option<JoinHandle<io::Result<()>>>,
    ) -> Result<()> {
        let Some(merging) = merging else { return Ok(()) };
        self.tasks.shutdown().await;
        shared.no_more_lanes();
        if self.report.interrupted || self.closed {
            merging.abort();
        }
        self.merged(merging.await)
    }

    fn merged(&mut self, merged: Result<io::Result<()>, JoinError>) -> Result<()> {
        match merged {
            Ok(Err(error)) => self.stopped(error),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Takes note of how a task ended.
    pub fn ended(&mut self, events: &dyn Sink, ended: Result<Ended, JoinError>) -> Result<()> {
        match ended {
            Ok(Err(Stop::Log(error))) => {
                let known = is_refused(&error) && self.first.as_ref().is_some_and(is_refused);
                if !known {
                    events.emit(Event::Warning { message: error.to_string() });
                }
                if self.report.failed.len() < FAILURES || self.report.failed.len() + 1 >= self.report.streams {
                    self.report.failed.push(error.to_string());
                }
                self.first.get_or_insert(error);
                Ok(())
            }
            Ok(Err(Stop::Output(error))) => self.stopped(error),
            Ok(Ok(())) => Ok(()),
            Err(error) if error.is_cancelled() => Ok(()),
            Err(error) => Err(Error::failed("reading a log broke down").because(error)),
        }
    }

    fn stopped(&mut self, error: io::Error) -> Result<()> {
        self.closed = true;
        match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(Error::failed("the logs cannot be written").because(error)),
        }
    }
}

impl<S: LogSink> Shared<S> {
    /// Where the lines of a source go.
    pub fn outlet(&self, source: &Arc<LogSource>) -> Outlet<S> {
        let merge = self.merge.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(merge) = &*merge else { return Outlet::Direct { floor: Arc::clone(&self.floor), held: None } };
        let (sender, items) = mpsc::channel(AHEAD);
        // Without a merge, sending ends the task.
        let _ = merge.send(Lane { source: Arc::clone(source), items });
        Outlet::Merged(sender)
    }

    /// Lets the merge end with the logs that it has.
    fn no_more_lanes(&self) {
        self.merge.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub fn warn(&self, message: String) {
        self.events.emit(Event::Warning { message });
    }

    pub fn note(&self, message: String) {
        self.events.emit(Event::Note { message });
    }
}
