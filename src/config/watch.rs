//! The settings of `watch`: what is worth an alert, and who is told.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::formats;
use crate::model::Severity;

/// What `watch` looks for, and whom it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Watch {
    /// What is worth an alert. Without any: restarts, errorLogs, notReady, volume and certificate with their defaults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AlertRule>,
    /// Addresses that are told by HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Who is told by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

impl Watch {
    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One thing that is worth an alert. The same rule may be there twice, with another limit and severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertRule {
    /// What is looked at.
    pub rule: AlertKind,
    /// restarts and errorLogs: more than so many (3, 20). volume: more than so many percent used (80).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub above: Option<u32>,
    /// restarts and errorLogs: counted within this time (10m, 1m). notReady: for longer than this (5m).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "formats::optional_duration_text")]
    #[schemars(with = "Option<String>", regex(pattern = formats::DURATION.pattern), length(min = 2))]
    pub during: Option<Duration>,
    /// certificate: ends within so many days (14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 3650))]
    pub days: Option<u32>,
    /// How bad it is; a warning without it.
    #[serde(default)]
    pub severity: Severity,
}

impl AlertRule {
    /// The rule with its defaults.
    pub fn of(rule: AlertKind) -> Self {
        Self { rule, above: None, during: None, days: None, severity: Severity::default() }
    }

    /// The time within which is counted, or for longer than which it lasts.
    pub fn during(&self) -> Duration {
        const MINUTE: u64 = 60;
        let minutes = match self.rule {
            AlertKind::Restarts => 10,
            AlertKind::NotReady => 5,
            AlertKind::ErrorLogs | AlertKind::Volume | AlertKind::Certificate => 1,
        };
        self.during.unwrap_or(Duration::from_secs(minutes * MINUTE))
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AlertKind {
    /// Containers of a workload that restart.
    Restarts,
    /// Lines of the level error in the logs of a workload.
    ErrorLogs,
    /// Pods of a workload that are not ready.
    NotReady,
    /// Volumes that fill.
    Volume,
    /// Certificates near their end.
    Certificate,
}

/// An address that is told by HTTP. It is read from a variable where it holds a secret, as Slack's do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("oneOf" = [{"required": ["url"]}, {"required": ["urlEnv"]}]))]
pub struct Webhook {
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub url: Option<String>,
    /// The environment variable with the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::VARIABLE.pattern))]
    pub url_env: Option<String>,
    /// The environment variable with a token, sent as `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::VARIABLE.pattern))]
    pub token_env: Option<String>,
    /// What is sent.
    pub format: WebhookFormat,
    /// Alerts of this severity and above.
    pub severity: Severity,
}

/// What is sent to a webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WebhookFormat {
    /// The notice as `-o json` prints it.
    #[default]
    Generic,
    /// A message as Slack, Mattermost and Rocket.Chat take it.
    Slack,
}

/// A mail server, and who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Email {
    /// The mail server.
    #[schemars(length(min = 1))]
    pub server: String,
    /// Its port; without it, 587, 465 or 25 as the security asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// How the connection is secured.
    #[serde(default)]
    pub security: MailSecurity,
    /// The user to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The environment variable with the user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = formats::VARIABLE.pattern))]
    pub password_env: Option<String>,
    /// The sender's address.
    #[schemars(length(min = 3))]
    pub from: String,
    /// The addresses of those who are told.
    #[schemars(length(min = 1), inner(length(min = 3)))]
    pub to: Vec<String>,
    /// Alerts of this severity and above.
    #[serde(default)]
    pub severity: Severity,
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MailSecurity {
    /// STARTTLS, and nothing is sent without it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None. For a server on this machine.
    None,
}
