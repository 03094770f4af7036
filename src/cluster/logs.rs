//! The logs of containers.

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use kube::client::Body;

use super::{
    client::{Call, Cluster},
    connect::chain,
    discovery::Resource,
    lanes::Place,
    objects::{path, query_string},
};
use crate::error::Result;

/// More of a log's end is not taken, however long its lines are.
const BYTES: usize = 64 * 1024;

/// What part of a container's log is wanted (`PodLogOptions` of the core API).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// The instance before the present one.
    pub previous: bool,
    /// Until the container ends, not only what is there.
    pub follow: bool,
    /// Each line begins with its time and a space.
    pub timestamps: bool,
    /// Only lines of this time and later, in RFC 3339. The kubelet is told whole seconds only.
    pub since: Option<String>,
    /// Only so many lines of the end.
    pub tail: Option<u64>,
}

/// A log while it is read.
pub struct LogStream {
    body: Body,
    _place: Place,
}

impl LogStream {
    /// The next bytes, which end anywhere; None at an end that the server has marked as such.
    ///
    /// # Errors
    /// Why the stream broke off.
    pub async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            match self.body.frame().await? {
                Err(error) => return Some(Err(chain(&error))),
                Ok(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => {}
                },
            }
        }
    }
}

impl Cluster {
    /// Begins to read a log. `expected` is how many will be read at once.
    ///
    /// # Errors
    /// The server's refusal (400 while the container has not started, 404 when the pod is gone, 403), or that it does
    /// not answer.
    pub async fn log(&self, query: &LogQuery, expected: usize) -> Result<LogStream> {
        let doing = format!("reading the log of {} in pod/{}", query.container, query.pod);
        let place = self.lanes.place(expected)?;
        let target = path(&Resource::pods(), Some(&query.namespace), Some(&query.pod)) + "/log";
        let mut call = Call::new(Method::GET, target + &query_string(&parameters(query)), &doing);
        call.accept = "*/*";
        let body = self.open(&place.client, &call).await?;
        Ok(LogStream { body, _place: place })
    }

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

/// Only what differs from the server's defaults is said.
fn parameters(query: &LogQuery) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("container", query.container.clone())];
    for (name, wanted) in [("follow", query.follow), ("previous", query.previous), ("timestamps", query.timestamps)] {
        if wanted {
            parameters.push((name, "true".to_owned()));
        }
    }
    parameters.extend(query.since.clone().map(|since| ("sinceTime", since)));
    parameters.extend(query.tail.map(|lines| ("tailLines", lines.to_string())));
    parameters
}
