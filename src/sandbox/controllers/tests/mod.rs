//! The controllers with the API that they work on, in virtual time.

mod cluster;
mod ordered;
mod pods;
mod workloads;
