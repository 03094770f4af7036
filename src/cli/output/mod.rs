//! Draws reports, errors and progress.

mod check;
mod config;
mod error;
mod plan;
mod progress;
mod report;
mod style;

pub use check::{draw_check, draw_github, draw_junit, draw_sarif};
pub use config::{draw_config, draw_config_check};
pub use error::draw_error;
pub use plan::{counts, draw_plan};
pub use progress::progress;
pub use report::{Format, table, write_report};
pub use style::Style;
