//! Answers a shell, or kubectl, that asks how a line may go on.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use clap::{Arg, Command, CommandFactory, FromArgMatches, ValueHint};
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCandidates, CompletionCandidate, complete},
};

use super::{Cli, GlobalArguments, session::cache_folder};
use crate::{
    context::{Ctx, Environment},
    event::Silent,
    model::ConfigRequest,
    ops::{
        complete::{self as values, Candidate, CompleteRequest, Wanted},
        completion::COMPLETER,
    },
};

/// Set by the shells' scripts, to the name of the shell.
pub(super) const VARIABLE: &str = "EVOLVE_COMPLETE";
/// In place of the completer's own name, where no link can be made.
const COMPLETE: &str = "__complete";

// What cobra, which kubectl is made with, calls `ShellCompDirective`.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;

/// A question for completions.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// From kubectl: the words after `kubectl evolve`, the last one unfinished and perhaps empty.
    Kubectl(Vec<OsString>),
    /// From a shell's script: the process's own arguments.
    Shell(Vec<OsString>),
}

/// Whether the process was started to complete a line, and by whom.
pub fn asked(mut words: Vec<OsString>, environment: &Environment) -> Option<Question> {
    let name = words.first().map(Path::new).and_then(Path::file_stem);
    if name.is_some_and(|name| name == COMPLETER) {
        return Some(Question::Kubectl(words.split_off(1)));
    }
    if words.get(1).is_some_and(|word| word == COMPLETE) {
        return Some(Question::Kubectl(words.split_off(2)));
    }
    environment.variables.get(VARIABLE).is_some_and(|shell| !shell.is_empty()).then_some(Question::Shell(words))
}

/// Writes the answer to stdout.
///
/// # Errors
/// Only when it cannot be written, or the shell is unknown.
pub fn answer(question: Question, environment: &Environment) -> io::Result<()> {
    match question {
        Question::Kubectl(words) => {
            let command = attach(Cli::command(), &asker(&words, environment));
            io::stdout().lock().write_all(kubectl(command, words, &environment.folder)?.as_bytes())
        }
        Question::Shell(words) => {
            let typed: Vec<OsString> = words.iter().skip_while(|word| *word != "--").skip(2).cloned().collect();
            let ask = asker(&typed, environment);
            let shell = CompleteEnv::with_factory(|| attach(Cli::command(), &ask)).var(VARIABLE);
            shell.try_complete(words, Some(&environment.folder)).map(|_| ()).map_err(io::Error::other)
        }
    }
}

type Ask = Arc<dyn Fn(Wanted) -> Vec<Candidate> + Send + Sync>;

/// Lines of `value<TAB>help`, then the directive.
fn kubectl(mut command: Command, mut words: Vec<OsString>, folder: &Path) -> io::Result<String> {
    if words.is_empty() {
        words.push(OsString::new());
    }
    let unfinished = words.last().cloned().unwrap_or_default();
    let index = words.len();
    words.insert(0, command.get_name().into());
    let mut candidates = complete(&mut command, words, index, Some(folder))?;
    // As with kubectl's own commands, flags are offered once a dash is typed.
    if unfinished.is_empty() {
        candidates.retain(|candidate| !candidate.get_value().as_encoded_bytes().starts_with(b"-"));
    }
    let mut lines = String::new();
    for candidate in &candidates {
        lines.push_str(&candidate.get_value().to_string_lossy());
        if let Some(help) = candidate.get_help() {
            lines.push('\t');
            lines.push_str(help.to_string().lines().next().unwrap_or_default());
        }
        lines.push('\n');
    }
    let folders = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().ends_with(b"/");
    let unfinished = !candidates.is_empty() && candidates.iter().all(folders);
    let directive = if unfinished { NO_FILES | NO_SPACE } else { NO_FILES };
    lines.push_str(&format!(":{directive}\n"));
    Ok(lines)
}

/// Adds to each argument, here and in all subcommands, where its values come from.
fn attach(command: Command, ask: &Ask) -> Command {
    let command = command.mut_args(|argument| match (wanted(&argument), place(&argument)) {
        (Some(wanted), _) => {
            let ask = Arc::clone(ask);
            argument.add(ArgValueCandidates::new(move || ask(wanted).into_iter().map(candidate).collect()))
        }
        (None, Some(hint)) => argument.value_hint(hint),
        (None, None) => argument,
    });
    command.mut_subcommands(|command| attach(command, ask))
}

fn value_name(argument: &Arg) -> Option<&str> {
    argument.get_value_names()?.first().map(|name| name.as_str())
}

fn wanted(argument: &Arg) -> Option<Wanted> {
    match (argument.get_id().as_str(), value_name(argument)) {
        ("context", _) => Some(Wanted::Contexts),
        ("cluster", _) => Some(Wanted::Clusters),
        ("user", _) => Some(Wanted::Users),
        ("namespace", _) => Some(Wanted::Namespaces),
        ("profile", _) => Some(Wanted::Profiles),
        ("app", _) => Some(Wanted::Applications),
        ("claims", _) => Some(Wanted::Claims),
        (_, Some("REVISION")) => Some(Wanted::Revisions),
        (_, Some("WORKLOAD" | "TARGET")) => Some(Wanted::Workloads),
        _ => None,
    }
}

fn place(argument: &Arg) -> Option<ValueHint> {
    match value_name(argument) {
        Some("FILE") => Some(ValueHint::AnyPath),
        Some("FOLDER") => Some(ValueHint::DirPath),
        _ => None,
    }
}

fn candidate(candidate: Candidate) -> CompletionCandidate {
    CompletionCandidate::new(candidate.value).help(candidate.help.map(Into::into))
}

/// Asks with the flags that the line has so far, so that `--context other -n ` lists the other cluster's namespaces.
fn asker(words: &[OsString], environment: &Environment) -> Ask {
    let finished = words.split_last().map(|(_, finished)| finished).unwrap_or_default();
    let line = std::iter::once(OsString::from("kubectl-evolve")).chain(finished.iter().cloned());
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(line).ok();
    let global = matches.and_then(|matches| GlobalArguments::from_arg_matches(&matches).ok()).unwrap_or_default();
    let request = CompleteRequest {
        config: ConfigRequest {
            file: global.config.as_ref().map(|file| file.display().to_string()),
            profile: global.profile.clone(),
        },
        application: global.app.clone(),
    };
    let environment = environment.clone();
    Arc::new(move |wanted| {
        let connect = global.connect_options(cache_folder(&environment));
        let ctx = Arc::new(Ctx::new(Arc::new(Silent), environment.clone(), connect));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
            return Vec::new();
        };
        let found = runtime.block_on(values::run(ctx, wanted, request.clone()));
        // What still runs is too late.
        runtime.shutdown_background();
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_completed_by_its_name_or_that_of_its_value() {
        let argument = |id: &'static str, value: &'static str| Arg::new(id).value_name(value);
        let deep =
            Command::new("show").arg(argument("number", "REVISION")).arg(argument("namespace", "NAME").short('n'));
        let command = Command::new("evolve")
            .disable_help_subcommand(true)
            .subcommand(Command::new("history").subcommand(deep))
            .subcommand(Command::new("restart").arg(argument("what", "WORKLOAD").num_args(0..)));
        let ask: Ask = Arc::new(|wanted| vec![Candidate { value: format!("{wanted:?}"), help: Some("help".into()) }]);
        let answer = |words: &[&str]| {
            let words = words.iter().map(OsString::from).collect();
            kubectl(attach(command.clone(), &ask), words, Path::new("")).unwrap()
        };
        assert_eq!(answer(&["history", "show", ""]), "Revisions\thelp\n:4\n");
        assert_eq!(answer(&["history", "show", "-n", ""]), "Namespaces\thelp\n:4\n");
        assert_eq!(answer(&["restart", "a", "W"]), "Workloads\thelp\n:4\n");
        assert_eq!(answer(&["restart", "a", "X"]), ":4\n");
        assert_eq!(answer(&[]), "history\nrestart\n:4\n");
    }

    #[test]
    fn who_asks_is_told_by_the_name_the_first_word_or_the_variable() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let mut environment = Environment::default();
        let kubectl = |rest: &[&str]| Some(Question::Kubectl(words(rest)));
        assert_eq!(asked(words(&["/bin/kubectl_complete-evolve", "de"]), &environment), kubectl(&["de"]));
        assert_eq!(asked(words(&["kubectl-evolve", "__complete", "de", ""]), &environment), kubectl(&["de", ""]));
        assert_eq!(asked(words(&["kubectl-evolve", "version"]), &environment), None);
        environment.variables.insert(VARIABLE.into(), "bash".into());
        assert!(matches!(asked(words(&["kubectl-evolve", "--", "x"]), &environment), Some(Question::Shell(_))));
    }
}
