//! The patches of Kubernetes but for server-side apply, which is in `fields`. Pure.

mod json;
mod lists;
mod merge;
mod strategic;
#[cfg(test)]
mod tests;

pub use json::json;
pub use merge::merge;
pub use strategic::strategic;

/// Why a patch was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchFailure {
    /// 400, reason `BadRequest`.
    Malformed(String),
    /// 422, reason `Invalid`. The real server keeps the reason from the client: its message is always
    /// `the server rejected our request due to an error in our request`, and its details are empty but there.
    Unprocessable(String),
    /// 413, reason `RequestEntityTooLarge`.
    TooLarge(String),
    /// A bare 500 without a reason.
    Failed(String),
}
