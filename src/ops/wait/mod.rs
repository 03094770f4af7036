//! Waits until objects have become what their specs ask for, and finds the cause when they do not.

mod evidence;
mod look;
mod request;
mod run;
mod scene;
mod secrets;
mod watches;

pub use look::is_settled;
pub use request::{Target, WaitRequest};
pub use run::wait;
