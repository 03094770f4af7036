//! The controllers with the API that they work on, in virtual time.

mod cluster;
mod pods;
mod workloads;
