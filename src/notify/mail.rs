//! Mail, by SMTP.

use std::{sync::Arc, time::Duration};

use hyper_rustls::ConfigBuilderExt;
use mail_send::{Credentials, SmtpClientBuilder, mail_builder::MessageBuilder};
use rustls::{ClientConfig, crypto::ring::default_provider};
use tokio_rustls::TlsConnector;

use super::words;
use crate::{
    error::{Error, Result},
    model::Notice,
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// How the connection to the server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Starttls,
    Tls,
    None,
}

/// A mail server, a sender and the receivers.
#[derive(Clone)]
pub struct Mail {
    pub server: String,
    pub port: u16,
    pub security: Security,
    /// User and password.
    pub login: Option<(String, String)>,
    pub from: String,
    pub to: Vec<String>,
}

impl Mail {
    pub(super) async fn send(&self, notice: &Notice) -> Result<()> {
        let failed = |error: mail_send::Error| {
            Error::unreachable(format!("the mail server {}:{} did not take the mail: {error}", self.server, self.port))
        };
        tokio::time::timeout(TIMEOUT, self.exchange(notice))
            .await
            .unwrap_or(Err(mail_send::Error::Timeout))
            .map_err(failed)
    }

    async fn exchange(&self, notice: &Notice) -> mail_send::Result<()> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| mail_send::Error::Tls(Box::new(error)))?
            .with_native_roots()
            .map_err(mail_send::Error::Io)?
            .with_no_client_auth();
        let tls = TlsConnector::from(Arc::new(config));
        let mut builder = SmtpClientBuilder::new_with_tls_connector(self.server.clone(), self.port, tls)
            .implicit_tls(self.security == Security::Tls)
            .timeout(TIMEOUT);
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::Plain { username: user.clone(), secret: password.clone() });
        }
        match self.security {
            Security::None => builder.connect_plain().await?.send(self.message(notice)).await.map(drop),
            Security::Starttls | Security::Tls => builder.connect().await?.send(self.message(notice)).await.map(drop),
        }
    }

    fn message(&self, notice: &Notice) -> MessageBuilder<'static> {
        let host = self.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
        MessageBuilder::new()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(words::subject(notice))
            // The same for the same notice: a mail that is sent again is told by it.
            .message_id(format!("{}@{host}", words::key(notice)))
            .text_body(words::body(notice) + "\n")
    }
}
