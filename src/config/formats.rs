//! Texts with a form of their own: names, durations and sizes.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A form of text: its pattern in the JSON Schema, and the words for it in an error.
pub(super) struct Format {
    pub pattern: &'static str,
    pub expected: &'static str,
}

/// An application's name is part of the names of its records, so it is shorter than a label may be.
pub(super) const NAME: Format = Format {
    pattern: "^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$",
    expected: "at most 40 lower-case letters, digits and '-', with a letter or digit at both ends",
};
pub(super) const LABEL: Format = Format {
    pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    expected: "at most 63 lower-case letters, digits and '-', with a letter or digit at both ends",
};
pub(super) const SUBDOMAIN: Format = Format {
    pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    expected: "lower-case letters, digits, '-' and '.', with a letter or digit at both ends",
};
pub(super) const VARIABLE: Format =
    Format { pattern: "^[A-Za-z_][A-Za-z0-9_]*$", expected: "the name of an environment variable" };
pub(super) const PLATFORM: Format =
    Format { pattern: "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$", expected: "a platform such as linux/amd64" };
pub(super) const DURATION: Format = Format {
    pattern: "^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?([0-9]{1,9}ms)?$",
    expected: "a duration such as 90s, 5m or 1h30m",
};
pub(super) const SIZE: Format =
    Format { pattern: "^[0-9]{1,9}([.][0-9]{1,3})?(B|[kKMG]B|[KMG]iB)$", expected: "a size such as 300MB or 1.5GiB" };

/// The words for the texts that a pattern allows.
pub(super) fn expected(pattern: &str) -> Option<&'static str> {
    [NAME, LABEL, SUBDOMAIN, VARIABLE, PLATFORM, DURATION, SIZE]
        .into_iter()
        .find(|format| format.pattern == pattern)
        .map(|format| format.expected)
}

/// Reads a duration as kubectl writes it: `90s`, `5m`, `1h30m`, `500ms`, and `0`.
///
/// # Errors
/// A sentence that says what was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    jiff::fmt::friendly::SpanParser::new()
        .parse_unsigned_duration(text)
        .map_err(|_| format!("expected {}, got {text:?}", DURATION.expected))
}

/// A duration as text, for `#[serde(with)]`.
pub(super) mod duration_text {
    use super::{Deserialize, Deserializer, Duration, Serializer, de, duration};

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let printer = jiff::fmt::friendly::SpanPrinter::new();
        serializer.serialize_str(&printer.unsigned_duration_to_string(value).replace(' ', ""))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The same for a duration that may be absent.
pub(super) mod optional_duration_text {
    use super::{Deserialize, Deserializer, Duration, Serializer, duration_text};

    #[derive(super::Serialize, Deserialize)]
    struct Text(#[serde(with = "duration_text")] Duration);

    pub fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        super::Serialize::serialize(&value.map(Text), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

/// A number of bytes, written with a unit: `300MB` (decimal) or `1.5GiB` (binary).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The units, largest first.
const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected {}, got {text:?}", SIZE.expected);
        let (number, unit) =
            UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit))).ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // At most three decimals, so that the sum stays exact.
        let thousandths: u64 = format!("{fraction:0<3}").parse().map_err(|_| wrong())?;
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        if fraction.len() > 3 {
            return Err(wrong());
        }
        let bytes = (u128::from(whole) * 1000 + u128::from(thousandths)) * u128::from(*unit) / 1000;
        u64::try_from(bytes).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Size {
    /// The largest unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit));
        let (name, unit) = whole.unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": SIZE.pattern})
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_read_as_kubectl_reads_it() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("soon"), Err("expected a duration such as 90s, 5m or 1h30m, got \"soon\"".to_owned()));
        assert!(duration("-5m").is_err() && duration("5").is_err());
    }

    #[test]
    fn a_size_has_decimal_and_binary_units() {
        assert_eq!("300MB".parse(), Ok(Size(300_000_000)));
        assert_eq!("1.5GiB".parse(), Ok(Size(3 << 29)));
        assert_eq!(Size(300_000_000).to_string(), "300MB");
        assert_eq!(Size(0).to_string(), "0B");
        assert!("300".parse::<Size>().is_err() && "-1MB".parse::<Size>().is_err());
    }

    proptest! {
        #[test]
        fn what_the_duration_pattern_allows_is_read(text in DURATION.pattern.trim_matches(['^', '$'])) {
            prop_assert!(text.is_empty() || duration(&text).is_ok());
        }

        #[test]
        fn what_the_size_pattern_allows_is_read(text in SIZE.pattern.trim_matches(['^', '$'])) {
            let size: Size = text.parse().unwrap();
            prop_assert_eq!(size.to_string().parse::<Size>(), Ok(size));
        }
    }
}
