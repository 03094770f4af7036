//! What the simplest commands do, so that examples with them behave as on a real node.

use std::{collections::HashMap, time::Duration};

use serde_json::Value;

use super::behaviour::{Exit, Line, Span};
use crate::rules::fields::list;

/// What a command writes, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    pub lines: Vec<Line>,
    /// None where it sleeps without end.
    pub exit: Option<Exit>,
}

/// The course of a container whose command is `true`, `false`, `sleep` or a shell script of those, `echo` and `exit`,
/// with variables and redirections; None for any other.
pub fn course(container: &Value, variables: &HashMap<String, String>) -> Option<Course> {
    let words: Vec<&str> = list(container, "/command")
        .iter()
        .chain(list(container, "/args"))
        .map(|word| word.as_str().unwrap_or_default())
        .collect();
    let commands = match words.as_slice() {
        [] => return None,
        ["sh" | "/bin/sh" | "bash" | "/bin/bash" | "ash", "-c" | "-ec" | "-exc", script] => read(script, variables)?,
        words => vec![words.iter().map(|word| (*word).to_owned()).collect()],
    };
    let mut run =
        Run { course: Course { lines: Vec::new(), exit: None }, at: Duration::ZERO, code: 0, message: String::new() };
    for command in &commands {
        match run.step(command)? {
            Step::On => {}
            Step::Exit => break,
            Step::Endless => return Some(run.course),
        }
    }
    // What takes no time has ended when the kubelet looks: nobody sees it run.
    let after = Span(run.at);
    run.course.exit = Some(Exit { after, code: run.code, message: run.message, ..Exit::default() });
    Some(run.course)
}

struct Run {
    course: Course,
    at: Duration,
    code: i32,
    message: String,
}

enum Step {
    On,
    Exit,
    Endless,
}

impl Run {
    /// Takes one step of a script; None where it is not one of those known.
    fn step(&mut self, command: &[String]) -> Option<Step> {
        let (words, to_message) = redirected(command)?;
        match words.as_slice() {
            [] => {}
            ["true" | ":" | "/bin/true"] => self.code = 0,
            ["false" | "/bin/false"] => self.code = 1,
            ["exit"] => return Some(Step::Exit),
            ["exit", code] => {
                self.code = code.parse().ok()?;
                return Some(Step::Exit);
            }
            ["sleep" | "/bin/sleep", "infinity" | "inf"] | ["exec", "sleep", "infinity" | "inf"] => {
                return Some(Step::Endless);
            }
            ["sleep" | "/bin/sleep", time] | ["exec", "sleep", time] => {
                self.code = 0;
                self.at = self.at.saturating_add(seconds(time)?);
            }
            ["echo", text @ ..] => {
                self.code = 0;
                let text = text.join(" ");
                if to_message {
                    self.message = format!("{text}\n");
                } else {
                    let after = Span(self.at);
                    self.course.lines.extend(text.lines().map(|line| Line { after, every: None, text: line.into() }));
                }
            }
            _ => return None,
        }
        Some(Step::On)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let factor = match unit {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    Duration::try_from_secs_f64(number * factor).ok()
}

/// A command without its redirections, and whether its output is the container's termination message. None where it
/// goes anywhere else but to the log.
fn redirected(command: &[String]) -> Option<(Vec<&str>, bool)> {
    let mut words = Vec::new();
    let mut to_message = false;
    let mut rest = command.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            ">&2" | "1>&2" | "2>&1" => {}
            ">" | ">>" if rest.next() == Some("/dev/termination-log") => to_message = true,
            ">/dev/termination-log" | ">>/dev/termination-log" => to_message = true,
            _ if word.contains(['>', '<']) => return None,
            _ => words.push(word),
        }
    }
    Some((words, to_message))
}

/// The commands of a script, word by word, with variables filled in. None where a script has more than that.
fn read(script: &str, variables: &HashMap<String, String>) -> Option<Vec<Vec<String>>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '$') => {
                let braced = letters.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(next) = letters.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    name.push(next);
                }
                if name.is_empty() || (braced && letters.next() != Some('}')) {
                    return None;
                }
                let value = variables.get(&name).map_or("", String::as_str);
                word.get_or_insert_default().push_str(value);
            }
            (None | Some('"'), '`' | '\\') | (None, '|' | '(' | ')' | '{' | '}' | '*' | '#') => return None,
            // Of the first word it makes an assignment.
            (None, '=') if commands.last().is_none_or(Vec::is_empty) => return None,
            (None, ';' | '\n' | '&') => {
                if letter == '&' {
                    match word.as_deref() {
                        Some(">" | "1>" | "2>") => {
                            word.get_or_insert_default().push('&');
                            continue;
                        }
                        _ => letters.next_if_eq(&'&')?,
                    };
                }
                commands.last_mut()?.extend(word.take());
                commands.push(Vec::new());
            }
            (None, _) if letter.is_whitespace() => commands.last_mut()?.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    commands.last_mut()?.extend(word);
    quote.is_none().then_some(commands)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fields::yaml;

    fn variables() -> HashMap<String, String> {
        [("KEY".to_owned(), "tulip; exit 9".to_owned())].into()
    }

    #[test]
    fn simple_commands_end_as_they_would() {
        for (container, expected) in [
            ("command: ['true']", Some(Some((0, 0)))),
            ("command: ['false']", Some(Some((1, 0)))),
            ("command: [sleep, '5']", Some(Some((0, 5000)))),
            ("command: [sh, -c, 'echo hi; exit 3']", Some(Some((3, 0)))),
            ("{command: [sh, -c], args: ['sleep 1.5 && false']}", Some(Some((1, 1500)))),
            ("command: [sleep, infinity]", Some(None)),
            ("command: [httpd, -f]", None),
            ("command: [sh, -c, 'while true; do sleep 1; done']", None),
            ("command: [sh, -c, 'a=b; exit 1']", None),
            ("command: [sh, -c, 'echo a | grep b']", None),
            ("command: [sh, -c, 'echo a > /tmp/b']", None),
            ("command: [sh, -c, 'sleep 1 & exit 1']", None),
            ("command: [sh, -c, 'echo a=b; exit 1']", Some(Some((1, 0)))),
            ("image: x", None),
        ] {
            let found = course(&yaml(container), &variables());
            let found = found.map(|course| course.exit.map(|exit| (exit.code, exit.after.0.as_millis())));
            assert_eq!(found, expected, "{container}");
        }
    }

    #[test]
    fn what_is_said_is_said_at_its_time_with_variables() {
        let script = "echo start  up; sleep 2; echo \"I hold $KEY\" '$KEY' ${NONE}x >&2; echo $KEY >/dev/termination-log; exit 3";
        let container = serde_json::json!({"command": ["sh", "-c", script]});
        let found = course(&container, &variables()).unwrap();
        let lines: Vec<(u128, &str)> =
            found.lines.iter().map(|line| (line.after.0.as_millis(), line.text.as_str())).collect();
        assert_eq!(lines, [(0, "start up"), (2000, "I hold tulip; exit 9 $KEY x")]);
        let exit = found.exit.unwrap();
        assert_eq!((exit.code, exit.message.as_str()), (3, "tulip; exit 9\n"));
    }

    proptest! {
        #[test]
        fn no_script_makes_it_stumble(script in "[a-z$'\"{};&>| \n\\\\0-9.é-]{0,40}") {
            course(&serde_json::json!({"command": ["sh", "-c", script]}), &variables());
        }
    }
}
