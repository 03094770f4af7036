//! Chooses how progress is drawn.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use indicatif::ProgressDrawTarget;

use super::{plain::Plain, terminal::Terminal};
use crate::{
    cli::{GlobalArguments, session::style_for},
    context::Environment,
    event::Sink,
};

/// The sink for this process: what is drawn follows from the terminal and `-v`.
pub fn progress(global: &GlobalArguments, environment: &Environment) -> Arc<dyn Sink> {
    let terminal = io::stderr().is_terminal();
    let style = style_for(global, environment, terminal);
    let verbose = global.verbose > 0;
    // A dumb terminal, such as an editor's, cannot move the cursor back.
    let dumb = environment.variables.get("TERM").is_none_or(|term| term == "dumb") && cfg!(unix);
    if terminal && !dumb {
        return Arc::new(Terminal::new(ProgressDrawTarget::stderr(), style, verbose));
    }
    Arc::new(Plain::new(Box::new(io::stderr()), style, verbose))
}
