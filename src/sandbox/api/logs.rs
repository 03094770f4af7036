//! Where the logs of pods come from.

use std::fmt;

use bytes::Bytes;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::sandbox::problem::Problem;

/// What keeps the logs of pods; the simulated kubelet does.
pub trait PodLogs: fmt::Debug + Send + Sync {
    /// The log of a pod, by the query of `pods/log`.
    ///
    /// # Errors
    /// The query or the state of the pod does not allow it.
    fn open(&self, pod: &Value, query: &[(String, String)]) -> Result<BoxStream<'static, Bytes>, Problem>;
}
