//! Draws reports, errors and progress.

mod amount;
mod check;
mod config;
mod database;
mod delete;
mod error;
mod evidence;
mod history;
mod inventory;
mod lock;
mod logs;
mod plan;
mod progress;
mod report;
mod sandbox;
mod status;
mod storage;
mod storage_backup;
mod storage_expand;
mod style;
mod watch;

pub use check::{draw_check, draw_github, draw_junit, draw_sarif};
pub use config::{draw_config, draw_config_check};
pub use database::draw_database;
pub use delete::draw_delete;
pub use error::draw_error;
pub use evidence::{draw_evidence, draw_evidence_report};
pub use history::{draw_history, draw_revision};
pub use inventory::draw_inventory;
pub use lock::draw_lock;
pub use logs::{
    Budget, LineOptions, LineSink, LineTemplate, RecordFormat, RecordSink, cluster_text, draw_analysis, draw_export,
};
pub use plan::{counts, draw_plan};
pub use progress::progress;
pub use report::{Format, ListFormat, table, write_report};
pub use sandbox::draw_sandboxes;
pub use status::{LiveStatus, StatusFormat, draw_status, write_status};
pub use storage::{StorageFormat, draw_storage};
pub use storage_backup::{draw_backup, draw_disk_use, draw_restore};
pub use storage_expand::draw_expand;
pub use style::Style;
pub use watch::{draw_alerts, draw_notice};
