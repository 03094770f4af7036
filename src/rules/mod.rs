//! Pure judgement: no client, no file, no clock.

pub mod applyset;
pub mod difference;
mod fields;
pub mod lock;
pub mod ownership;
pub mod readiness;
pub mod waves;
