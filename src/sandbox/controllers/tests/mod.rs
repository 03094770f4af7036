//! The controllers with the API that they work on, in virtual time.

mod cluster;
mod cron_jobs;
mod ordered;
mod placing;
mod pods;
mod workloads;
