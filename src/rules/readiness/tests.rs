//! What the tests of the kinds share.

use serde_json::Value;

use super::health;
use crate::model::{Health, Status};

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

pub(crate) fn judge(text: &str) -> Health {
    health(&yaml(text))
}

pub(crate) fn said(text: &str) -> (Status, String) {
    let health = judge(text);
    (health.status, health.message)
}
