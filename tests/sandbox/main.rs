//! The sandbox over HTTPS, as clients see it: on a bare machine, without any cluster.

mod bad_input;
mod client;
mod custom;
mod deletes;
mod faults;
mod lists;
mod watches;
mod writes;
