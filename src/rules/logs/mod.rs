//! Logs as bytes: lines and their times, what was seen before, which lines belong together, levels and templates.

mod cluster;
mod containers;
mod fields;
mod filter;
mod group;
mod level;
mod lines;
mod screen;
mod seen;
mod stamp;
mod template;

pub use cluster::{Cluster, Clusters};
pub use containers::{Container, Run, containers};
pub use fields::{Pair, json_pairs, logfmt_pairs, unescape};
pub use filter::Filter;
pub use group::{Entries, Entry, Grouper};
pub use level::{facts, level};
pub use lines::{Chunk, Splitter};
pub use screen::safe;
pub use seen::{Known, Resumption, Seen};
pub use stamp::{Stamp, split, to_timestamp};
pub use template::template;
