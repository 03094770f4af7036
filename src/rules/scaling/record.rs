//! What is kept at an object of how it was before, so that it can be brought back.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::model::Size;

/// The annotation of the last scaling.
pub const RECORD: &str = "kubectl-evolve/scaled";
/// The annotation of what was put to sleep.
pub const ASLEEP: &str = "kubectl-evolve/asleep";
/// With it, KEDA leaves the number of replicas where it says (keda.sh, "Pausing autoscaling").
pub const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

/// The last scaling of an object. It is written first, so it may tell of one that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub from: Size,
    pub to: Size,
    /// When, as in RFC 3339.
    pub at: String,
}

/// How an object was before it was put to sleep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asleep {
    /// None for an autoscaler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// What KEDA was told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    pub at: String,
}

impl Record {
    /// That of an object; None where there is none that can be read.
    pub fn of(object: &Value) -> Option<Self> {
        read(object, RECORD)
    }

    /// The merge patch that keeps it.
    pub fn patch(&self) -> Value {
        annotated(RECORD, json!(self).to_string().into())
    }
}

impl Asleep {
    /// That of an object; None where there is none that can be read.
    pub fn of(object: &Value) -> Option<Self> {
        read(object, ASLEEP)
    }

    /// The merge patch that keeps it.
    pub fn patch(&self) -> Value {
        annotated(ASLEEP, json!(self).to_string().into())
    }

    /// The merge patch that forgets it.
    pub fn forget() -> Value {
        annotated(ASLEEP, Value::Null)
    }
}

fn read<T: DeserializeOwned>(object: &Value, key: &str) -> Option<T> {
    serde_json::from_str(object["metadata"]["annotations"][key].as_str()?).ok()
}

fn annotated(key: &str, value: Value) -> Value {
    json!({"metadata": {"annotations": {key: value}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_again() {
        let record =
            Record { from: Size::Replicas(3), to: Size::Bounds { min: 1, max: 2 }, at: "2026-11-21T17:00:00Z".into() };
        assert_eq!(Record::of(&record.patch()), Some(record));
        let asleep = Asleep { replicas: Some(2), paused: None, at: String::new() };
        assert_eq!(Asleep::of(&asleep.patch()), Some(asleep));
        assert_eq!(Asleep::of(&Asleep::forget()), None);
        assert_eq!(Record::of(&annotated(RECORD, "no JSON".into())), None);
    }
}
