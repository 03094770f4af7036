//! The completion scripts in `completions/` are those that the binary prints. `SNAPSHOTS=overwrite` writes them anew.

use snapbox::{Data, cmd::Command};

fn evolve() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kubectl-evolve")).env("KUBECONFIG", "none")
}

fn same(shell: &str, file: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
    evolve().args(["completion", shell]).assert().success().stdout_eq(Data::read_from(&path, None).raw());
}

#[test]
fn the_scripts_are_those_of_the_binary() {
    same("bash", "kubectl-evolve.bash");
    same("zsh", "_kubectl-evolve");
    same("fish", "kubectl-evolve.fish");
    same("powershell", "_kubectl-evolve.ps1");
    same("elvish", "kubectl-evolve.elv");
}

#[test]
fn kubectl_gets_values_with_their_help_and_a_directive() {
    let ask = |words: &[&str], answer: &'static str| {
        evolve().arg("__complete").args(words).assert().success().stderr_eq("").stdout_eq(answer);
    };
    ask(
        &["config", "show", "--n"],
        "--namespace\tThe namespace; otherwise that of evolve.yaml, then that of the context\n:4\n",
    );
    ask(&["config", "show", "-o", ""], "table\tFor people\njson\nyaml\n:4\n");
    ask(&["config", "sch"], "schema\tPrint the JSON Schema of evolve.yaml, for editors\n:4\n");
    ask(&["--config", "docs/config.in/man"], "docs/config.in/manifests/\n:6\n");
    ask(&["--config", "docs/config.in/evolve.yaml", "--profile", ""], "production\n:4\n");
    ask(&["--kubeconfig", "none", "--context", ""], ":4\n");
}

/// A shell without a person: what Tab would offer is printed.
#[cfg(unix)]
#[test]
fn bash_completes_with_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("kubectl-evolve");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-evolve"), binary).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let script = r#"
        source completions/kubectl-evolve.bash
        COMP_WORDS=(kubectl-evolve config sh) COMP_CWORD=2
        _clap_complete_kubectl_evolve kubectl-evolve sh config
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    Command::new("bash").args(["-c", script]).env("PATH", path).assert().success().stderr_eq("").stdout_eq("show\n");
}
