//! Draws reports, errors and progress.

mod config;
mod error;
mod plan;
mod progress;
mod report;
mod style;

pub use config::{draw_config, draw_config_check};
pub use error::draw_error;
pub use plan::{counts, draw_plan};
pub use progress::progress;
pub use report::{Format, table, write_report};
pub use style::Style;
