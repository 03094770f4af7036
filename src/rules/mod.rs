//! Pure judgement: no client, no file, no clock.

pub mod applyset;
pub mod difference;
pub mod ownership;
pub mod waves;
