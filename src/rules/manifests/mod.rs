//! Judgement of manifests before anything is sent: a file for each rule, and a line for it in `registry`.

mod bad_name;
mod deprecated_api;
mod duplicate_item;
mod duplicate_object;
mod facts;
mod labels;
mod latest_image;
mod missing_field;
mod object_too_large;
mod one_of;
mod out_of_range;
mod port_missing;
mod reference_missing;
mod references;
mod registry;
mod removed_api;
mod rule;
mod secret_in_plain_text;
mod selector_mismatch;
mod service_selects_nothing;
mod set;
mod unknown_field;
mod unknown_kind;
mod volume_missing;
mod walk;
mod wrong_type;
mod wrong_value;

#[cfg(test)]
mod tests;

pub use facts::{Facts, Known};
pub use missing_field::is_required;
pub use reference_missing::outside_references;
pub use references::Reference;
pub use registry::{RULES, judge};
pub use rule::{Context, Found, Rule};
pub use set::{Set, Workload};
pub use wrong_value::allowed_values;
