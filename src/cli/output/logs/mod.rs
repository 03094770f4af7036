//! Draws logs: lines with prefixes, records, and the reports of `--analyze` and `--export`.

mod analysis;
mod lines;
mod paint;
mod records;
mod template;
mod writer;

pub use analysis::{Budget, cluster_text, draw_analysis, draw_export};
pub use lines::{LineOptions, LineSink};
pub use records::{RecordFormat, RecordSink};
pub use template::LineTemplate;
