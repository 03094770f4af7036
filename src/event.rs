//! Progress: what an operation tells while it runs, and the trait of what receives it.

use std::sync::Mutex;

use crate::model::{Action, Health, ObjectRef};

/// One thing that happened. A sink draws it, forwards it, or keeps it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A phase of the operation begins, such as "plan" or "apply", with a sentence for the reader.
    Phase { name: &'static str, message: String },
    /// The number of steps in the running phase.
    Steps { total: usize },
    /// An object was acted on.
    Done { object: ObjectRef, action: Action },
    /// An object's health as the wait saw it; `pods` holds one line for each pod worth showing.
    Health { object: ObjectRef, health: Health, pods: Vec<String> },
    /// What is waited for has changed; shown where a phase has no objects of its own.
    Waiting { message: String },
    /// Something the user should know and that stops nothing.
    Warning { message: String },
    /// A remark for `-v`.
    Note { message: String },
}

/// Receives events. Called from several tasks, in the order in which things happened.
pub trait Sink: Send + Sync {
    fn emit(&self, event: Event);

    /// Leaves the screen in order, because other output follows.
    fn finish(&self) {}
}

/// Drops every event.
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}

/// Keeps every event, for tests.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().map(|events| events.clone()).unwrap_or_default()
    }
}

impl Sink for Recorder {
    fn emit(&self, event: Event) {
        if let Ok(mut events) = self.0.lock() {
            events.push(event);
        }
    }
}
