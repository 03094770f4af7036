//! Websockets to pods: `exec` and `portforward`, each over a connection of its own.

use std::sync::OnceLock;

use http::{Request, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kube::{Config, client::Connection};
use tokio_tungstenite::WebSocketStream;

use super::{
    client::{Attempt, Call, Cluster},
    connect::unusable,
    transport::{self, Use},
};
use crate::error::{Error, Result};

pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The client for upgrades, made when the first one is asked for.
pub(super) struct Upgrades {
    config: Config,
    client: OnceLock<kube::Client>,
}

impl Upgrades {
    pub fn new(config: Config) -> Self {
        Self { config, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&kube::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = transport::client(self.config.clone(), Use::Upgrades)
            .map_err(|error| unusable(error, self.config.auth_info.exec.as_ref()))?;
        Ok(self.client.get_or_init(|| client))
    }
}

impl Cluster {
    /// Turns a request into a websocket with one of the subprotocols `v5.channel.k8s.io` and `v4.channel.k8s.io`.
    ///
    /// # Errors
    /// As for any request: nothing has begun in the pod then.
    pub(super) async fn upgrade(&self, call: &Call<'_>) -> Result<Connection> {
        let client = self.upgrades.client()?;
        self.persist(call, || self.upgrade_once(client, call)).await
    }

    async fn upgrade_once(&self, client: &kube::Client, call: &Call<'_>) -> Result<Connection, Attempt> {
        let request = Request::builder()
            .method(&call.method)
            .uri(&call.path)
            .body(Vec::new())
            .map_err(|cause| Attempt::Final(Error::failed(call.doing.to_owned()).because(cause)))?;
        self.count_request();
        let exchange = async { client.connect(request).await.map_err(|error| self.not_upgraded(call, error)) };
        self.in_time(call, exchange).await
    }

    fn not_upgraded(&self, call: &Call<'_>, error: kube::Error) -> Attempt {
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::UpgradeConnection(cause) => {
                let message = format!("{}: no websocket to the pod", call.doing);
                let error = Error::failed(message).because(cause);
                return Attempt::Final(error.hint("does a proxy before the API server let websockets through?"));
            }
            other => return self.transport(other),
        };
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = match serde_json::to_value(&status) {
            Ok(mut body) => {
                body["kind"] = "Status".into();
                body.to_string()
            }
            Err(_) => status.message,
        };
        self.refused(call, code, body.as_bytes(), None)
    }
}
