//! Amounts and times in few letters.

const UNITS: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Bytes as kubectl writes them, in two or more significant digits: `12Mi`, `1.5Gi`.
pub fn size(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    let whole = amount.fract() < 0.05 || amount >= 10.0;
    if whole { format!("{amount:.0}{}", UNITS[unit]) } else { format!("{amount:.1}{}", UNITS[unit]) }
}

/// Seconds in the two largest units that say something: `45s`, `3h20m`, `12d`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, 0) => format!("{hours}h"),
        (0, _, _) => format!("{hours}h{minutes}m"),
        (1..10, 1.., _) => format!("{days}d{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let texts = [0, 1000, 1024, 1536, 12 << 20, (15 << 30) / 10, u64::MAX].map(size);
        assert_eq!(texts, ["0", "1000", "1Ki", "1.5Ki", "12Mi", "1.5Gi", "16Ei"]);
    }

    #[test]
    fn spans_are_short() {
        let texts = [5, 300, 7200, 12_000, 100_000, 2_000_000].map(span);
        assert_eq!(texts, ["5s", "5m", "2h", "3h20m", "1d3h", "23d"]);
    }
}
