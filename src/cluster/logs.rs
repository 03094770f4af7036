//! The logs of containers.

use http::Method;

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::{path, query_string},
};
use crate::error::Result;

/// More of a log is not taken, however long its lines are.
const BYTES: usize = 64 * 1024;

impl Cluster {
    /// The last lines of a container's log, of the running instance or of the one before it, as the node has them.
    pub async fn log_tail(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: usize,
    ) -> Result<String> {
        let doing = format!("reading the log of {container} in pod/{pod}");
        let parameters = [
            ("container", container.to_owned()),
            ("tailLines", lines.to_string()),
            ("limitBytes", BYTES.to_string()),
            ("previous", previous.to_string()),
        ];
        let log = path(&Resource::pods(), Some(namespace), Some(pod)) + "/log" + &query_string(&parameters);
        let mut call = Call::new(Method::GET, log, &doing);
        call.accept = "*/*";
        let (_, bytes) = self.call_bytes(&call).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
