//! The API over HTTPS: what a request asks for, who may ask, and answers as the API server gives them.
//!
//! `serve` accepts connections, `handle` leads a request to what answers it: `discovery` and `open_api` say what is
//! served, `reads`, `writes` and `watch` are the verbs. `faults` are injected for tests of clients.

mod accept;
mod answer;
mod body;
mod certificate;
mod discovery;
pub mod faults;
mod handle;
mod open_api;
mod protobuf;
mod query;
mod reads;
mod route;
mod serve;
mod views;
mod watch;
mod writes;

pub use certificate::{Identity, kubeconfig};
pub use serve::{Listener, Server};
