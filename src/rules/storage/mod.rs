//! Claims and volumes: what state they are in, who mounts them, how full they are and when they will be full.

mod archive;
mod claim;
mod expand;
mod folders;
mod forecast;
mod join;
mod mounts;
mod usage;
mod volume;

pub use archive::TarScan;
pub use claim::claim_item;
pub use expand::{Waiting, owners, refusals, requested, template, waits_for, wanted_size, with_template_size};
pub use folders::folders;
pub use forecast::{Sample, forecast, keep};
pub use join::{Scene, arrange, items};
pub use mounts::{ClaimUser, PodUse, pod_use, workload_claims};
pub use usage::{df_usage, node_usage};
pub use volume::volume_item;
