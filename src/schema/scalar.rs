//! The formats of strings that the API server reads as something else.

use base64::{Engine, prelude::BASE64_STANDARD};

/// An amount with a unit, as Kubernetes reads it: `500m`, `1.5Gi`, `2`, `1e3`, `-0.5`.
pub fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = number.contains(|c: char| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    let is_exponent = |suffix: &str| {
        let digits = suffix.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_unit = matches!(
        suffix,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei"
    );
    is_number && (is_unit || is_exponent(suffix))
}

/// RFC 3339.
pub fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// Base64 with padding; line breaks in it do not count.
pub fn is_base64(text: &str) -> bool {
    base64_length(text).is_some()
}

/// How many bytes a base64 text stands for; None when it is no base64.
pub fn base64_length(text: &str) -> Option<usize> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64_STANDARD.decode(joined).ok().map(|bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for good in ["0", "500m", "1.5Gi", ".5", "1.", "+1", "-0.5", "1e3", "1E", "1E3", "2e-3", "128974848", "3Ki"] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in ["", "m", "1 Gi", "1gi", "1GB", "1.2.3", "1K", "e3", "1e", "1e+", "one", "1,5", "--1", "."] {
            assert!(!is_quantity(bad), "{bad}");
        }
    }

    #[test]
    fn times_and_base64() {
        assert!(is_time("2026-01-31T12:00:00Z") && is_time("2026-01-31T12:00:00.123456+01:00"));
        assert!(!is_time("2026-01-31") && !is_time(""));
        assert!(is_base64("aGVsbG8=") && is_base64("aGVs\nbG8=\n") && is_base64(""));
        assert!(!is_base64("hello world") && !is_base64("aGVsbG8"));
        assert_eq!(base64_length("aGVsbG8="), Some(5));
    }
}
