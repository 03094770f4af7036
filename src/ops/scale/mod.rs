//! Numbers of replicas: changed, brought back, put to sleep and woken.

mod act;
mod plan;
mod run;
mod sleep;
mod surroundings;

pub use run::run;
