//! Schedules of CronJobs: which are right, and when they come.
//!
//! Source: `ParseStandard` and `SpecSchedule.Next` of `github.com/robfig/cron/v3`, whose words these are.

use jiff::{SignedDuration, Timestamp, Zoned, civil::Date, tz::TimeZone};

/// A field of a schedule: its least and greatest number, and names for some.
struct Bounds {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [Bounds; 5] = [
    Bounds { least: 0, most: 59, names: &[] },
    Bounds { least: 0, most: 23, names: &[] },
    Bounds { least: 1, most: 31, names: &[] },
    Bounds { least: 1, most: 12, names: &MONTHS },
    Bounds { least: 0, most: 6, names: &DAYS },
];
/// The words that stand for five fields.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
/// A schedule that does not come in so many years never comes.
const YEARS: i16 = 5;

/// When something is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    zone: TimeZone,
    times: Times,
}

#[derive(Debug, Clone, PartialEq)]
enum Times {
    /// `@every`: so long after the one before.
    Every(SignedDuration),
    /// The numbers of each field as bits.
    At([Field; 5]),
}

/// The numbers of a field that count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// It is written as a star: then the other one of day and weekday decides alone.
    star: bool,
}

impl Field {
    fn has(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| self.bits & (1 << number) != 0)
    }
}

impl Schedule {
    /// Reads five fields, or a word such as `@daily`, with an optional `TZ=ZONE` in front; UTC without.
    ///
    /// # Errors
    /// What the real parser says.
    pub fn parse(schedule: &str) -> Result<Self, String> {
        let mut rest = schedule;
        let mut zone = TimeZone::UTC;
        if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
            let Some((named, after)) = schedule.split_once(' ') else {
                return Err(format!("missing fields in {schedule}"));
            };
            let name = named.split_once('=').map_or("", |(_, zone)| zone);
            zone =
                TimeZone::get(name).map_err(|_| format!("provided bad location {name}: unknown time zone {name}"))?;
            rest = after.trim();
        }
        if let Some((_, fields)) = WORDS.iter().find(|(word, _)| *word == rest) {
            rest = fields;
        }
        let times = if rest.starts_with('@') { every(rest)? } else { Times::At(fields(rest)?) };
        Ok(Self { zone, times })
    }

    /// The first time behind another; None where there is none in the next years, as for the 30th of February.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let second = Timestamp::from_second(after.as_second()).ok()?;
        let fields = match &self.times {
            Times::Every(pause) => return second.checked_add(*pause).ok(),
            Times::At(fields) => fields,
        };
        let minute = second.as_second().div_euclid(60).checked_add(1)?.checked_mul(60)?;
        let mut at = Timestamp::from_second(minute).ok()?.to_zoned(self.zone.clone());
        let end = at.year().saturating_add(YEARS);
        while at.year() <= end {
            at = match miss(fields, &at) {
                None => return Some(at.timestamp()),
                Some(Miss::Month) => self.start_of(at.date().last_of_month().tomorrow().ok()?)?,
                Some(Miss::Day) => self.start_of(at.date().tomorrow().ok()?)?,
                Some(Miss::Hour) => at.checked_add(SignedDuration::from_mins(60 - i64::from(at.minute()))).ok()?,
                Some(Miss::Minute) => at.checked_add(SignedDuration::from_mins(1)).ok()?,
            };
        }
        None
    }

    fn start_of(&self, day: Date) -> Option<Zoned> {
        day.to_zoned(self.zone.clone()).ok()
    }
}

/// The first field, the longest first, that a time does not fit.
enum Miss {
    Month,
    Day,
    Hour,
    Minute,
}

fn miss([minutes, hours, days, months, weekdays]: &[Field; 5], at: &Zoned) -> Option<Miss> {
    let day = days.has(at.day());
    let weekday = weekdays.has(at.weekday().to_sunday_zero_offset());
    let fits = if days.star || weekdays.star { day && weekday } else { day || weekday };
    if !months.has(at.month()) {
        Some(Miss::Month)
    } else if !fits {
        Some(Miss::Day)
    } else if !hours.has(at.hour()) {
        Some(Miss::Hour)
    } else if !minutes.has(at.minute()) {
        Some(Miss::Minute)
    } else {
        None
    }
}

fn every(schedule: &str) -> Result<Times, String> {
    let Some(text) = schedule.strip_prefix("@every ") else {
        return Err(format!("unrecognized descriptor: {schedule}"));
    };
    let seconds =
        span(text).ok_or_else(|| format!("failed to parse duration {schedule}: time: invalid duration {text:?}"))?;
    Ok(Times::Every(SignedDuration::from_secs((seconds as i64).max(1))))
}

/// A duration as Go reads it, in seconds: `1h30m`.
fn span(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty()).then_some(seconds)
}

fn fields(text: &str) -> Result<[Field; 5], String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", parts.len(), parts.join(" ")));
    }
    let mut found = [Field::default(); 5];
    for ((field, part), bounds) in found.iter_mut().zip(parts).zip(&FIELDS) {
        for part in part.split(',').filter(|part| !part.is_empty()) {
            let range = range(part, bounds)?;
            field.bits |= range.bits;
            field.star |= range.star;
        }
    }
    Ok(found)
}

fn range(part: &str, bounds: &Bounds) -> Result<Field, String> {
    let pieces: Vec<&str> = part.split('/').collect();
    let ends: Vec<&str> = pieces[0].split('-').collect();
    let single = ends.len() == 1;
    let star = matches!(ends[0], "*" | "?");
    let (start, mut end) = if star {
        (bounds.least, bounds.most)
    } else {
        let start = number_or_name(ends[0], bounds)?;
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => (start, number_or_name(end, bounds)?),
            _ => return Err(format!("too many hyphens: {part}")),
        }
    };
    let step = match pieces.as_slice() {
        [_] => 1,
        [_, step] => {
            if single {
                end = bounds.most;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {part}")),
    };
    if start < bounds.least {
        return Err(format!("beginning of range ({start}) below minimum ({}): {part}", bounds.least));
    }
    if end > bounds.most {
        return Err(format!("end of range ({end}) above maximum ({}): {part}", bounds.most));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {part}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {part}"));
    }
    let bits = (start..=end).step_by(step as usize).fold(0, |bits, number| bits | 1 << number);
    Ok(Field { bits, star: star && step == 1 })
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let lower = text.to_lowercase();
    let named = bounds.names.iter().position(|name| *name == lower).and_then(|at| u32::try_from(at).ok());
    named.map_or_else(|| number(text), |position| Ok(position + bounds.least))
}

fn number(text: &str) -> Result<u32, String> {
    let failed = || format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax");
    let number: i64 = text.parse().map_err(|_| failed())?;
    u32::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn schedules_are_read_as_cron_reads_them() {
        for good in ["* * * * *", "*/5 0-3 1,15 jan-mar MON", "@daily", "@every 1h30m", "0 0 ? * 6", "TZ=UTC 0 0 * * *"]
        {
            assert!(Schedule::parse(good).is_ok(), "{good}");
        }
        let cases = [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("a * * * *", "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("@often", "unrecognized descriptor: @often"),
            ("@every 1", "failed to parse duration @every 1: time: invalid duration \"1\""),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("TZ=Nowhere/At * * * * *", "provided bad location Nowhere/At: unknown time zone Nowhere/At"),
        ];
        for (schedule, words) in cases {
            assert_eq!(Schedule::parse(schedule).unwrap_err(), words);
        }
    }

    #[test]
    fn the_next_time_is_the_first_that_fits_every_field() {
        for (schedule, after, next) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("*/15 * * * *", "2026-01-01T00:14:59.5Z", "2026-01-01T00:15:00Z"),
            ("30 6-16/4 * * 1-5", "2026-01-02T14:30:00Z", "2026-01-05T06:30:00Z"),
            ("0 0 31 * *", "2026-02-01T00:00:00Z", "2026-03-31T00:00:00Z"),
            // Of day and weekday either will do where both are written out.
            ("0 0 13 * 5", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 29 feb *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("@every 1h30m", "2026-01-01T00:00:00.7Z", "2026-01-01T01:30:00Z"),
            ("TZ=Asia/Tokyo 0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            // The hour that summer time leaves out does not come.
            ("TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"),
        ] {
            let found = Schedule::parse(schedule).unwrap().next(after.parse().unwrap());
            assert_eq!(found, Some(next.parse().unwrap()), "{schedule}");
        }
        let never = Schedule::parse("0 0 30 2 *").unwrap();
        assert_eq!(never.next("2026-01-01T00:00:00Z".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "[@TZ=*/,?0-9a-z -]{0,24}", second in -1_000_000_000_i64..4_000_000_000) {
            if let Ok(schedule) = Schedule::parse(&text) {
                let after = Timestamp::from_second(second).unwrap();
                prop_assert!(schedule.next(after).is_none_or(|next| next > after));
            }
        }
    }
}
