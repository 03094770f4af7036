//! Which time of its schedule a CronJob is at.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::objects::{after, read_time};
use crate::rules::{fields::number, schedule::Schedule};

/// So many times may have been missed before the controller complains.
const MANY: i64 = 100;
/// How long after its time a Job is made, for clocks that differ.
const DELTA: SignedDuration = SignedDuration::from_millis(100);

/// What the schedule has come to.
#[derive(Debug, PartialEq)]
pub struct Due {
    /// The last time that has come since the Job before, or since the CronJob was made.
    pub time: Option<Timestamp>,
    /// Since when times were looked for.
    earliest: Timestamp,
    missed: i64,
}

impl Due {
    /// Whether so many times were missed that something must be wrong.
    pub fn is_far_behind(&self) -> bool {
        self.missed > MANY
    }

    /// The last time that has come.
    ///
    /// # Errors
    /// The schedule never comes.
    pub fn of(job: &Value, schedule: &Schedule, now: Timestamp, with_deadline: bool) -> Result<Self, &'static str> {
        let made = read_time(job, "/metadata/creationTimestamp").unwrap_or(now);
        let mut earliest = read_time(job, "/status/lastScheduleTime").unwrap_or(made);
        if let Some(deadline) = number(job, "/spec/startingDeadlineSeconds").filter(|_| with_deadline) {
            earliest = earliest.max(after(now, deadline.saturating_neg()));
        }
        let never = "time difference between two schedules is less than 1 second";
        let first = schedule.next(earliest).ok_or(never)?;
        if now < first {
            return Ok(Self { time: None, earliest, missed: 0 });
        }
        let second = schedule.next(first).ok_or(never)?;
        if now < second {
            return Ok(Self { time: Some(first), earliest, missed: 0 });
        }
        let between = second.duration_since(first).as_secs().max(1);
        let missed = now.duration_since(first).as_secs() / between + 1;
        // One interval back, so that a schedule that is not regular is met too.
        let start = after(first, (missed - 2).saturating_mul(between));
        let times = std::iter::successors(schedule.next(start), |time| schedule.next(*time));
        Ok(Self { time: times.take_while(|time| *time <= now).last(), earliest, missed })
    }
}

/// When to look again.
pub fn next_look(job: &Value, schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let from = match Due::of(job, schedule, now, false) {
        Ok(Due { time: Some(time), .. }) => time,
        Ok(Due { earliest, missed: 0, .. }) => earliest,
        Ok(_) | Err(_) => now,
    };
    schedule.next(from)?.checked_add(DELTA).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn due(schedule: &str, last: &str, deadline: Option<i64>) -> (Option<String>, bool) {
        let job = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"startingDeadlineSeconds": deadline}, "status": {"lastScheduleTime": last}});
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let found = Due::of(&job, &Schedule::parse(schedule).unwrap(), now, true).unwrap();
        (found.time.map(|time| time.to_string()), found.is_far_behind())
    }

    #[test]
    fn the_last_of_the_times_that_have_come_counts() {
        let time = |text: &str| Some(text.to_owned());
        assert_eq!(due("0 * * * *", "2026-01-02T03:00:00Z", None), (None, false));
        assert_eq!(due("0 * * * *", "2026-01-02T02:00:00Z", None), (time("2026-01-02T03:00:00Z"), false));
        assert_eq!(due("0 * * * *", "2026-01-01T12:00:00Z", None), (time("2026-01-02T03:00:00Z"), false));
        assert_eq!(due("* * * * *", "2026-01-01T12:00:00Z", None), (time("2026-01-02T03:04:00Z"), true));
        assert_eq!(due("0 * * * *", "2026-01-01T12:00:00Z", Some(60)), (None, false));
        // As the real one: over a night the estimate overshoots, and the time before it is left out.
        assert_eq!(due("30 6-16/4 * * *", "2026-01-01T00:00:00Z", None), (None, false));
    }
}
