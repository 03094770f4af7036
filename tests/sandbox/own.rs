use std::fs;

use kubectl_evolve::sandbox::pods::Scenario;

use crate::support::{Cluster, text};

const EVOLVE: &str = env!("CARGO_BIN_EXE_kubectl-evolve");

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_application_comes_up_fails_and_is_rolled_back() {
    let cluster = Cluster::start(Scenario::todo()).await;
    let app = cluster.folder.path().join("app");
    fs::create_dir_all(app.join("manifests")).unwrap();
    fs::copy("evolve.yaml", app.join("evolve.yaml")).unwrap();
    for file in fs::read_dir("manifests").unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), app.join("manifests").join(file.file_name())).unwrap();
    }
    let config = format!("--config {}", app.join("evolve.yaml").display());
    let deploy = |more: &str| {
        let output =
            cluster.run(EVOLVE, &format!("deploy {config} --timeout 100s --grace 1s --restart-budget 0 {more}"));
        (output.status.success(), text(&output))
    };
    let (well, told) = deploy("");
    assert!(well, "{told}");
    let backend = app.join("manifests/backend.yaml");
    let manifest = fs::read_to_string(&backend).unwrap();
    for (before, after, cause) in [
        ("todo-backend:1", "todo-backend:2", "not found"),
        (
            "valueFrom:\n                secretKeyRef:\n                  name: database\n                  key: password",
            "value: wrong",
            "password authentication failed",
        ),
    ] {
        assert!(manifest.contains(before), "{before}");
        fs::write(&backend, manifest.replace(before, after)).unwrap();
        let (well, told) = deploy("--on-failure rollback");
        assert!(!well && told.contains(cause) && told.contains("was rolled back to revision"), "{told}");
    }
    cluster.sandbox.stop().await.unwrap();
}
