//! Logs as the API asks for them.

use std::sync::Arc;

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde_json::Value;

use super::{LogBook, LogOptions};
use crate::sandbox::{Problem, api::PodLogs};

impl PodLogs for Arc<LogBook> {
    fn open(&self, pod: &Value, query: &[(String, String)]) -> Result<BoxStream<'static, Bytes>, Problem> {
        let pairs = query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let reader = LogBook::open(self, pod, &LogOptions::from_query(pairs))?;
        Ok(stream::unfold(reader, async |mut reader| Some((reader.next().await?, reader))).boxed())
    }
}
