//! Progress where nothing can be drawn in place: a line for each change.

use std::{
    collections::{BTreeSet, HashMap},
    io::Write,
    sync::Mutex,
};

use super::words;
use crate::{
    cli::output::Style,
    event::{Event, Sink},
    model::{Health, ObjectRef},
};

pub(super) struct Plain {
    style: Style,
    verbose: bool,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    /// What was said of each object: its health, and what its pods wait for.
    said: HashMap<ObjectRef, (Health, BTreeSet<String>)>,
}

impl Plain {
    pub fn new(out: Box<dyn Write + Send>, style: Style, verbose: bool) -> Self {
        Self { style, verbose, state: Mutex::new(State { out, said: HashMap::new() }) }
    }
}

impl Sink for Plain {
    fn emit(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else { return };
        let line = match &event {
            Event::Phase { message, .. } | Event::Waiting { message } => message.clone(),
            Event::Health { object, health, pods } => {
                // Another pod with the same trouble is no news.
                let news = (health.clone(), pods.iter().map(|pod| waits_for(pod).to_owned()).collect());
                if state.said.get(object) == Some(&news) {
                    return;
                }
                state.said.insert(object.clone(), news);
                format!("{object}: {}", words::progress(health, pods))
            }
            event => match words::line(&self.style, self.verbose, event) {
                Some(line) => line,
                None => return,
            },
        };
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(state.out, "{line}");
    }
}

/// What a line such as `api-x (ContainerCreating)` says besides the name.
fn waits_for(pod: &str) -> &str {
    pod.split_once(' ').map_or(pod, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Action;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_when_something_changes() {
        let out = Shared::default();
        let sink = Plain::new(Box::new(out.clone()), Style::default(), false);
        for event in super::super::terminal::tests::rollout() {
            sink.emit(event);
        }
        let object = ObjectRef { api_version: "v1".into(), kind: "ConfigMap".into(), ..ObjectRef::default() };
        sink.emit(Event::Done { object, action: Action::Keep });
        sink.emit(Event::Note { message: "only with -v".into() });
        snapbox::assert_data_eq!(
            String::from_utf8(out.0.lock().unwrap().clone()).unwrap(),
            snapbox::str![[r#"
applying 2 of 3 objects
deployment.apps/api changed
service/api created
waiting until everything is healthy
deployment.apps/api: 0 of 2 updated
deployment.apps/api: 1 of 2 updated, 1 old to go, waiting for api-x (ContainerCreating)
warning: the cluster has not answered for 5 s
deployment.apps/api: 2 of 2 updated, 1 old to go, waiting for api-old (Terminating)
statefulset.apps/db: pod db-0: main does not keep running (2 times): exit code 1
deployment.apps/api: 2 replicas available

"#]]
        );
    }
}
