//! Who owns which fields of an object: `metadata.managedFields`, server-side apply, and the fields a type has.
//!
//! Pure. What the real server does is in sigs.k8s.io/structured-merge-diff and in
//! k8s.io/apimachinery/pkg/util/managedfields; files below name the part that they follow.
//!
//! `types` walks objects by the schema; `element`, `set` and `encoding` are sets of fields; `owned`, `compare`, `merge`
//! and `remove` work on objects; `apply` and `track` join them.

mod apply;
mod check;
mod compare;
mod conflict;
mod element;
mod encoding;
mod last_applied;
mod managers;
mod merge;
mod mistyped;
mod owned;
mod remove;
mod resets;
mod scale;
mod set;
#[cfg(test)]
mod tests;
mod track;
mod types;
mod unknown;

pub use apply::apply;
pub use conflict::{ApplyFailure, FieldConflict, conflicts_message};
pub use managers::{Writer, put as put_entries};
pub use mistyped::{mistyped, unconvertible};
pub use scale::{SCALE, entries_after_scale, entries_of_scale, scale_types};
pub use track::{keep_reset, only_times_differ, track_update};
pub use types::Types;
pub use unknown::{duplicate_fields, prune, unknown_fields};
