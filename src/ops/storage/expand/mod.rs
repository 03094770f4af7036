//! Growing claims, and StatefulSets whose template is too small: their claims grow, and they are replaced by ones with a
//! larger template while their pods run on.

mod grow;
mod look;
mod record;
mod replace;
mod run;

pub use run::run;
