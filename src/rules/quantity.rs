//! Amounts with a unit, read and written as the API server does.
//!
//! Source: `k8s.io/apimachinery/pkg/api/resource/quantity.go`.

use std::fmt;

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `500m`, `2k`.
    Decimal,
    /// `2e3`.
    Exponent,
    /// `2Ki`.
    Binary,
}

/// An amount, exact to a billionth.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// In billionths.
    nano: i128,
    format: Format,
    /// The text it was read from, where the API server gives that back as it is.
    text: Option<String>,
}

const NANO: i128 = 1_000_000_000;
const DECIMAL: [(i32, &str); 10] =
    [(-9, "n"), (-6, "u"), (-3, "m"), (0, ""), (3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// What is larger does not fit any answer; the API server caps too.
const LARGEST: i128 = i64::MAX as i128 * NANO;

impl Quantity {
    /// Reads `500m`, `1.5Gi`, `2`, `1e3`, `-0.5`; None where it is no quantity.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let (format, exponent) = unit(suffix)?;
        let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
        let scale = exponent.saturating_sub(i32::try_from(fraction.len()).ok()?);
        let (nano, kept) = match format {
            Format::Binary => {
                let value: i128 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(LARGEST) };
                let power = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
                let product = value.saturating_mul(NANO).saturating_mul(1 << exponent);
                (rounded_up(product, power), fraction.is_empty() && value % 8 != 0)
            }
            _ => (scaled(&digits, scale), scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')),
        };
        let nano = nano.min(LARGEST);
        let kept = kept && !digits.is_empty() && digits.len() <= 18;
        Some(Self { nano: if negative { -nano } else { nano }, format, text: kept.then(|| text.to_owned()) })
    }

    /// A whole number of units.
    pub fn of(units: i64) -> Self {
        Self { nano: i128::from(units) * NANO, format: Format::Decimal, text: None }
    }

    /// In billionths.
    pub fn nano(&self) -> i128 {
        self.nano
    }

    pub fn is_negative(&self) -> bool {
        self.nano < 0
    }

    pub fn is_zero(&self) -> bool {
        self.nano == 0
    }

    /// Whole units, rounded up.
    pub fn units(&self) -> i64 {
        i64::try_from(rounded_up(self.nano, NANO)).unwrap_or(i64::MAX)
    }

    /// Thousandths, rounded up: of CPUs, what `500m` counts.
    pub fn milli(&self) -> i64 {
        i64::try_from(rounded_up(self.nano, NANO / 1000)).unwrap_or(i64::MAX)
    }

    /// Whether it is a whole number of thousandths.
    pub fn is_milli(&self) -> bool {
        self.nano % (NANO / 1000) == 0
    }

    /// Rounds up to thousandths, as the API server does with amounts of resources.
    pub fn round_to_milli(&mut self) {
        if !self.is_milli() {
            self.nano = rounded_up(self.nano, NANO / 1000) * (NANO / 1000);
            self.text = None;
        }
    }

    /// The sum, written as this one is unless it is zero.
    pub fn plus(&self, other: &Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        Self { nano: self.nano.saturating_add(other.nano), format, text: None }
    }

    fn decimal(&self) -> String {
        let (mut number, mut exponent) = (self.nano, -9);
        while number % 1000 == 0 && exponent < 18 {
            number /= 1000;
            exponent += 3;
        }
        match self.format {
            Format::Exponent if exponent != 0 => format!("{number}e{exponent}"),
            Format::Exponent => number.to_string(),
            _ => {
                let suffix = DECIMAL.iter().find(|(known, _)| *known == exponent).map_or("", |(_, suffix)| suffix);
                format!("{number}{suffix}")
            }
        }
    }

    fn binary(&self) -> String {
        let (mut number, mut power) = (self.nano / NANO, 0);
        while number % 1024 == 0 && power + 1 < BINARY.len() {
            number /= 1024;
            power += 1;
        }
        format!("{number}{}", BINARY[power])
    }
}

/// The format and the exponent (of ten, or of two) that a suffix means.
fn unit(suffix: &str) -> Option<(Format, i32)> {
    if let Some((exponent, _)) = DECIMAL.iter().find(|(_, known)| *known == suffix) {
        return Some((Format::Decimal, *exponent));
    }
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        return Some((Format::Binary, i32::try_from(power).ok()? * 10));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((Format::Exponent, exponent.parse::<i32>().ok()?.clamp(-400, 400)))
}

/// Decimal digits at a scale in billionths, rounded up.
fn scaled(digits: &str, scale: i32) -> i128 {
    let value: i128 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(LARGEST) };
    let shift = scale.saturating_add(9);
    let power = 10i128.checked_pow(shift.unsigned_abs());
    match (shift < 0, power) {
        (false, Some(power)) => value.saturating_mul(power),
        (false, None) => {
            if value == 0 {
                0
            } else {
                LARGEST
            }
        }
        (true, Some(power)) => rounded_up(value, power),
        (true, None) => i128::from(value != 0),
    }
}

fn rounded_up(value: i128, divisor: i128) -> i128 {
    let quotient = value / divisor;
    if value % divisor > 0 { quotient + 1 } else { quotient }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nano.cmp(&other.nano)
    }
}

/// As the API server writes it.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        let small = self.nano.abs() < 1024 * NANO;
        let text = match self.format {
            _ if self.nano == 0 => "0".into(),
            Format::Binary if !small && self.nano % NANO == 0 => self.binary(),
            _ => self.decimal(),
        };
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_canonical() {
        let cases = [
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.500", "1.500"),
            ("1.5Gi", "1536Mi"),
            ("0", "0"),
            ("0Gi", "0"),
            ("100", "100"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("1E3", "1E3"),
            ("1025Mi", "1025Mi"),
            ("0.1Gi", "107374182400m"),
            ("512Ki", "512Ki"),
            ("-0.5", "-500m"),
            (".5", "500m"),
            ("2.0", "2"),
            ("0.000000001", "1n"),
            ("1048576", "1048576"),
            ("8Gi", "8Gi"),
            ("1T", "1T"),
            ("1000Gi", "1000Gi"),
            ("500Mi", "500Mi"),
        ];
        for (text, canonical) in cases {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "m", "1 Gi", "1gi", "1GB", "1.2.3", "1K", "e3", "1e", "one", "--1", ".", "-"] {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn amounts_add_up_and_compare() {
        let of = |text: &str| Quantity::parse(text).unwrap();
        assert_eq!(of("500m").plus(&of("1")).to_string(), "1500m");
        assert_eq!(of("0").plus(&of("1Gi")).plus(&of("512Mi")).to_string(), "1536Mi");
        assert!(of("1Gi") > of("1G") && of("1") == of("1000m"));
        assert_eq!((of("1500m").units(), of("1.5").milli()), (2, 1500));
        assert_eq!(of("99999999999E").units(), i64::MAX);
    }
}
