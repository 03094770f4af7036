//! Databases in pods: which container is one, and how to reach it.

mod container;
mod report;
mod scripts;

pub use container::{Postgres, postgres};
pub use report::{QUESTIONS, read_answers};
pub use scripts::{DUMP, PSQL, READ, is_database_name};
