//! What happens, in words.

use crate::{
    cli::output::Style,
    event::Event,
    model::{Action, Health, Status},
};

/// How many pods a line names.
const PODS: usize = 2;
/// Where what a pod waits for is cut, in characters.
const WORDS: usize = 160;

/// An object's health and what it waits for: `1 of 2 updated, waiting for api-x (ContainerCreating)`.
pub(super) fn progress(health: &Health, pods: &[String]) -> String {
    if health.status != Status::InProgress || pods.is_empty() {
        return health.message.clone();
    }
    let named: Vec<String> = pods.iter().take(PODS).map(|pod| cut(pod)).collect();
    let more = match pods.len().saturating_sub(PODS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}, waiting for {}{more}", health.message, named.join(", "))
}

/// What stands out in a health: a mark, and the words in its colour.
pub(super) fn marked(style: &Style, health: &Health, words: &str) -> String {
    match health.status {
        Status::Current => format!("{} {words}", style.good("✓")),
        Status::Failed => format!("{} {words}", style.bad("✗")),
        Status::InProgress | Status::Terminating | Status::NotFound => format!("{} {words}", style.changed("…")),
    }
}

/// An event that is a line of its own, however progress is drawn.
pub(super) fn line(style: &Style, verbose: bool, event: &Event) -> Option<String> {
    match event {
        Event::Warning { message } => Some(format!("{} {message}", style.changed("warning:"))),
        Event::Note { message } if verbose => Some(style.faint(message)),
        Event::Done { object, action } if *action != Action::Keep => Some(format!("{object} {}", past(*action))),
        _ => None,
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Change => "changed",
        Action::Keep => "unchanged",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Detach => "left in the cluster",
    }
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or(words)),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_named_and_the_rest_counted() {
        let health = Health::in_progress("1 of 4 updated");
        let pods = ["a (ContainerCreating)", "b (Pending)", "c (Pending)"].map(str::to_owned);
        assert_eq!(
            progress(&health, &pods),
            "1 of 4 updated, waiting for a (ContainerCreating), b (Pending) and 1 more"
        );
        assert_eq!(progress(&health, &[]), "1 of 4 updated");
        assert_eq!(progress(&Health::current("4 replicas available"), &pods), "4 replicas available");
    }
}
