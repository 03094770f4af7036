//! Progress at a terminal: what is under way in place, what is done above it.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::words;
use crate::{
    cli::output::Style,
    event::{Event, Sink},
    model::{Health, ObjectRef, Status},
};

/// How many objects have a line; more would leave no room for what is done.
const LINES: usize = 12;
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Terminal {
    style: Style,
    verbose: bool,
    screen: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The line of the phase, below the others.
    phase: Option<ProgressBar>,
    /// What is not current, in the order in which it was first told of.
    open: Vec<ObjectRef>,
    known: HashMap<ObjectRef, (Health, Vec<String>)>,
    lines: HashMap<ObjectRef, ProgressBar>,
}

impl Terminal {
    pub fn new(target: ProgressDrawTarget, style: Style, verbose: bool) -> Self {
        Self { style, verbose, screen: MultiProgress::with_draw_target(target), state: Mutex::default() }
    }

    /// A line that stays, above what is drawn in place.
    fn above(&self, line: &str) {
        // Nobody is left to tell when stderr is gone.
        let _ = self.screen.println(line);
    }

    fn phase(&self, state: &mut State, message: String) {
        self.clear(state);
        let bar = ProgressBar::new_spinner().with_style(phase_style(false)).with_message(message);
        let bar = self.screen.add(bar);
        bar.enable_steady_tick(TICK);
        state.phase = Some(bar);
    }

    fn health(&self, state: &mut State, object: ObjectRef, health: Health, pods: Vec<String>) {
        let was = state.known.insert(object.clone(), (health.clone(), pods.clone()));
        if health.status == Status::Current {
            state.open.retain(|open| *open != object);
            if let Some(line) = state.lines.remove(&object) {
                self.screen.remove(&line);
            }
            if was.is_none_or(|(was, _)| was.status != Status::Current) {
                self.above(&self.settled(&object, &health, &pods));
            }
        } else if !state.open.contains(&object) {
            state.open.push(object);
        }
        self.draw(state);
    }

    /// Gives the first open objects their lines, and says how many have none.
    fn draw(&self, state: &mut State) {
        let State { phase, open, known, lines } = state;
        for object in open.iter().take(LINES) {
            let line = lines.entry(object.clone()).or_insert_with(|| {
                let bar = ProgressBar::new_spinner().with_style(line_style());
                match &phase {
                    Some(phase) => self.screen.insert_before(phase, bar),
                    None => self.screen.add(bar),
                }
            });
            if let Some((health, pods)) = known.get(object) {
                let words = format!("{} {}", self.style.strong(object), words::progress(health, pods));
                line.set_message(words::marked(&self.style, health, &words));
            }
        }
        if let Some(phase) = phase {
            let more = open.len().saturating_sub(LINES);
            phase.set_prefix(if more > 0 { format!("{more} more objects; ") } else { String::new() });
        }
    }

    fn settled(&self, object: &ObjectRef, health: &Health, pods: &[String]) -> String {
        words::marked(&self.style, health, &format!("{object}: {}", words::progress(health, pods)))
    }

    /// Takes away what is drawn in place; what is known of open objects stays as lines.
    fn clear(&self, state: &mut State) {
        for line in state.lines.drain().map(|(_, line)| line).chain(state.phase.take()) {
            line.disable_steady_tick();
            self.screen.remove(&line);
        }
        for object in state.open.drain(..) {
            if let Some((health, pods)) = state.known.get(&object) {
                self.above(&self.settled(&object, health, pods));
            }
        }
        state.known.clear();
        let _ = self.screen.clear();
    }
}

impl Sink for Terminal {
    fn emit(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else { return };
        let line = words::line(&self.style, self.verbose, &event);
        match event {
            Event::Phase { message, .. } => self.phase(&mut state, message),
            Event::Waiting { message } => match &state.phase {
                Some(phase) => phase.set_message(message),
                None => self.phase(&mut state, message),
            },
            Event::Steps { total } => {
                if let Some(phase) = &state.phase {
                    phase.set_style(phase_style(true));
                    phase.set_length(total.try_into().unwrap_or(u64::MAX));
                }
            }
            Event::Health { object, health, pods } => self.health(&mut state, object, health, pods),
            Event::Done { .. } => {
                if let Some(phase) = &state.phase {
                    phase.inc(1);
                }
                line.iter().for_each(|line| self.above(line));
            }
            Event::Warning { .. } | Event::Note { .. } => line.iter().for_each(|line| self.above(line)),
        }
    }

    fn finish(&self) {
        if let Ok(mut state) = self.state.lock() {
            self.clear(&mut state);
        }
    }
}

fn phase_style(counts: bool) -> ProgressStyle {
    let template = if counts {
        "{spinner} {prefix}{msg} ({pos} of {len}, {elapsed})"
    } else {
        "{spinner} {prefix}{msg} ({elapsed})"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn line_style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
pub(super) mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::model::Action;

    fn named(api_version: &str, kind: &str, name: &str) -> ObjectRef {
        ObjectRef { api_version: api_version.into(), kind: kind.into(), name: name.into(), namespace: None }
    }

    /// What a deploy tells from its first apply to its end.
    pub fn rollout() -> Vec<Event> {
        let api = || named("apps/v1", "Deployment", "api");
        let health = |object, health, pods: &[&str]| Event::Health {
            object,
            health,
            pods: pods.iter().map(|pod| (*pod).to_owned()).collect(),
        };
        let crash = Health::failed("CrashLoopBackOff", "pod db-0: main does not keep running (2 times): exit code 1");
        vec![
            Event::Phase { name: "apply", message: "applying 2 of 3 objects".into() },
            Event::Steps { total: 2 },
            Event::Done { object: api(), action: Action::Change },
            Event::Done { object: named("v1", "Service", "api"), action: Action::Create },
            Event::Phase { name: "wait", message: "waiting until everything is healthy".into() },
            health(api(), Health::in_progress("0 of 2 updated"), &[]),
            health(api(), Health::in_progress("1 of 2 updated, 1 old to go"), &["api-x (ContainerCreating)"]),
            health(
                api(),
                Health::in_progress("1 of 2 updated, 1 old to go"),
                &["api-x (ContainerCreating)", "api-y (ContainerCreating)"],
            ),
            Event::Warning { message: "the cluster has not answered for 5 s".into() },
            health(api(), Health::in_progress("2 of 2 updated, 1 old to go"), &["api-old (Terminating)"]),
            health(named("apps/v1", "StatefulSet", "db"), crash, &["db-0 (main does not keep running)"]),
            health(api(), Health::current("2 replicas available"), &[]),
        ]
    }

    fn screen(events: impl IntoIterator<Item = Event>, finish: bool) -> String {
        let term = InMemoryTerm::new(30, 90);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), 255);
        let sink = Terminal::new(target, Style::default(), false);
        events.into_iter().for_each(|event| sink.emit(event));
        if finish {
            sink.finish();
        } else if let Some(phase) = &sink.state.lock().unwrap().phase {
            phase.disable_steady_tick();
            phase.force_draw();
        }
        term.contents()
    }

    #[test]
    fn what_is_under_way_has_a_line_in_place() {
        snapbox::assert_data_eq!(
            screen(rollout().into_iter().take(8), false),
            snapbox::str![[r#"
deployment.apps/api changed
service/api created
… deployment.apps/api 1 of 2 updated, 1 old to go, waiting for api-x (ContainerCreating),
[..] waiting until everything is healthy (0s)
"#]]
        );
    }

    #[test]
    fn what_is_done_stays_above_and_what_is_open_is_said_at_the_end() {
        snapbox::assert_data_eq!(
            screen(rollout(), true),
            snapbox::str![[r#"
deployment.apps/api changed
service/api created
warning: the cluster has not answered for 5 s
✓ deployment.apps/api: 2 replicas available
✗ statefulset.apps/db: pod db-0: main does not keep running (2 times): exit code 1
"#]]
        );
    }

    #[test]
    fn more_objects_than_lines_are_counted() {
        let many = (0..LINES + 3).map(|number| Event::Health {
            object: named("batch/v1", "Job", &format!("job-{number}")),
            health: Health::in_progress("not started"),
            pods: Vec::new(),
        });
        let begin = Event::Phase { name: "wait", message: "waiting".into() };
        let screen = screen([begin].into_iter().chain(many), false);
        assert_eq!(screen.lines().filter(|line| line.contains("not started")).count(), LINES);
        assert!(screen.lines().last().is_some_and(|line| line.contains("3 more objects; waiting")), "{screen}");
    }
}
