//! Logs: through cuts, restarts and refusals, from a server that misbehaves, and of real and simulated pods.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use kubectl_evolve::{
    cluster::ConnectOptions,
    context::{Ctx, Environment},
    event::Recorder,
    model::{LogSource, LogsReport, LogsRequest},
    ops::logs::{Lines, LogSink, run},
};
use tokio_util::sync::CancellationToken;

use super::support::{Evolve, FakePod, LogServer, TestCluster, kubeconfig, wait_until};

/// Keeps what it is given, and ends the reading when it has as many lines as are awaited.
struct Kept {
    text: Arc<Mutex<String>>,
    gaps: Arc<Mutex<Vec<String>>>,
    awaited: usize,
    enough: CancellationToken,
}

impl LogSink for Kept {
    fn put(&mut self, source: &LogSource, lines: Lines<'_>) {
        let mut text = self.text.lock().unwrap();
        let piece = std::str::from_utf8(lines.bytes).unwrap();
        match lines.begins {
            true => text.extend(piece.split_inclusive('\n').flat_map(|line| [&source.pod, "|", line])),
            false => text.push_str(piece),
        }
        if text.matches('\n').count() >= self.awaited {
            self.enough.cancel();
        }
    }

    fn gap(&mut self, source: &LogSource, why: &str) {
        self.gaps.lock().unwrap().push(format!("{source}: {why}"));
    }

    fn is_full(&self) -> bool {
        false
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Read {
    lines: Vec<String>,
    gaps: Vec<String>,
    report: LogsReport,
}

/// Reads what a request means, until there are as many lines as are awaited or all logs have ended.
async fn read(server: &LogServer, request: LogsRequest, awaited: usize) -> Read {
    let connect = ConnectOptions {
        inline: Some(kubeconfig(&server.url, "{token: t}")),
        namespace: Some("x".into()),
        ..ConnectOptions::default()
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ctx = Ctx::new(Arc::new(Recorder::default()), Environment::default(), connect);
    let (text, gaps) = (Arc::default(), Arc::default());
    let sink = Kept { text: Arc::clone(&text), gaps: Arc::clone(&gaps), awaited, enough: ctx.cancel.clone() };
    let request = LogsRequest { selector: Some("app=app".into()), ..request };
    let reading = tokio::time::timeout(Duration::from_secs(60), run(&ctx, &request, sink));
    let Ok(ended) = reading.await else {
        panic!("{} lines of {awaited} came: {}", text.lock().unwrap().matches('\n').count(), text.lock().unwrap())
    };
    let (report, _) = ended.unwrap();
    let lines = text.lock().unwrap().lines().map(str::to_owned).collect();
    let gaps = gaps.lock().unwrap().clone();
    Read { lines, gaps, report }
}

/// Small numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A log of which many lines have the same time, and many are equal.
fn log(chance: &mut Chance, lines: usize) -> Vec<String> {
    let mut now: i64 = 1_800_000_000_000_000_000;
    let mut line = |_| {
        now += [0, 0, 0, 1, 400_000_000, 1_300_000_000][chance.below(6)];
        let time = jiff::Timestamp::from_nanosecond(now.into()).unwrap();
        format!("{time:.9} {}\n", ["same", "same", "other", "x".repeat(300).as_str(), "end"][chance.below(5)])
    };
    (0..lines).map(&mut line).collect()
}

fn shown(pod: &str, log: &[String], stamped: bool) -> Vec<String> {
    let line = |line: &String| if stamped { line.clone() } else { line.split_once(' ').unwrap().1.to_owned() };
    log.iter().map(|one| format!("{pod}|{}", line(one).trim_end_matches('\n'))).collect()
}

#[tokio::test]
async fn a_follow_that_is_cut_anywhere_loses_and_repeats_nothing() {
    for seed in 0..12 {
        let mut chance = Chance(seed);
        let log = log(&mut chance, 150);
        let size: usize = log.iter().map(String::len).sum();
        let cuts = (0..5).map(|_| chance.below(size)).collect();
        let pod = FakePod {
            instances: vec![log.clone()],
            cuts,
            clean_cuts: seed % 3 == 0,
            stays: true,
            ..FakePod::default()
        };
        let server = LogServer::start(vec![("a".into(), pod)]).await;
        let read = read(&server, LogsRequest { follow: true, ..LogsRequest::default() }, log.len()).await;
        assert_eq!(read.lines, shown("a", &log, true), "seed {seed}");
        assert!(read.gaps.is_empty(), "{:?}", read.gaps);
    }
}

#[tokio::test]
async fn a_log_that_breaks_off_is_read_to_its_end() {
    for seed in 0..12 {
        let mut chance = Chance(seed);
        let (a, b) = (log(&mut chance, 120), log(&mut chance, 90));
        let mut pod = |log: &[String]| {
            let size: usize = log.iter().map(String::len).sum();
            let cuts = (0..3).map(|_| chance.below(size)).collect();
            FakePod { instances: vec![log.to_vec()], cuts, ..FakePod::default() }
        };
        let pods = vec![("a".into(), pod(&a)), ("b".into(), pod(&b))];
        let server = LogServer::start(pods).await;
        let (sort, timestamps) = (seed % 2 == 0, seed % 3 == 0);
        let request = LogsRequest { sort, timestamps, ..LogsRequest::default() };
        let read = read(&server, request, usize::MAX).await;
        let of = |pod: &str| read.lines.iter().filter(|line| line.starts_with(pod)).cloned().collect::<Vec<_>>();
        let stamped = sort || timestamps;
        assert_eq!((of("a|"), of("b|")), (shown("a", &a, stamped), shown("b", &b, stamped)), "seed {seed}");
        if sort {
            let times: Vec<&str> = read.lines.iter().map(|line| &line[2..32]).collect();
            assert!(times.is_sorted(), "seed {seed}");
        }
    }
}

#[tokio::test]
async fn a_rotation_during_a_cut_is_marked() {
    let mut chance = Chance(3);
    let log = log(&mut chance, 60);
    let half: usize = log[..20].iter().map(String::len).sum();
    let pod =
        FakePod { instances: vec![log.clone()], cuts: vec![half], rotated: 40, stays: true, ..FakePod::default() };
    let server = LogServer::start(vec![("a".into(), pod)]).await;
    let read = read(&server, LogsRequest { follow: true, ..LogsRequest::default() }, 40).await;
    assert_eq!(read.lines, [shown("a", &log[..20], true), shown("a", &log[40..], true)].concat());
    assert!(read.gaps.len() == 1 && read.gaps[0].contains("may be missing"), "{:?}", read.gaps);
}

#[tokio::test]
async fn many_pods_are_followed_at_once_and_new_ones_too() {
    let mut chance = Chance(5);
    let logs: Vec<Vec<String>> = (0..300).map(|_| log(&mut chance, 20)).collect();
    let pod = |log: &Vec<String>| FakePod {
        instances: vec![log.clone()],
        cuts: vec![700],
        stays: true,
        ..FakePod::default()
    };
    let name = |number: usize| format!("pod-{number:03}");
    let pods = logs.iter().enumerate().skip(1).map(|(number, log)| (name(number), pod(log))).collect();
    let server = LogServer::start(pods).await;
    let adding = async {
        wait_until("the first log to be asked for", Duration::from_secs(30), async || {
            (server.asked(0) > 0).then_some(())
        })
        .await;
        server.add(&name(0), pod(&logs[0]));
    };
    let reading = read(&server, LogsRequest { follow: true, tail: Some(20), ..LogsRequest::default() }, 300 * 20);
    let (read, ()) = tokio::join!(reading, adding);
    for (number, log) in logs.iter().enumerate() {
        let pod = name(number);
        let of: Vec<&String> = read.lines.iter().filter(|line| line.starts_with(&format!("{pod}|"))).collect();
        assert_eq!(of, shown(&pod, log, true).iter().collect::<Vec<_>>(), "{pod}");
    }
}

#[tokio::test]
async fn a_log_that_may_not_be_read_is_named_and_the_rest_goes_on() {
    let mut chance = Chance(9);
    let log = log(&mut chance, 5);
    let fine = FakePod { instances: vec![log.clone()], ..FakePod::default() };
    let closed = FakePod { refusal: Some(403), ..fine.clone() };
    let server = LogServer::start(vec![("a".into(), closed), ("b".into(), fine)]).await;
    let read = read(&server, LogsRequest::default(), usize::MAX).await;
    assert_eq!(read.lines, shown("b", &log, false));
    assert_eq!((read.report.streams, read.report.failed.len()), (2, 1));
    assert!(read.report.failed[0].contains("main in pod/a"), "{:?}", read.report.failed);
}

#[tokio::test]
async fn a_line_of_ten_megabytes_passes() {
    let long = format!("2026-11-21T10:00:00.000000000Z {}\n", "long".repeat(2_500_000));
    let after = "2026-11-21T10:00:01.000000000Z after\n".to_owned();
    for (follow, sort) in [(false, false), (false, true), (true, false)] {
        let log = vec![long.clone(), after.clone()];
        let pod = FakePod { instances: vec![log.clone()], cuts: vec![6_000_001], stays: true, ..FakePod::default() };
        let other = FakePod { instances: vec![vec![after.clone()]], stays: true, ..FakePod::default() };
        let server = LogServer::start(vec![("a".into(), pod), ("b".into(), other)]).await;
        let read = read(&server, LogsRequest { follow, sort, ..LogsRequest::default() }, 3).await;
        let of: Vec<&String> = read.lines.iter().filter(|line| line.starts_with("a|")).collect();
        assert_eq!(of.len(), 2, "{follow} {sort}");
        assert!(
            of[0].ends_with(&"long".repeat(2_500_000)) && of[0].len() < 10_000_050,
            "{follow} {sort}: {}",
            of[0].len()
        );
    }
}

#[tokio::test]
async fn the_output_is_bytes_as_they_are_and_its_reader_may_leave() {
    let lines = ["2026-11-21T10:00:00Z one \u{1b}[2J\n", "2026-11-21T10:00:01Z two\n"].map(str::to_owned);
    let pod = FakePod { instances: vec![lines.to_vec()], ..FakePod::default() };
    let server = LogServer::start(vec![("a".into(), pod)]).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(kubeconfig(&server.url, "{token: t}").as_bytes()).unwrap();
    let evolve = Evolve::new(file.path());
    let logs = ["logs", "-n", "x", "-l", "app=app"];
    let run = async |flags: &[&str]| evolve.run(&[&logs, flags].concat()).await.succeeded().stdout.clone();
    assert_eq!(run(&["--prefix"]).await, "a main one \u{1b}[2J\na main two\n");
    assert_eq!(run(&[]).await, "one \u{1b}[2J\ntwo\n");
    assert_eq!(run(&["-o", "raw"]).await, "one \u{1b}[2J\ntwo\n");
    assert_eq!(run(&["--no-prefix", "--include", "w", "--highlight", "w"]).await, "two\n");
    assert_eq!(run(&["--until", "2026-11-21T10:00:00Z", "--timestamps"]).await, "2026-11-21T10:00:00Z one \u{1b}[2J\n");
    let jsonl = run(&["-o", "jsonl", "--exclude", "one"]).await;
    assert_eq!(
        jsonl,
        "{\"time\":\"2026-11-21T10:00:01.000000000Z\",\"namespace\":\"x\",\"pod\":\"a\",\"container\":\"main\",\"message\":\"two\"}\n"
    );
    assert_eq!(run(&["-o", "template={pod}: {message}", "--include", "two"]).await, "a: two\n");
    evolve.run(&[&logs[..], &["-o", "xml"]].concat()).await.failed(2, &["-o xml"]).with_hint();
    evolve.run(&[&logs[..], &["-c", "nope"]].concat()).await.failed(2, &["no container is named nope"]).with_hint();
    evolve.run(&[&logs[..], &["-p"]].concat()).await.failed(1, &["one instance only"]);
}

const TALKER: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: talker}
spec:
  selector: {matchLabels: {app: talker}}
  template:
    metadata:
      labels: {app: talker}
      annotations: {main.sandbox.evolve/logs: '[{text: one}, {text: ERROR two}]'}
    spec:
      terminationGracePeriodSeconds: 0
      initContainers: [{name: first, image: 'busybox:1.36', command: [sh, -c, 'echo before']}]
      containers: [{name: main, image: 'busybox:1.36', command: [sh, -c, 'echo one; echo ERROR two; sleep 1000000']}]
";

#[tokio::test]
async fn the_logs_of_a_workload_are_read_analysed_and_exported() {
    let cluster = TestCluster::any().await;
    let namespace = cluster.namespace("logs").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("talker.yaml", TALKER);
    evolve.run(&["deploy", "-f", "talker.yaml", "-n", &namespace.name, "--app", "talk"]).await.succeeded();
    let run = async |flags: &[&str]| evolve.run(&[&["logs", "-n", &namespace.name], flags].concat()).await;
    for target in
        [&["talker"][..], &["deployment/talker"], &["-l", "app=talker"], &["--app", "talk"], &["/^talk/"], &[]]
    {
        let ended = run(&[target, &["--sort"]].concat()).await;
        let mut lines: Vec<&str> =
            ended.succeeded().stdout.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest)).collect();
        // The sandbox does not put the lines of init containers first.
        lines.sort_unstable();
        assert_eq!(lines, ["first before", "main ERROR two", "main one"], "{target:?} {ended}");
    }
    assert_eq!(
        run(&["talker", "-c", "main", "--no-prefix", "--level", "error"]).await.succeeded().stdout,
        "ERROR two\n"
    );
    let analysis = run(&["talker", "--analyze"]).await;
    assert!(analysis.succeeded().stdout.starts_with("1 entries of level error or above"), "{analysis}");
    let export = run(&["talker", "--export", "out"]).await;
    assert!(export.succeeded().stdout.starts_with("2 logs, 3 lines"), "{export}");
    let index = std::fs::read_to_string(evolve.folder().join("out/index.json")).unwrap();
    assert!(index.contains("\"kind\": \"LogExport\""), "{index}");
    run(&["talker", "--export", "out"]).await.failed(2, &["holds an export already"]);
    run(&["tolker"]).await.failed(2, &["tolker", "talker"]).with_hint();
}

#[tokio::test]
async fn the_documented_permissions_are_enough() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("logs-rbac").await;
    let (_, rest) = include_str!("../../docs/logs.md").split_once("```yaml\n").unwrap();
    let (role, _) = rest.split_once("```").unwrap();
    let user = format!("reader-{}", namespace.name);
    let binding = format!(
        "{TALKER}---\n{role}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: log-reader}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: log-reader}}\n\
         subjects: [{{kind: User, name: {user}, apiGroup: rbac.authorization.k8s.io}}]\n"
    );
    let evolve = Evolve::new(&cluster.kubeconfig);
    evolve.file("app.yaml", &binding);
    evolve.run(&["deploy", "-f", "app.yaml", "-n", &namespace.name, "--app", "talk"]).await.succeeded();
    for target in [&["deployment/talker"][..], &["talker", "--timeline"], &["-l", "app=talker", "--analyze"]] {
        let ended = evolve.run(&[&["logs", "-n", &namespace.name, "--as", &user], target].concat()).await;
        assert!(ended.succeeded().stdout.contains("ERROR two"), "{ended}");
        assert!(!ended.stderr.contains("forbidden"), "{ended}");
    }
    let ended = evolve.run(&["logs", "-n", &namespace.name, "--as", "nobody", "-l", "app=talker"]).await;
    ended.failed(1, &["pods is forbidden"]).with_hint();
}

#[tokio::test]
async fn a_follow_stays_with_a_workload_through_a_crash_and_a_rollout() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("logs-follow").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let crashing = TALKER.replace("echo ERROR two; sleep 1000000", "sleep 3; echo last words; exit 1");
    evolve.file("talker.yaml", &crashing);
    let deploy = ["deploy", "-f", "talker.yaml", "-n", &namespace.name, "--app", "talk", "--wait=false"];
    evolve.run(&deploy).await.succeeded();
    let connect = ConnectOptions { kubeconfig: Some(cluster.kubeconfig.clone()), ..ConnectOptions::default() };
    let ctx = Ctx::new(Arc::new(Recorder::default()), Environment::default(), connect);
    let (text, gaps): (Arc<Mutex<String>>, _) = (Arc::default(), Arc::default());
    let sink = Kept { text: Arc::clone(&text), gaps, awaited: usize::MAX, enough: ctx.cancel.clone() };
    let mut request = LogsRequest { words: vec!["talker".into()], follow: true, ..LogsRequest::default() };
    request.target.namespace = Some(namespace.name.clone());
    request.containers = vec!["main".into()];
    let count = |words: &str| text.lock().unwrap().matches(words).count();
    let watching = async {
        let minute = Duration::from_secs(60);
        wait_until("two instances", minute, async || (count("last words") >= 2).then_some(())).await;
        evolve.file("talker.yaml", &TALKER.replace("ERROR two", "of another revision"));
        evolve.run(&deploy).await.succeeded();
        wait_until("the new pod", minute, async || (count("of another revision") == 1).then_some(())).await;
        ctx.cancel.cancel();
    };
    let (ended, ()) = tokio::join!(run(&ctx, &request, sink), watching);
    assert!(ended.unwrap().0.interrupted);
    // Each instance says both lines once, in this order.
    let said = text.lock().unwrap().clone();
    let first: Vec<&str> = said.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    let both = first.windows(2).filter(|pair| **pair == ["one", "words"]).count();
    assert_eq!(both, first.iter().filter(|word| **word == "words").count(), "{said}");
}

#[tokio::test]
async fn a_follow_of_a_job_ends_with_it_and_marks_no_gap() {
    let Some(cluster) = TestCluster::real().await else { return };
    let namespace = cluster.namespace("logs-job").await;
    let evolve = Evolve::new(&cluster.kubeconfig);
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: count}\nspec:\n  template:\n    spec:\n      \
               restartPolicy: Never\n      containers:\n      - {name: main, image: 'busybox:1.36', command: [sh, -c, \
               'echo one; sleep 2; echo two']}\n";
    evolve.file("job.yaml", job);
    let deploy = ["deploy", "-f", "job.yaml", "-n", &namespace.name, "--app", "count", "--wait=false"];
    evolve.run(&deploy).await.succeeded();
    let ended = evolve.run(&["logs", "-n", &namespace.name, "job/count", "-f", "--no-prefix"]).await;
    assert_eq!(ended.succeeded().stdout, "one\ntwo\n");
}
