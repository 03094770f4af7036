//! Stays with a container through cuts of its stream, restarts, and its end.
//!
//! That a stream ends says nothing: the kubelet cuts streams after four hours (kubernetes #104595), and so does whatever
//! stands between. Only the status of the container ends a follow, and then one more answer is read to its end, for what
//! a cut may have kept back.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::{
    pipe::Pipe,
    read::{Stop, first_query},
    run::{Ended, Shared},
    sink::LogSink,
};
use crate::{
    cluster::{LogQuery, LogStream},
    error::Error,
    model::LogSource,
    rules::logs::{Container, Run},
};

/// The first pause after a stream broke off; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long after the end of a stream the container's status may come.
const STATUS_COMES: Duration = Duration::from_secs(2);
/// How long a stream may stay open after its container has ended.
const LINGERS: Duration = Duration::from_secs(5);

/// What is known of a container, by the watch on its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// The number of the present instance.
    pub restarts: u32,
    /// Whether the present instance has begun, and whether it has ended.
    pub started: bool,
    pub ended: bool,
    /// Its exit code, while the status has it.
    pub code: Option<i64>,
    /// Whether there will be no further instance.
    pub over: bool,
    /// Whether the pod is gone.
    pub gone: bool,
}

impl State {
    pub fn of(container: &Container) -> Self {
        // While it waits to be started again, the status still counts the instance that has ended.
        let between = container.run == Run::Waiting && container.has_previous;
        let code = if let Run::Ended(code) = container.run { Some(code) } else { None };
        Self {
            restarts: container.restarts,
            started: container.run != Run::Waiting || between,
            ended: code.is_some() || between,
            code,
            over: container.is_over,
            gone: false,
        }
    }

    /// Whether an instance has ended.
    fn has_ended(&self, instance: u32) -> bool {
        self.gone || self.restarts > instance || (self.restarts == instance && self.ended)
    }
}

/// Follows one container.
pub(super) struct Follow<S> {
    pub shared: Arc<Shared<S>>,
    pub pipe: Pipe<S>,
    pub state: watch::Receiver<State>,
    /// The instance that is read.
    pub instance: u32,
    /// Whether the container was there when the follow began: then what was written before may be left out.
    pub from_the_begin: bool,
    pub pause: Duration,
}

/// How an attempt to read went.
enum Passed {
    /// To a clean end.
    Whole,
    /// Something came before it broke off, or not.
    Cut { why: String, came: bool },
    /// The pod, or this instance's log, is not there any more.
    Missing,
    /// The container has not begun, says the kubelet.
    NotYet,
}

impl<S: LogSink> Follow<S> {
    pub fn new(shared: Arc<Shared<S>>, pipe: Pipe<S>, state: watch::Receiver<State>, from_the_begin: bool) -> Self {
        let instance = state.borrow().restarts;
        Self { shared, pipe, state, instance, from_the_begin, pause: FIRST_PAUSE }
    }

    /// Follows until there will be no further instance.
    pub async fn run(mut self) -> Ended {
        loop {
            if !self.wait_until(|state, instance| state.restarts > instance || state.started).await {
                break;
            }
            self.shared.begun.fetch_add(1, Ordering::Relaxed);
            self.shared.note(format!("following {}", self.pipe.source));
            self.instance().await?;
            if self.pipe.is_over() {
                break;
            }
            let state = *self.state.borrow();
            let what = match state.code.filter(|_| state.restarts == self.instance) {
                Some(code) => format!("ended with exit code {code}"),
                None if state.gone => "is gone".to_owned(),
                None => "ended".to_owned(),
            };
            self.shared.note(format!("{} {what}", self.pipe.source));
            if !self.wait_until(|state, instance| state.restarts > instance).await {
                break;
            }
            self.next_instance().await?;
        }
        self.pipe.finish().await?;
        Ok(())
    }

    /// Waits for the status; false when it will not come any more.
    async fn wait_until(&mut self, reached: impl Fn(&State, u32) -> bool) -> bool {
        let instance = self.instance;
        let waited = self.state.wait_for(|state| reached(state, instance) || state.gone || state.over).await;
        waited.is_ok_and(|state| reached(&state, instance))
    }

    /// Goes on to the next instance of which there is a log.
    async fn next_instance(&mut self) -> Result<(), Stop> {
        let newest = self.state.borrow().restarts;
        let next = newest.saturating_sub(1).max(self.instance + 1);
        let missed = next - self.instance - 1;
        let source = LogSource { restarts: next, ..(*self.pipe.source).clone() };
        self.pipe.begin_anew(Arc::new(source)).await?;
        if missed > 0 {
            self.pipe.gap(format!("{missed} instances of the container came and went unseen")).await?;
        }
        (self.instance, self.from_the_begin, self.pause) = (next, true, FIRST_PAUSE);
        Ok(())
    }

    /// Reads one instance until its status says that it has ended and an answer after that was whole.
    async fn instance(&mut self) -> Ended {
        let mut query = self.first();
        let (mut told, mut cut_at) = (false, None);
        loop {
            let state = *self.state.borrow_and_update();
            let ended = state.has_ended(self.instance);
            query.follow = !ended;
            query.previous = state.restarts > self.instance;
            if state.restarts > self.instance + 1 {
                return Ok(self.pipe.gap("the rest of this instance's log was removed".to_owned()).await?);
            }
            let passed = self.pass(&query, &mut cut_at).await?;
            if self.pipe.is_over() {
                return Ok(());
            }
            if let Some(since) = self.pipe.cut() {
                query = LogQuery { since: Some(since), tail: None, ..query };
            }
            match passed {
                Passed::Whole if ended => return Ok(()),
                Passed::Missing if ended || self.is_gone_soon().await => return Ok(()),
                Passed::Whole => {
                    cut_at.get_or_insert_with(tokio::time::Instant::now);
                    // The end of the container shows in its status a moment later than in its log.
                    if !self.ends_soon().await {
                        self.shared.note(format!("{}: the stream was ended; going on", self.pipe.source));
                        self.back_off().await;
                    }
                }
                Passed::Missing | Passed::NotYet => self.back_off().await,
                Passed::Cut { why, came } => {
                    if came {
                        (self.pause, told) = (FIRST_PAUSE, false);
                    }
                    cut_at.get_or_insert_with(tokio::time::Instant::now);
                    if !told && !ended {
                        self.shared.warn(format!("{}: the stream was cut, going on: {why}", self.pipe.source));
                        told = true;
                    }
                    self.back_off().await;
                }
            }
        }
    }

    fn first(&self) -> LogQuery {
        let query = first_query(&self.shared.plan, &self.pipe.source);
        match self.from_the_begin {
            true => LogQuery { since: None, tail: None, ..query },
            false => query,
        }
    }

    async fn pass(&mut self, query: &LogQuery, cut_at: &mut Option<tokio::time::Instant>) -> Result<Passed, Stop> {
        let expected = self.shared.begun.load(Ordering::Relaxed);
        let mut stream = match self.shared.cluster.log(query, expected).await {
            Ok(stream) => stream,
            Err(error) => return self.refused(error),
        };
        if let Some(since) = cut_at.take().filter(|since| since.elapsed() > STATUS_COMES) {
            let seconds = since.elapsed().as_secs_f32();
            self.shared.warn(format!("{}: goes on after {seconds:.1} s", self.pipe.source));
        }
        let mut came = false;
        loop {
            match self.next(&mut stream).await? {
                None => return Ok(Passed::Whole),
                Some(Err(why)) => return Ok(Passed::Cut { why, came }),
                Some(Ok(bytes)) => {
                    came = true;
                    self.pause = FIRST_PAUSE;
                    self.pipe.take(bytes).await?;
                }
            }
            if self.pipe.is_over() {
                return Ok(Passed::Whole);
            }
        }
    }

    /// The next bytes. Gives out what is held back when none come for a while, and leaves a stream that stays open
    /// though its container has ended.
    async fn next(&mut self, stream: &mut LogStream) -> Result<Option<Result<bytes::Bytes, String>>, Stop> {
        let instance = self.instance;
        loop {
            let mut state = self.state.clone();
            let lingers = async {
                // Without a watch nothing is known of the container, and its stream stays.
                if state.wait_for(|state| state.has_ended(instance)).await.is_err() {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(LINGERS).await;
            };
            let patience = self.pipe.patience();
            let settles = async {
                match patience {
                    Some(patience) => tokio::time::sleep(patience).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                next = stream.next() => return Ok(next),
                () = settles => {}
                () = lingers => return Ok(None),
            }
            self.pipe.settle().await?;
        }
    }

    /// What an error of the server means for the follow.
    fn refused(&self, error: Error) -> Result<Passed, Stop> {
        match error.code() {
            404 => Ok(Passed::Missing),
            400 => Ok(Passed::NotYet),
            401 | 403 => Err(Stop::Log(error)),
            _ => Ok(Passed::Cut { why: error.to_string(), came: false }),
        }
    }

    async fn ends_soon(&mut self) -> bool {
        let instance = self.instance;
        let ends = self.state.wait_for(|state| state.has_ended(instance));
        timeout(STATUS_COMES, ends).await.is_ok_and(|ended| ended.is_ok())
    }

    async fn is_gone_soon(&mut self) -> bool {
        let gone = self.state.wait_for(|state| state.gone);
        timeout(STATUS_COMES, gone).await.is_ok_and(|ended| ended.is_ok())
    }

    async fn back_off(&mut self) {
        let instance = self.instance;
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        // The end of the container is a reason to look at once, if it has not ended before.
        let ended = self.state.borrow().has_ended(instance);
        let ends = async {
            match ended {
                true => std::future::pending().await,
                false => drop(self.state.wait_for(|state| state.has_ended(instance)).await),
            }
        };
        let _ = timeout(pause, ends).await;
    }
}
