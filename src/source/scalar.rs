//! Plain scalars as kubectl reads them: YAML 1.1 by go-yaml 2, then JSON.
//!
//! go-yaml looks at the first byte, then in a table of words, then tries integers in Go's notation (with any
//! underscores removed), then decimal floats. Base 60 does not exist in it, and dates stay text.

use serde_json::Value;

/// What a plain scalar means. Text stays with the caller, so that nothing is copied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Integer(i64),
    /// May be infinite or not a number, which JSON cannot carry.
    Float(f64),
    Text,
}

/// What the plain scalar `text` means.
pub(super) fn resolve(text: &str) -> Scalar {
    match text.bytes().next() {
        None => Scalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => special(text).or_else(|| fraction(text)).map_or(Scalar::Text, Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => special(text).map_or_else(|| number(text), Scalar::Float),
        Some(_) => Scalar::Text,
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Text,
    }
}

fn special(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn number(text: &str) -> Scalar {
    let without_underscores;
    let plain = if text.contains('_') {
        without_underscores = text.replace('_', "");
        &without_underscores
    } else {
        text
    };
    // go-yaml falls back to a base 2 reading that takes a sign after the prefix: `0b-1`.
    let signed_binary = || i64::from_str_radix(plain.strip_prefix("0b")?, 2).ok();
    integer(plain)
        .or_else(|| decimal(plain).map(Scalar::Float))
        .or_else(|| signed_binary().map(Scalar::Integer))
        .unwrap_or(Scalar::Text)
}

/// An integer as Go's `strconv.ParseInt(text, 0, 64)` and then `ParseUint` read it.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' | b'-' => text.split_at(1),
        _ => ("", text),
    };
    let prefix = digits.get(..2).filter(|_| digits.len() > 2).unwrap_or_default();
    let (base, digits) = match prefix {
        "0b" | "0B" => (2, digits.get(2..)?),
        "0o" | "0O" => (8, digits.get(2..)?),
        "0x" | "0X" => (16, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    match (sign, i64::try_from(magnitude)) {
        ("-", _) => 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Integer),
        (_, Ok(integer)) => Some(Scalar::Integer(integer)),
        // An unsigned integer beyond 63 bits: kubectl's JSON decoder makes a float of it.
        ("", Err(_)) => Some(Scalar::Float(magnitude as f64)),
        _ => None,
    }
}

/// A float that begins with its point. Go lets `_` stand between two of its digits.
fn fraction(text: &str) -> Option<f64> {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let separates = |at: usize| digit(bytes.get(at.wrapping_sub(1))) && digit(bytes.get(at + 1));
    text.match_indices('_').all(|(at, _)| separates(at)).then(|| decimal(&text.replace('_', ""))).flatten()
}

/// A decimal float; none when it is too large for one.
fn decimal(text: &str) -> Option<f64> {
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    text.bytes().all(numeric).then(|| text.parse::<f64>().ok()).flatten().filter(|float| float.is_finite())
}

impl Scalar {
    /// The JSON value of `text` with this meaning; none for what JSON cannot carry.
    pub(super) fn into_value(self, text: impl Into<String>) -> Option<Value> {
        Some(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Integer(value) => Value::from(value),
            Scalar::Float(value) => return float_value(value),
            Scalar::Text => Value::String(text.into()),
        })
    }

    /// The key of `text` with this meaning, as kubectl makes strings of keys; none for null.
    pub(super) fn into_key(self, text: impl Into<String>) -> Option<String> {
        Some(match self {
            Scalar::Null => return None,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Integer(value) => value.to_string(),
            Scalar::Float(value) => float_key(value),
            Scalar::Text => text.into(),
        })
    }
}

/// Go writes a float without a fraction in the shortest digits, and reads those back as an integer where they fit one.
fn float_value(value: f64) -> Option<Value> {
    if value.fract() == 0.0
        && value.abs() < 1e19
        && let Ok(integer) = value.to_string().parse::<i64>()
    {
        return Some(Value::from(integer));
    }
    serde_json::Number::from_f64(value).map(Value::Number)
}

/// As Go's `strconv.FormatFloat(value, 'g', -1, 32)`, with YAML's names for what is not a number.
fn float_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Both columns as `kubectl create --dry-run=client -o json` of kubectl 1.34 reads and writes them.
    #[test]
    fn scalars_mean_what_they_mean_to_kubectl() {
        let table = [
            ("yes", json!(true)),
            ("y", json!(true)),
            ("Y", json!(true)),
            ("on", json!(true)),
            ("TRUE", json!(true)),
            ("n", json!(false)),
            ("NO", json!(false)),
            ("off", json!(false)),
            ("null", json!(null)),
            ("~", json!(null)),
            ("", json!(null)),
            ("010", json!(8)),
            ("0o10", json!(8)),
            ("0O10", json!(8)),
            ("0x1F", json!(31)),
            ("0B101", json!(5)),
            ("-0b101", json!(-5)),
            ("+0x10", json!(16)),
            ("08", json!(8)),
            ("019", json!(19)),
            ("00", json!(0)),
            ("-0", json!(0)),
            ("-0.0", json!(0)),
            ("+12", json!(12)),
            ("1_000", json!(1000)),
            ("1_000.5", json!(1000.5)),
            ("1_", json!(1)),
            ("0x_F", json!(15)),
            ("12e03", json!(12000)),
            ("-2E+02", json!(-200)),
            ("1e22", json!(1e22)),
            (".5", json!(0.5)),
            ("+.5", json!(0.5)),
            (".5_0", json!(0.5)),
            ("1.", json!(1)),
            ("1.e2", json!(100)),
            ("1.0", json!(1)),
            ("1.10", json!(1.1)),
            ("685.230_15e+03", json!(685_230.15)),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            ("18446744073709551615", json!(18_446_744_073_709_552_000.0)),
            ("18446744073709551616", json!(18_446_744_073_709_552_000.0)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("-9223372036854775809", json!(-9_223_372_036_854_775_809.0)),
            ("+9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            ("0xFFFFFFFFFFFFFFFF", json!(18_446_744_073_709_552_000.0)),
            ("0777777777777777777777777", json!(7.777_777_777_777_778e23)),
            ("0b-1", json!(-1)),
            ("1234567890123456789.0", json!(1_234_567_890_123_456_800_i64)),
            ("1e-7", json!(1e-7)),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text).into_value(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_or_a_word_stays_text() {
        let texts = "yEs oFF tRUE nULL ~~ _1 1e400 .. . .e5 ._5 .5_ .5__0 nan inf +inf Infinity 190:20:30 1:30 2001-01-01 \
            2001-12-14t21:59:43.10-05:00 -0xFFFFFFFFFFFFFFFF 0b 0x 0o -0b+1 1e e1 1e5e5 --1 1-2 + -1- 1.2.3 1,000 0x1p4 v1 \
            100m 1Gi 8080/TCP << =";
        for text in texts.split_whitespace() {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
    }

    #[test]
    fn json_has_no_infinity() {
        for text in [".inf", "-.Inf", "+.INF", ".NaN"] {
            assert_eq!(resolve(text).into_value(text), None, "{text}");
        }
    }

    #[test]
    fn keys_become_the_strings_that_kubectl_makes() {
        let table = [
            ("1.10", "1.1"),
            ("1e6", "1e+06"),
            ("1234567.5", "1.2345675e+06"),
            ("0x10", "16"),
            ("y", "true"),
            ("a", "a"),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text).into_key(text).as_deref(), Some(expected));
        }
        assert_eq!(resolve("~").into_key("~"), None);
    }

    proptest::proptest! {
        #[test]
        fn every_text_has_a_meaning(text in "[-+0-9a-fxob_.eE:~ ]{0,12}|\\PC*") {
            let _ = resolve(&text).into_key(text.as_str());
        }

        #[test]
        fn integers_keep_their_value(integer: i64) {
            proptest::prop_assert_eq!(resolve(&integer.to_string()), Scalar::Integer(integer));
        }
    }
}
