//! Slack's format, which Mattermost and Rocket.Chat take too
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use serde_json::{Value, json};

use super::words;
use crate::model::{AlertState, Notice, Severity};

/// The bar beside the message.
fn color(notice: &Notice) -> &'static str {
    match (notice.state, notice.alert.severity) {
        (AlertState::Recovered, _) => "#2eb67d",
        (_, Severity::Error) => "#e01e5a",
        (_, Severity::Warning) => "#ecb22e",
        (_, Severity::Info) => "#36c5f0",
    }
}

pub(super) fn message(notice: &Notice) -> Value {
    let (subject, body) = (escaped(&words::subject(notice)), escaped(&words::body(notice)));
    json!({"text": subject, "attachments": [{"color": color(notice), "text": body, "fallback": subject}]})
}

/// What a text must not hold (<https://docs.slack.dev/messaging/formatting-message-text>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Alert, ObjectRef};

    #[test]
    fn a_notice_reads_the_same_everywhere() {
        let object = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("shop".into()),
            name: "api".into(),
        };
        let since = "2026-11-21T10:00:00Z".parse().unwrap();
        let alert = Alert {
            id: "a1".into(),
            rule: "restarts".into(),
            severity: Severity::Warning,
            object,
            message: "4 restarts <within> 10m".into(),
            since,
            until: None,
        };
        let notice = Notice { state: AlertState::Firing, alert, cluster: "https://c:6443".into() };
        let said = message(&notice);
        assert_eq!(said["text"], "warning: restarts of deployment.apps/api in shop");
        assert_eq!(
            said["attachments"][0]["text"],
            "4 restarts &lt;within&gt; 10m\nsince 2026-11-21T10:00:00Z\ncluster https://c:6443\nlook: kubectl evolve status deployment.apps/api -n shop"
        );
        let over = Notice { state: AlertState::Recovered, ..notice };
        assert_eq!(message(&over)["text"], "recovered: restarts of deployment.apps/api in shop");
        assert_ne!(words::key(&over), words::key(&Notice { state: AlertState::Firing, ..over.clone() }));
    }
}
