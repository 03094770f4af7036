//! CronJobs: a Job at each time of a schedule.
//!
//! Source: `pkg/controller/cronjob` of Kubernetes 1.34. Times without a zone are of UTC.

mod due;
mod history;
mod reconcile;

pub use reconcile::reconcile;
