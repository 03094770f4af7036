//! The time of a sandbox: real, or fast, where time that nobody needs to live through is left out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// What the API and the controllers of one sandbox tell the time by.
///
/// A fast clock runs as a real one, and jumps to the next timer when all controllers are idle. It is then ahead of the
/// time outside, and never goes back.
#[derive(Debug)]
pub struct Clock {
    fast: bool,
    /// How far a fast clock is ahead of real time, in nanoseconds.
    ahead: AtomicI64,
}

impl Clock {
    /// Real time.
    pub fn real() -> Arc<Self> {
        Arc::new(Self { fast: false, ahead: AtomicI64::new(0) })
    }

    /// Time that jumps over waits.
    pub fn fast() -> Arc<Self> {
        Arc::new(Self { fast: true, ahead: AtomicI64::new(0) })
    }

    pub fn is_fast(&self) -> bool {
        self.fast
    }

    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_nanos(self.ahead.load(Ordering::Acquire));
        Timestamp::now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// How long it is until then: nothing for what is past.
    pub fn until(&self, then: Timestamp) -> Duration {
        Duration::try_from(then.duration_since(self.now())).unwrap_or_default()
    }

    /// Makes it `then` at once. A real clock and a moment that is past change nothing.
    pub fn jump_to(&self, then: Timestamp) {
        if self.fast {
            let by = i64::try_from(self.until(then).as_nanos()).unwrap_or(0);
            self.ahead.fetch_add(by, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_jumps_ahead_and_never_back() {
        let clock = Clock::fast();
        let start = clock.now();
        let later = start + SignedDuration::from_hours(1);
        clock.jump_to(later);
        assert!(clock.now() >= later && clock.until(later).is_zero());
        clock.jump_to(start);
        assert!(clock.now() >= later);
    }

    #[test]
    fn a_real_clock_waits() {
        let clock = Clock::real();
        let later = clock.now() + SignedDuration::from_hours(1);
        clock.jump_to(later);
        assert!(clock.now() < later && clock.until(later) > Duration::from_secs(3000));
    }
}
