//! Telling people of alerts.

mod mail;
mod slack;
mod words;

use crate::{
    error::Result,
    model::{API_VERSION, Notice},
    web,
};

pub use mail::{Mail, Security};
pub use words::{body, subject};

/// A way to tell someone.
#[derive(Clone)]
pub enum Channel {
    /// JSON to an address: the notice as `-o json` prints it, with a token where there is one.
    Webhook {
        url: String,
        token: Option<String>,
    },
    /// A message as Slack's incoming webhooks take it.
    Slack {
        url: String,
        token: Option<String>,
    },
    Mail(Box<Mail>),
}

impl Channel {
    /// Tells a notice. The id of the alert goes along, so that a receiver can tell what it has had already: where the
    /// process ends between the telling and its note of it, the same is told again.
    ///
    /// # Errors
    /// What the receiver answered, without the address's secrets.
    pub async fn tell(&self, notice: &Notice) -> Result<()> {
        let (url, token, message) = match self {
            Self::Mail(mail) => return mail.send(notice).await,
            Self::Webhook { url, token } => (url, token, generic(notice)),
            Self::Slack { url, token } => (url, token, slack::message(notice)),
        };
        let mut headers = vec![("idempotency-key", words::key(notice))];
        headers.extend(token.as_ref().map(|token| ("authorization", format!("Bearer {token}"))));
        web::post(url, &headers, &message).await
    }
}

fn generic(notice: &Notice) -> serde_json::Value {
    let mut message = serde_json::json!({"apiVersion": API_VERSION, "kind": "Notice"});
    let fields = serde_json::to_value(notice).unwrap_or_default();
    if let (Some(message), serde_json::Value::Object(fields)) = (message.as_object_mut(), fields) {
        message.extend(fields);
    }
    message
}
