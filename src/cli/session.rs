//! One run of the command line: its context, its flags and where its output goes.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use serde::Serialize;

use super::{
    GlobalArguments,
    global::ColorChoice,
    output::{Format, Style, draw_error, write_report},
};
use crate::{
    context::{Ctx, Environment},
    error::{Error, Result},
    event::Sink,
    model::Target,
};

/// What a command is run with.
pub struct Session {
    pub ctx: Ctx,
    pub global: GlobalArguments,
    /// How results on stdout are drawn.
    pub style: Style,
    out: io::BufWriter<io::Stdout>,
}

impl Session {
    /// `events` receives what operations tell while they run.
    pub fn new(global: GlobalArguments, environment: Environment, events: Arc<dyn Sink>) -> Self {
        let cache = cache_folder(&environment);
        let connect = global.connect_options(cache);
        let style = style_for(&global, &environment, io::stdout().is_terminal());
        let out = io::BufWriter::new(io::stdout());
        Self { ctx: Ctx::new(events, environment, connect), global, style, out }
    }

    /// The application that the flags name.
    pub fn target(&self) -> Target {
        let global = &self.global;
        Target {
            application: global.app.clone(),
            namespace: global.namespace.clone(),
            config: global.config.as_ref().map(|file| file.display().to_string()),
            profile: global.profile.clone(),
        }
    }

    /// Writes a report in the format that was asked for; `draw` draws it for people.
    pub fn report<T: Serialize>(
        &mut self,
        kind: &str,
        report: &T,
        format: Format,
        draw: impl FnOnce(&mut dyn Write, &Style) -> io::Result<()>,
    ) -> Result<()> {
        self.ctx.events.finish();
        let written = match format {
            Format::Human => draw(&mut self.out, &self.style),
            Format::Json | Format::Yaml => write_report(&mut self.out, kind, report, format),
        };
        quiet_on_broken_pipe(written.and_then(|()| self.out.flush()))
    }

    /// Asks for consent at the terminal.
    ///
    /// # Errors
    /// Usage, when nobody is there to ask: `flag` consents beforehand.
    pub async fn confirm(&self, question: &str, flag: &str) -> Result<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Error::usage(format!("{question}: this needs consent, and there is no terminal to ask at"))
                .hint(format!("{flag} consents")));
        }
        let question = format!("{question}? [y/N] ");
        let asking = tokio::task::spawn_blocking(move || {
            let mut answer = String::new();
            write!(io::stderr(), "{question}").and_then(|()| io::stdin().read_line(&mut answer)).map(|_| answer)
        });
        let asked = async {
            let answer = asking.await.map_err(io::Error::other).and_then(|answer| answer);
            answer.map_err(|cause| Error::failed("the terminal cannot be read").because(cause))
        };
        let answer = self.ctx.unless_cancelled("asking for consent", asked).await?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Draws an error that does not end the command by itself.
    pub fn tell_error(&self, error: &Error) {
        tell_error(error, &self.global, &self.ctx.environment);
    }

    /// Writes text as it is.
    pub fn write(&mut self, draw: impl FnOnce(&mut dyn Write, &Style) -> io::Result<()>) -> Result<()> {
        self.ctx.events.finish();
        quiet_on_broken_pipe(draw(&mut self.out, &self.style).and_then(|()| self.out.flush()))
    }
}

/// Draws an error on stderr.
pub fn tell_error(error: &Error, global: &GlobalArguments, environment: &Environment) {
    let style = style_for(global, environment, io::stderr().is_terminal());
    // Nobody is left to tell when stderr is gone.
    let _ = draw_error(&mut io::stderr().lock(), &style, error);
}

/// The style for a stream.
pub fn style_for(global: &GlobalArguments, environment: &Environment, terminal: bool) -> Style {
    let no_color = environment.variables.get("NO_COLOR").is_some_and(|value| !value.is_empty())
        || environment.variables.get("TERM").is_some_and(|term| term == "dumb");
    let color = match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal && !no_color,
    };
    let width = terminal.then(|| console_width().unwrap_or(100));
    Style { color, width }
}

fn console_width() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| columns.into())
}

/// Where what can be asked for again is kept, by the habits of the system.
pub(super) fn cache_folder(environment: &Environment) -> Option<std::path::PathBuf> {
    let variable = |name: &str| environment.variables.get(name).filter(|value| !value.is_empty());
    let folder = variable("XDG_CACHE_HOME").or_else(|| variable("LOCALAPPDATA")).map(std::path::PathBuf::from);
    let folder = folder.or_else(|| variable("HOME").map(|home| std::path::Path::new(home).join(".cache")));
    folder.map(|folder| folder.join("kubectl-evolve"))
}

/// A reader that went away has all that it wanted.
pub(super) fn quiet_on_broken_pipe(written: io::Result<()>) -> Result<()> {
    match written {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Error::failed("the output cannot be written").because(cause)),
        Ok(()) => Ok(()),
    }
}
