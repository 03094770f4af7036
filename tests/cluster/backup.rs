//! Backups of real volumes and of a real PostgreSQL, brought back; and what it says of itself.

use std::{path::PathBuf, time::Duration};

use serde_json::Value;

use super::support::{Ended, Evolve, Namespace, TestCluster, wait_until};

const PASSWORD: &str = "hunter2-secret";
const DATABASE: &str = "apiVersion: v1
kind: Secret
metadata: {name: database}
stringData: {password: hunter2-secret}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
spec:
  serviceName: database
  replicas: 1
  selector: {matchLabels: {app: database}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 256Mi}}}
  template:
    metadata: {labels: {app: database}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: postgresql
        image: postgres:16
        ports: [{name: postgresql, containerPort: 5432}]
        env:
        - {name: POSTGRES_DB, value: todo}
        - {name: POSTGRES_USER, value: todo}
        - name: POSTGRES_PASSWORD
          valueFrom: {secretKeyRef: {name: database, key: password}}
        - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
        readinessProbe:
          exec: {command: [pg_isready, --quiet, --host=127.0.0.1]}
          periodSeconds: 1
        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
";
const FILES: &str = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: 'busybox:1.36'
    command: [sh, -c, 'mkdir -p /data/log; dd if=/dev/urandom of=/data/log/big bs=1M count=2; echo kept > /data/note; sleep 1000000']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: files}}]
";

struct Place {
    namespace: Namespace,
    evolve: Evolve,
}

impl Place {
    async fn open(cluster: &TestCluster, manifests: &str) -> Self {
        let namespace = cluster.namespace("backup").await;
        let evolve = Evolve::new(&cluster.kubeconfig);
        evolve.file("app.yaml", manifests);
        evolve.run(&["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "shop"]).await.succeeded();
        Self { namespace, evolve }
    }

    async fn run(&self, words: &[&str]) -> Ended {
        let ended = self.evolve.run(&[words, &["-n", &self.namespace.name]].concat()).await;
        ended.never_says(PASSWORD);
        ended
    }

    async fn in_pod(&self, pod: &str, script: &str) -> String {
        let words = ["exec", pod, "-n", &self.namespace.name, "--", "sh", "-c", script];
        self.evolve.run(&words).await.succeeded().stdout.trim().to_owned()
    }

    async fn sql(&self, sql: &str) -> String {
        self.in_pod("pod/database-0", &format!("psql -U todo -d todo -qAt -c \"{sql}\"")).await
    }

    /// The permissions in the page are enough to ask the database, and nobody else may.
    async fn may_read_the_database(&self, cluster: &TestCluster) {
        let (_, rest) = include_str!("../../docs/db.md").split_once("```yaml\n").unwrap();
        let role = rest.split("```").next().unwrap();
        let user = format!("database-{}", self.namespace.name);
        let other = Evolve::new(&cluster.kubeconfig);
        other.file(
            "role.yaml",
            &format!(
                "{role}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: reader}}\n\
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: database-reader}}\n\
                 subjects: [{{kind: User, name: {user}, apiGroup: rbac.authorization.k8s.io}}]\n"
            ),
        );
        other.run(&["deploy", "-f", "role.yaml", "-n", &self.namespace.name, "--app", "rbac"]).await.succeeded();
        self.run(&["db", "--as", &user]).await.succeeded();
        self.run(&["db", "--as", "nobody"]).await.failed(1, &["forbidden"]).with_hint();
    }

    /// The one file of a backup.
    fn file(&self, ending: &str) -> PathBuf {
        let folder = self.evolve.folder().join("backups");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap()
    }
}

#[tokio::test]
async fn a_postgresql_is_dumped_proven_and_restored_and_says_how_it_does() {
    let Some(cluster) = TestCluster::real().await else { return };
    let place = Place::open(&cluster, DATABASE).await;
    place.sql("create table todos as select n, repeat('x', 100) as text from generate_series(1, 5000) n").await;
    place.sql("create table alembic_version as select 'ab12' as version_num").await;

    let ended = place.run(&["db", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&ended.succeeded().stdout).unwrap();
    assert_eq!((&report["database"], &report["migrations"]["newest"]), (&"todo".into(), &"ab12".into()), "{report:#}");
    assert_eq!(report["tables"][0]["name"], "public.todos", "{report:#}");
    assert!(place.run(&["db", "database"]).await.succeeded().stdout.contains("by Alembic, newest ab12"));
    place.run(&["db", "shell"]).await.succeeded();
    place.may_read_the_database(&cluster).await;
    place.run(&["db", "absent"]).await.failed(2, &["no running pod of absent"]).with_hint();

    let ended = place.run(&["storage", "backup", "statefulset/database", "--to", "backups/", "--verify"]).await;
    assert!(ended.succeeded().stdout.contains("scratch database: 2 tables, 5001 rows"), "{ended}");
    let file = place.file(".sql.gz");
    let file = file.to_str().unwrap();
    place.run(&["storage", "restore", file]).await.failed(2, &["has 2 tables already"]).with_hint();
    place.sql("delete from todos where n > 10").await;
    let ended = place.run(&["storage", "restore", file, "--overwrite", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&ended.succeeded().stdout).unwrap();
    assert_eq!(place.sql("select count(*) from todos").await, "5000");
    let kept = report["kept"].as_str().unwrap();
    let before =
        place.in_pod("pod/database-0", &format!("psql -U todo -d {kept} -qAt -c 'select count(*) from todos'")).await;
    assert_eq!(before, "10");
    assert_eq!(place.sql("select count(*) from pg_database where datname like 'evolve_%'").await, "0");
}

#[tokio::test]
async fn the_files_of_a_volume_are_saved_proven_and_brought_back() {
    let Some(cluster) = TestCluster::real().await else { return };
    let place = Place::open(&cluster, FILES).await;
    wait_until("the files", Duration::from_secs(30), || async {
        (place.in_pod("pod/writer", "cat /data/note || true").await == "kept").then_some(())
    })
    .await;
    let ended = place.run(&["storage", "du", "files"]).await;
    assert!(ended.succeeded().stdout.contains("/data/log"), "{ended}");
    let ended = place.run(&["storage", "backup", "files", "--to", "backups/", "--verify"]).await;
    assert!(ended.succeeded().stdout.contains("restored into a scratch volume: 2 files"), "{ended}");
    let file = place.file(".tar.gz");
    let path = file.to_str().unwrap();
    place.run(&["storage", "backup", "files", "--to", path]).await.failed(2, &["exists already"]);
    place.run(&["storage", "restore", path]).await.failed(2, &["files and folders already"]).with_hint();
    let sum = place.in_pod("pod/writer", "sha256sum /data/log/big").await;
    place.in_pod("pod/writer", "rm -rf /data/log /data/note").await;
    let ended = place.run(&["storage", "restore", path]).await;
    assert!(ended.succeeded().stdout.contains("2 files were restored into claim/files"), "{ended}");
    assert_eq!(place.in_pod("pod/writer", "sha256sum /data/log/big").await, sum);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(place.run(&["storage", "restore", path, "--overwrite"]).await.code, Some(1));
    place.run(&["storage", "backup", "nothing", "--to", "x"]).await.failed(2, &["is meant by nothing"]).with_hint();
}
