//! Numbers of replicas: what is asked for, who decides them, and what stands in the way.

mod autoscaler;
mod budget;
mod claims;
mod demand;
mod nodes;
mod quota;
mod record;
mod words;

pub use autoscaler::{Autoscaler, Tool, find};
pub use budget::budgets;
pub use claims::{Claims, left_behind};
pub use nodes::Room;
pub use quota::quotas;
pub use record::{ASLEEP, Asleep, PAUSED_REPLICAS, RECORD, Record};
pub use words::{parse, wanted, within};
