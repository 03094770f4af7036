//! Why the credentials of a kubeconfig cannot be had. What a plugin wrote to stdout, its arguments and its environment
//! may hold secrets, so none of them is said; what it wrote to stderr is meant for the user.

use kube::{client::AuthError, config::ExecConfig};

use super::connect::chain;
use crate::error::Error;

/// How many of the last lines of a plugin's stderr are quoted.
const QUOTED_LINES: usize = 5;

/// The error for what `kube` says about credentials, or None when it speaks about something else.
pub(super) fn refused(error: &(dyn std::error::Error + 'static), plugin: Option<&ExecConfig>) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(cause) = error.downcast_ref::<AuthError>() {
            return Some(explain(cause, plugin));
        }
        next = error.source();
    }
    None
}

fn explain(cause: &AuthError, plugin: Option<&ExecConfig>) -> Error {
    let command = plugin.and_then(|plugin| plugin.command.as_deref());
    let name = command.map_or_else(|| "the credential plugin".into(), |name| format!("the credential plugin {name}"));
    let error = match cause {
        AuthError::AuthExecStart(cause) => Error::unreachable(format!("{name} cannot be started: {cause}")),
        AuthError::AuthExecRun { out, .. } => {
            let said = last_lines(&String::from_utf8_lossy(&out.stderr));
            let said = if said.is_empty() { "it said nothing on stderr".into() } else { said };
            Error::unreachable(format!("{name} failed ({}): {said}", out.status))
        }
        AuthError::AuthExecParse(_) => {
            Error::unreachable(format!("{name} did not print an ExecCredential to its stdout"))
        }
        AuthError::ExecPluginFailed => Error::unreachable(format!("{name} printed an ExecCredential without a status")),
        other => Error::unreachable(format!("the cluster's credentials cannot be had: {}", chain(other))),
    };
    let hint = plugin.and_then(|plugin| plugin.install_hint.as_deref()).map(str::trim).filter(|hint| !hint.is_empty());
    let error = match hint {
        Some(hint) if matches!(cause, AuthError::AuthExecStart(_)) => error.hint(hint),
        _ => error,
    };
    error.hint("`kubectl config view --minify` shows the user of the current context")
}

/// The last lines of a text in one.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(QUOTED_LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_last_words_fit_on_a_line() {
        assert_eq!(last_lines("a\n\n  b \nc\nd\ne\nf\n"), "b; c; d; e; f");
        assert_eq!(last_lines("\n"), "");
    }
}
