//! Who is told, from the configuration and the environment.

use sha2::{Digest, Sha256};

use crate::{
    config::{self, MailSecurity, WebhookFormat},
    context::Environment,
    error::{Error, Result},
    model::Severity,
    notify::{Channel, Mail, Security},
    rules::alerts::Listener,
};

/// The name of whoever reads the standard output.
pub(super) const OUTPUT: &str = "output";

/// Everyone who is told, the reader of the output first. The name of a channel does not change with its place in the
/// configuration, and shows no secret.
///
/// # Errors
/// Usage, when a variable is not set.
pub(super) fn listeners(watch: &config::Watch, environment: &Environment) -> Result<Vec<(Listener, Option<Channel>)>> {
    let variable = |setting: &str, name: &str| {
        environment.variables.get(name).filter(|value| !value.is_empty()).cloned().ok_or_else(|| {
            Error::usage(format!("watch.{setting}: the environment variable {name} is not set"))
                .hint(format!("set {name}, or remove the setting from evolve.yaml"))
        })
    };
    let mut all = vec![(Listener { name: OUTPUT.into(), from: Severity::Info }, None)];
    for (index, webhook) in watch.webhooks.iter().enumerate() {
        let setting = |key: &str| format!("webhooks[{index}].{key}");
        let url = match (&webhook.url, &webhook.url_env) {
            (Some(url), _) => url.clone(),
            (None, Some(name)) => variable(&setting("urlEnv"), name)?,
            (None, None) => continue,
        };
        let token = webhook.token_env.as_ref().map(|name| variable(&setting("tokenEnv"), name)).transpose()?;
        let name = named("webhook", &url);
        let channel = match webhook.format {
            WebhookFormat::Generic => Channel::Webhook { url, token },
            WebhookFormat::Slack => Channel::Slack { url, token },
        };
        all.push((Listener { name, from: webhook.severity }, Some(channel)));
    }
    if let Some(email) = &watch.email {
        let password = email.password_env.as_ref().map(|name| variable("email.passwordEnv", name)).transpose()?;
        let (security, port) = match email.security {
            MailSecurity::Starttls => (Security::Starttls, 587),
            MailSecurity::Tls => (Security::Tls, 465),
            MailSecurity::None => (Security::None, 25),
        };
        let mail = Mail {
            server: email.server.clone(),
            port: email.port.unwrap_or(port),
            security,
            login: email.user.clone().zip(password),
            from: email.from.clone(),
            to: email.to.clone(),
        };
        let name = named("mail", &format!("{} {:?}", email.server, email.to));
        all.push((Listener { name, from: email.severity }, Some(Channel::Mail(Box::new(mail)))));
    }
    Ok(all)
}

fn named(kind: &str, address: &str) -> String {
    let digest: String = Sha256::digest(address).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{digest}")
}
