//! A notice in words.

use crate::model::{AlertState, Notice};

/// One line: what has happened to what.
pub fn subject(notice: &Notice) -> String {
    let alert = &notice.alert;
    let state = match notice.state {
        AlertState::Firing => alert.severity.word(),
        AlertState::Recovered => "recovered",
    };
    let place = alert.object.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{state}: {} of {}{place}", alert.rule, alert.object)
}

/// Everything there is to say.
pub fn body(notice: &Notice) -> String {
    let alert = &notice.alert;
    let mut lines = vec![alert.message.clone(), format!("since {}", alert.since)];
    lines.extend(alert.until.map(|until| format!("over at {until}")));
    lines.push(format!("cluster {}", notice.cluster));
    let namespace = alert.object.namespace.as_ref().map(|name| format!(" -n {name}")).unwrap_or_default();
    lines.push(format!("look: kubectl evolve status {}{namespace}", alert.object));
    lines.join("\n")
}

/// The same for the same notice, and for no other.
pub(super) fn key(notice: &Notice) -> String {
    let state = match notice.state {
        AlertState::Firing => "firing",
        AlertState::Recovered => "recovered",
    };
    format!("{}-{state}", notice.alert.id)
}
