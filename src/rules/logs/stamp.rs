//! The time before each line, as the kubelet writes it: RFC 3339 with up to nine digits of a second, and a space.

use jiff::Timestamp;

/// Nanoseconds since 1970.
pub type Stamp = i64;

const SECOND: i64 = 1_000_000_000;

/// The time of a line, and the line without it; None for a line that has none.
pub fn split(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (date, rest) = line.split_at_checked(19)?;
    if date[4] != b'-' || date[7] != b'-' || date[10] != b'T' || date[13] != b':' || date[16] != b':' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..10])?);
    let (hour, minute, second) = (number(&date[11..13])?, number(&date[14..16])?, number(&date[17..19])?);
    let (nanoseconds, rest) = fraction(rest)?;
    let (offset, rest) = offset(rest)?;
    let text = match rest.split_first() {
        Some((b' ', text)) => text,
        // A line without a word may have lost the space too.
        Some((b'\n', _)) | None => rest,
        Some(_) => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some((seconds.checked_mul(SECOND)?.checked_add(nanoseconds)?, text))
}

/// For people and reports.
pub fn to_timestamp(stamp: Stamp) -> Timestamp {
    Timestamp::from_nanosecond(stamp.into()).unwrap_or_default()
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = rest.split_first() else { return Some((0, rest)) };
    let length = digits.iter().take(10).take_while(|digit| digit.is_ascii_digit()).count();
    if length == 0 || length > 9 {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(9 - length).ok()?);
    Some((number(&digits[..length])? * scale, &digits[length..]))
}

/// Seconds east of Greenwich.
fn offset(rest: &[u8]) -> Option<(i64, &[u8])> {
    match rest.split_first()? {
        (b'Z', rest) => Some((0, rest)),
        (sign @ (b'+' | b'-'), rest) => {
            let (zone, rest) = rest.split_at_checked(5)?;
            let seconds = number(&zone[..2])? * 3_600 + number(&zone[3..])? * 60;
            (zone[2] == b':').then_some((if *sign == b'-' { -seconds } else { seconds }, rest))
        }
        _ => None,
    }
}

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_parted_from_its_time() {
        let nanoseconds = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond() as i64;
        for time in ["2026-11-21T10:00:39.580008123Z", "2026-02-28T23:59:59Z", "2026-11-21T10:00:39.5+01:30"] {
            let line = format!("{time} words of it\n");
            assert_eq!(split(line.as_bytes()), Some((nanoseconds(time), &b"words of it\n"[..])), "{time}");
        }
        assert_eq!(split(b"2026-11-21T10:00:39Z\n").map(|(_, text)| text), Some(&b"\n"[..]));
    }

    #[test]
    fn what_is_no_time_is_left_in_the_line() {
        for line in
            ["", "words", "2026-11-21", "2026-11-21T10:00:39", "2026-11-21T10:00:3xZ a", "2026-11-21T10:00:39.Z a"]
        {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_time_is_read_as_jiff_reads_it(nanoseconds in 0_i64..4_102_444_800_000_000_000) {
            let line = format!("{:.9} x", to_timestamp(nanoseconds));
            prop_assert_eq!(split(line.as_bytes()), Some((nanoseconds, &b"x"[..])));
        }

        #[test]
        fn no_bytes_are_too_bad(line in prop::collection::vec(any::<u8>(), 0..60)) {
            split(&line);
        }
    }
}
