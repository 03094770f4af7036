//! What is to be looked at: keys by controller, now or at a time.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::tables::Key;

/// Who looks at an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    Namespace,
    Collect,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    Claim,
    Volume,
    Autoscaler,
    Budget,
    Quota,
    Endpoints,
    Schedule,
    Pod,
}

/// One object to look at.
pub type Work = (Task, Key);

/// The queue of what is due, each piece once, and the timers of what is due later.
#[derive(Debug, Default)]
pub struct Agenda {
    due: VecDeque<Work>,
    queued: HashSet<Work>,
    timers: BTreeSet<(Timestamp, Work)>,
    times: HashMap<Work, Timestamp>,
    failures: HashMap<Work, u32>,
}

impl Agenda {
    pub fn add(&mut self, task: Task, key: Key) {
        let work = (task, key);
        if self.queued.insert(work.clone()) {
            self.due.push_back(work);
        }
    }

    /// Looks again at that time, or earlier where a timer is set for that.
    pub fn add_at(&mut self, work: Work, at: Timestamp) {
        if self.times.get(&work).is_some_and(|set| *set <= at) {
            return;
        }
        if let Some(before) = self.times.insert(work.clone(), at) {
            self.timers.remove(&(before, work.clone()));
        }
        self.timers.insert((at, work));
    }

    /// Looks again after a failure: the oftener it fails, the later, up to a minute.
    pub fn add_failed(&mut self, work: Work, now: Timestamp) {
        let failures = self.failures.entry(work.clone()).or_default();
        *failures += 1;
        let wait = jiff::SignedDuration::from_millis((5i64 << (*failures).min(14)).min(60_000));
        self.add_at(work, now.checked_add(wait).unwrap_or(now));
    }

    pub fn succeeded(&mut self, work: &Work) {
        self.failures.remove(work);
    }

    /// Moves what has become due by now into the queue, and gives the next piece.
    pub fn next(&mut self, now: Timestamp) -> Option<Work> {
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, work)) = self.timers.pop_first() {
                self.times.remove(&work);
                self.add(work.0, work.1);
            }
        }
        let work = self.due.pop_front()?;
        self.queued.remove(&work);
        Some(work)
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{super::tables, *};

    #[test]
    fn a_piece_of_work_is_queued_once_and_a_timer_waits_for_its_time() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let later = start + SignedDuration::from_secs(5);
        let key = Key::new(tables::PODS, "default", "a");
        let mut agenda = Agenda::default();
        agenda.add(Task::Pod, key.clone());
        agenda.add(Task::Pod, key.clone());
        agenda.add_at((Task::Schedule, key.clone()), later);
        agenda.add_at((Task::Schedule, key.clone()), later + SignedDuration::from_secs(1));
        assert_eq!(agenda.next(start), Some((Task::Pod, key.clone())));
        assert_eq!(agenda.next(start), None);
        assert_eq!(agenda.next_timer(), Some(later));
        assert_eq!(agenda.next(later), Some((Task::Schedule, key)));
        assert_eq!((agenda.next(later), agenda.next_timer()), (None, None));
    }
}
