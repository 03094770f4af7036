use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use kubectl_evolve::sandbox::{Options, Sandbox, pods::Scenario};

/// A sandbox in fast time, with its kubeconfig in a folder of its own.
pub struct Cluster {
    pub sandbox: Sandbox,
    pub folder: tempfile::TempDir,
}

impl Cluster {
    pub async fn start(scenario: Scenario) -> Self {
        let sandbox = Sandbox::start(Options { fast: true, scenario, ..Options::default() }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), sandbox.kubeconfig()).unwrap();
        Self { sandbox, folder }
    }

    /// Runs a program against the sandbox.
    pub fn run(&self, program: impl AsRef<Path>, arguments: &str) -> Output {
        Command::new(program.as_ref())
            .args(arguments.split_whitespace())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap()
    }

    /// What kubectl writes; it has to end well.
    pub fn kubectl(&self, arguments: &str) -> String {
        let output = self.run("kubectl", arguments);
        let text = text(&output);
        assert!(output.status.success(), "kubectl {arguments}\n{text}");
        text
    }
}

/// Both streams.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether kubectl is here. Where the cluster tests run it has to be.
pub fn has_kubectl() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
    let required = std::env::var_os("EVOLVE_TEST_CLUSTER").is_some();
    assert!(found || !required, "EVOLVE_TEST_CLUSTER is set, and there is no kubectl");
    if !found {
        eprintln!("skipped: there is no kubectl in PATH");
    }
    found
}
