//! What the tests of the kinds share.

use super::health;
use crate::{
    model::{Health, Status},
    rules::fields::yaml,
};

pub(crate) fn judge(text: &str) -> Health {
    health(&yaml(text))
}

pub(crate) fn said(text: &str) -> (Status, String) {
    let health = judge(text);
    (health.status, health.message)
}
