//! What the simplest commands do, so that examples with them behave as on a real node.

use std::time::Duration;

use serde_json::Value;

use super::behaviour::{Exit, Span};
use crate::rules::fields::list;

/// How a container ends whose command is `true`, `false`, `sleep` or a shell script of those, `echo` and `exit`.
/// None for any other command; a sleep without end never ends.
pub fn exit(container: &Value) -> Option<Exit> {
    let words: Vec<&str> = list(container, "/command")
        .iter()
        .chain(list(container, "/args"))
        .map(|word| word.as_str().unwrap_or_default())
        .collect();
    let mut ending = Exit { after: Span(Duration::from_millis(300)), ..Exit::default() };
    match words.as_slice() {
        ["sh" | "/bin/sh" | "bash" | "/bin/bash" | "ash", "-c" | "-ec" | "-exc", script] => {
            for line in script.split([';', '\n']).flat_map(|line| line.split("&&")) {
                let words: Vec<&str> = line.split_whitespace().collect();
                if step(&words, &mut ending)? {
                    break;
                }
            }
        }
        [] => return None,
        words => {
            step(words, &mut ending)?;
        }
    }
    Some(ending)
}

/// Takes one step of a script; true where it was the last, None where it is not one of those known.
fn step(words: &[&str], ending: &mut Exit) -> Option<bool> {
    match words {
        [] => return Some(false),
        ["true" | ":" | "/bin/true"] => ending.code = 0,
        ["false" | "/bin/false"] => ending.code = 1,
        ["exit"] => return Some(true),
        ["exit", code] => {
            ending.code = code.parse().ok()?;
            return Some(true);
        }
        ["sleep", seconds] => {
            let seconds: u64 = seconds.trim_end_matches('s').parse().ok()?;
            ending.after = Span(ending.after.0.saturating_add(Duration::from_secs(seconds)));
        }
        ["echo", text @ ..] if !text.iter().any(|word| word.contains(['$', '>', '|', '`'])) => {
            ending.logs.push(text.join(" ").trim_matches(['"', '\'']).to_owned());
        }
        _ => return None,
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fields::yaml;

    #[test]
    fn simple_commands_end_as_they_would() {
        for (container, expected) in [
            ("command: ['true']", Some((0, 300, 0))),
            ("command: ['false']", Some((1, 300, 0))),
            ("command: [sleep, '5']", Some((0, 5300, 0))),
            ("command: [sh, -c, 'echo hi; exit 3']", Some((3, 300, 1))),
            ("{command: [sh, -c], args: ['sleep 1 && false']}", Some((1, 1300, 0))),
            ("command: [sleep, infinity]", None),
            ("command: [httpd, -f]", None),
            ("command: [sh, -c, 'while true; do sleep 1; done']", None),
            ("image: x", None),
        ] {
            let found = exit(&yaml(container));
            let found = found.map(|exit| (exit.code, exit.after.0.as_millis(), exit.logs.len()));
            assert_eq!(found, expected, "{container}");
        }
    }
}
