//! Exit codes and signals in words.

/// How a container ended, in words: `exit code 137: killed (SIGKILL)`.
///
/// `reason` is the kubelet's; `limit` is the container's memory limit, named when the container exceeded it.
pub fn exit_in_words(code: i64, reason: &str, limit: Option<&str>) -> String {
    if reason == "OOMKilled" {
        return match limit {
            Some(limit) => format!("out of memory: killed (SIGKILL, exit code {code}) above its limit of {limit}"),
            None => format!("out of memory: killed (SIGKILL, exit code {code})"),
        };
    }
    let meaning = match code {
        0 => return "exit code 0: it ended, though it should keep running".into(),
        126 => "the command cannot be run (no permission, or no program)",
        127 => "command not found",
        128 if matches!(reason, "StartError" | "ContainerCannotRun") => "it could not be started",
        129 => "hangup (SIGHUP)",
        130 => "interrupted (SIGINT)",
        132 => "illegal instruction (SIGILL)",
        134 => "aborted (SIGABRT)",
        135 => "bus error (SIGBUS)",
        136 => "arithmetic error (SIGFPE)",
        137 => "killed (SIGKILL)",
        139 => "segmentation fault (SIGSEGV)",
        141 => "broken pipe (SIGPIPE)",
        143 => "asked to end (SIGTERM)",
        1 | 2 => "the application reported an error",
        _ if (129..=192).contains(&code) => return format!("exit code {code}: signal {}", code - 128),
        _ => return format!("exit code {code}"),
    };
    format!("exit code {code}: {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_signals_read_as_words() {
        assert_eq!(exit_in_words(137, "Error", None), "exit code 137: killed (SIGKILL)");
        assert_eq!(
            exit_in_words(137, "OOMKilled", Some("16Mi")),
            "out of memory: killed (SIGKILL, exit code 137) above its limit of 16Mi"
        );
        assert_eq!(exit_in_words(127, "Error", None), "exit code 127: command not found");
        assert_eq!(exit_in_words(128, "StartError", None), "exit code 128: it could not be started");
        assert_eq!(exit_in_words(128, "Error", None), "exit code 128");
        assert_eq!(exit_in_words(152, "Error", None), "exit code 152: signal 24");
        assert_eq!(exit_in_words(7, "Error", None), "exit code 7");
        assert_eq!(exit_in_words(-1, "", None), "exit code -1");
    }
}
