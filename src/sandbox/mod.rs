//! The embedded Kubernetes API: a cluster in the process, with simulated pods, honest about what it simulates.
//!
//! `problem` and `resource` are the words that its parts share. `fields` (ownership, apply, patches) and `kinds`
//! (defaults, validation, columns) are pure; `store` keeps objects and their changes; `api` joins them into the verbs of
//! the API; `http` serves those; `controllers` and `pods` act on objects as a cluster would.

pub mod api;
pub mod catalogue;
pub mod clock;
pub mod controllers;
pub mod fields;
mod go;
pub mod http;
mod journal;
pub mod kinds;
pub mod patch;
pub mod pods;
mod private;
pub mod problem;
pub mod resource;
pub mod server;
pub mod store;

pub use clock::Clock;
pub use private::private_file;
pub use problem::{Problem, ProblemCause};
pub use resource::{At, Resource};
pub use server::{Options, Sandbox};
