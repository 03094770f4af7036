//! Runs our binary away from the user's files, and keeps what it said.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::process::Command;

/// No command of these tests runs longer; one that does has hung.
const DEADLINE: Duration = Duration::from_secs(120);

/// A user's machine: a home, a working folder and a kubeconfig. Discovery and state are kept between its commands.
pub struct Evolve {
    home: TempDir,
    kubeconfig: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Evolve {
    pub fn new(kubeconfig: &Path) -> Self {
        let home = TempDir::new().unwrap();
        std::fs::create_dir(home.path().join("work")).unwrap();
        Self { home, kubeconfig: kubeconfig.into(), variables: Vec::new() }
    }

    /// A machine whose kubeconfig names a server where nothing listens.
    pub fn without_cluster() -> Self {
        let mut evolve = Self::new(Path::new(""));
        evolve.kubeconfig = evolve.file("nowhere.kubeconfig", &kubeconfig("http://127.0.0.1:1", "{}"));
        evolve
    }

    /// The same machine with another kubeconfig.
    pub fn with_kubeconfig(mut self, kubeconfig: &Path) -> Self {
        self.kubeconfig = kubeconfig.into();
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder that commands run in.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// Writes a file into the working folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_until(arguments, std::future::pending()).await.unwrap()
    }

    /// A command as a user would type it, with nothing to read and its output kept.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-evolve"));
        command.args(arguments).current_dir(self.folder()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).env("KUBECONFIG", &self.kubeconfig);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a command, and kills it with SIGKILL when `kill` comes first; then there is nothing to return.
    pub async fn run_until(&self, arguments: &[&str], kill: impl Future<Output = ()>) -> Option<Ended> {
        let child = self.command(arguments).spawn().unwrap();
        tokio::select! {
            output = child.wait_with_output() => Some(Ended::from(output.unwrap())),
            () = kill => None,
            () = tokio::time::sleep(DEADLINE) => panic!("{arguments:?} did not end within {DEADLINE:?}"),
        }
    }
}

/// A kubeconfig with one cluster, one user (as YAML in flow style) and one context.
pub fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: test, user: {user}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n"
    )
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ended {
    /// The command did what it was asked.
    #[track_caller]
    pub fn succeeded(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self}");
        self.orderly()
    }

    /// The command ended with this exit code and one error that says all of `words`.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        for word in words {
            assert!(self.stderr.contains(word), "stderr does not say {word:?}\n{self}");
        }
        let errors = self.stderr.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!(errors, 1, "one error is said once\n{self}");
        self.orderly()
    }

    /// It also said what to do next.
    #[track_caller]
    pub fn with_hint(&self) -> &Self {
        assert!(self.stderr.lines().any(|line| line.starts_with("hint:")), "there is no hint\n{self}");
        self
    }

    /// The operation was carried out, and its report, on stdout, is a negative verdict that says all of `words`.
    #[track_caller]
    pub fn reported(&self, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(1), "{self}");
        for word in words {
            assert!(self.stdout.contains(word), "stdout does not say {word:?}\n{self}");
        }
        self.orderly()
    }

    /// Neither stream says this.
    #[track_caller]
    pub fn never_says(&self, secret: &str) -> &Self {
        assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "the output says {secret:?}\n{self}");
        self
    }

    #[track_caller]
    fn orderly(&self) -> &Self {
        for sign in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(sign), "{self}");
        }
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
