//! Progress on stderr.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use super::Style;
use crate::{
    cli::{GlobalArguments, session::style_for},
    context::Environment,
    event::{Event, Sink},
    model::Action,
};

/// The sink for this process: what is drawn follows from the terminal and `-v`.
pub fn progress(global: &GlobalArguments, environment: &Environment) -> Arc<dyn Sink> {
    let style = style_for(global, environment, io::stderr().is_terminal());
    Arc::new(Lines { style, verbose: global.verbose > 0 })
}

/// A line for each thing that happens.
struct Lines {
    style: Style,
    verbose: bool,
}

impl Sink for Lines {
    fn emit(&self, event: Event) {
        let style = &self.style;
        let line = match event {
            Event::Warning { message } => format!("{} {message}", style.changed("warning:")),
            Event::Note { message } if self.verbose => style.faint(message),
            Event::Phase { message, .. } | Event::Waiting { message } => message,
            Event::Done { object, action } if action != Action::Keep => format!("{object} {}", past(action)),
            Event::Health { object, health, pods } => {
                let pods: String = pods.iter().map(|pod| format!("; {pod}")).collect();
                format!("{object}: {}{pods}", health.message)
            }
            Event::Note { .. } | Event::Steps { .. } | Event::Done { .. } => return,
        };
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{line}");
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
