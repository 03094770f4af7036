//! Sends sequences of requests to both servers, side by side, and gathers what differs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::stream::{self, StreamExt};
use kube::config::Kubeconfig;
use kubectl_evolve::sandbox::server::{Options, Sandbox};
use serde_json::{Value, json};

use super::{
    compare::{Difference, compare, walk},
    known, normal,
    request::{Request, Scenario},
    server::{Server, Session},
    watch,
};

/// Sequences that run side by side.
const SIDE_BY_SIDE: usize = 6;
/// The most differences that a report shows, and the most characters of each value.
const SHOWN: usize = 400;
const WIDTH: usize = 300;

/// The two servers.
pub struct Bench {
    real: Server,
    ours: Server,
    sandbox: Option<Sandbox>,
    /// Whether no controller writes statuses on the real server.
    with_status: bool,
}

/// What became of one request.
struct Outcome {
    request: Request,
    differences: Vec<Difference>,
    /// Whether the servers no longer have the same object.
    apart: bool,
}

/// What a run found.
#[derive(Default)]
pub struct Report {
    pub requests: usize,
    /// Of how many requests something differs as it is listed, and by what reason.
    pub known: usize,
    pub reasons: BTreeMap<String, usize>,
    /// The others: by kind of request and place, how many, and the first of them.
    pub differences: BTreeMap<String, (usize, String)>,
}

impl Bench {
    /// None, with a line that says so, unless `EVOLVE_TEST_FIDELITY` is 1. `EVOLVE_FIDELITY_OTHER` names the kubeconfig of
    /// another real server to stand in for the sandbox: between two real ones nothing may differ.
    pub async fn find() -> Option<Self> {
        if std::env::var("EVOLVE_TEST_FIDELITY").as_deref() != Ok("1") {
            println!(
                "skipped: this test needs an API server without controllers; set EVOLVE_TEST_FIDELITY=1 and KUBECONFIG"
            );
            return None;
        }
        let read = |variable: &str| std::env::var_os(variable).map(|path| Kubeconfig::read_from(path).unwrap());
        let real = Server::connect(read("KUBECONFIG").expect("EVOLVE_TEST_FIDELITY=1 needs KUBECONFIG")).await;
        let (ours, sandbox) = match read("EVOLVE_FIDELITY_OTHER") {
            Some(other) => (Server::connect(other).await, None),
            None => {
                let sandbox =
                    Sandbox::start(Options { bare: true, ..Options::default() }).await.expect("the sandbox starts");
                (Server::connect(Kubeconfig::from_yaml(sandbox.kubeconfig()).unwrap()).await, Some(sandbox))
            }
        };
        let account = Request::new("GET", "/api/v1/namespaces/default/serviceaccounts/default");
        let with_status = real.send(&account).await.status == 404;
        Some(Self { real, ours, sandbox, with_status })
    }

    pub async fn stop(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await.unwrap();
        }
    }

    /// Runs all sequences; each in a namespace of its own, or a few in one where they only touch their own objects.
    pub async fn run(&self, name: &str, scenarios: Vec<Scenario>, apart: bool) -> Report {
        let count = Arc::new(AtomicUsize::new(0));
        let shared = format!("fidelity-{name}-{}", std::process::id());
        if !apart {
            self.namespace(&shared).await;
        }
        let run = |(at, scenario): (usize, Scenario)| {
            let (count, shared) = (count.clone(), shared.clone());
            async move {
                let namespace = if apart { format!("{shared}-{at}") } else { shared };
                if apart {
                    self.namespace(&namespace).await;
                }
                let found = self.scenario(&scenario, &namespace, &count).await;
                if apart {
                    self.remove(&namespace).await;
                }
                (scenario, found)
            }
        };
        let mut report = Report::default();
        let mut running = stream::iter(scenarios.into_iter().enumerate()).map(run).buffered(SIDE_BY_SIDE);
        while let Some((scenario, found)) = running.next().await {
            report.add(&scenario.name, found);
        }
        if !apart {
            self.remove(&shared).await;
        }
        report.requests = count.load(Ordering::Relaxed);
        report
    }

    async fn scenario(&self, scenario: &Scenario, namespace: &str, count: &AtomicUsize) -> Vec<Outcome> {
        let mut real = Session::new(self.real.clone(), namespace);
        let mut ours = Session::new(self.ours.clone(), namespace);
        let mut since = (String::new(), String::new());
        if let Some(collection) = &scenario.watched {
            since = tokio::join!(
                watch::version(&self.real, &real, collection),
                watch::version(&self.ours, &ours, collection)
            );
        }
        let mut found = Vec::new();
        for request in &scenario.requests {
            let answers = tokio::join!(real.send(request), ours.send(request));
            count.fetch_add(1, Ordering::Relaxed);
            let theirs = normal::answer(&mut real, &answers.0, self.with_status);
            let mine = normal::answer(&mut ours, &answers.1, self.with_status);
            let differences = compare(&theirs, &mine);
            let wrote = request.method != "GET" && !differences.is_empty();
            let apart = wrote && self.are_apart(request, &mut real, &mut ours).await;
            found.push(Outcome { request: request.clone(), differences, apart });
        }
        if let Some(collection) = &scenario.watched {
            let (theirs, ours) = tokio::join!(
                watch::events(&self.real, &real, collection, &since.0, self.with_status),
                watch::events(&self.ours, &ours, collection, &since.1, self.with_status)
            );
            let mut differences = Vec::new();
            walk("/events", &Value::from(theirs), &Value::from(ours), &mut differences);
            let request = Request::new("WATCH", collection.clone());
            found.push(Outcome { request, differences, apart: false });
        }
        found
    }

    /// Whether the object of a write is another on each server now, which all that follows would only say again.
    async fn are_apart(&self, request: &Request, real: &mut Session, ours: &mut Session) -> bool {
        let Some(path) = request.object_path() else { return true };
        let get = Request::new("GET", path);
        let answers = tokio::join!(real.send(&get), ours.send(&get));
        let theirs = normal::answer(real, &answers.0, self.with_status);
        let ours = normal::answer(ours, &answers.1, self.with_status);
        let differences = compare(&theirs, &ours);
        let told = format!("GET {} json ", get.path);
        !differences.iter().all(|difference| known::reason(&told, difference).is_some())
    }

    /// A namespace on both, with an account that pods may use.
    async fn namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"}});
        for server in [&self.real, &self.ours] {
            let made = server.send(&Request::new("POST", "/api/v1/namespaces").body(&namespace)).await;
            assert_eq!(made.status, 201, "{:?}", made.body);
            let path = format!("/api/v1/namespaces/{name}/serviceaccounts");
            server.send(&Request::new("POST", path).body(&account)).await;
        }
    }

    async fn remove(&self, namespace: &str) {
        let request = Request::new("DELETE", format!("/api/v1/namespaces/{namespace}"));
        tokio::join!(self.real.send(&request), self.ours.send(&request));
    }
}

impl Report {
    /// Of each sequence only what comes before the servers' objects differ counts: what follows is its consequence.
    fn add(&mut self, scenario: &str, found: Vec<Outcome>) {
        for Outcome { request, differences, apart } in found {
            let content_type = request.content_type.trim_start_matches("application/").to_owned();
            let told = format!("{} {} {content_type} {}", request.method, request.path, request.body);
            let mut unknown = Vec::new();
            let mut reasons = BTreeSet::new();
            for difference in differences {
                match known::reason(&told, &difference) {
                    Some(reason) => _ = reasons.insert(reason),
                    None => unknown.push(difference),
                }
            }
            self.known += usize::from(!reasons.is_empty());
            reasons.into_iter().for_each(|reason| *self.reasons.entry(reason.into()).or_default() += 1);
            if !unknown.is_empty() {
                self.add_request(scenario, &request, &told, &unknown);
            }
            if apart {
                return;
            }
        }
    }

    fn add_request(&mut self, scenario: &str, request: &Request, told: &str, differences: &[Difference]) {
        let content_type = request.content_type.trim_start_matches("application/");
        for difference in differences {
            let (path, plain) = (request.path.split('?').next().unwrap_or_default(), masked(&difference.path));
            let resource: Vec<&str> = path.split('/').filter(|part| !part.starts_with(['f', '{'])).collect();
            let said = if difference.path == "/status" || difference.path.ends_with("/message") {
                masked(&cut(&difference.real, 60))
            } else {
                String::new()
            };
            let kind = format!("{} {} {content_type} {plain} {said}", request.method, resource.join("/"));
            let first = || {
                format!(
                    "{scenario}: {} {}\n    at {}\n    real {}\n    ours {}",
                    cut(&Value::String(told.into()), WIDTH),
                    request.accept.trim_start_matches("application/json"),
                    difference.path,
                    cut(&difference.real, WIDTH),
                    cut(&difference.ours, WIDTH)
                )
            };
            self.differences.entry(kind).and_modify(|(count, _)| *count += 1).or_insert_with(|| (1, first()));
        }
    }
}

/// Without numbers, so that the same difference in another place counts as one.
fn masked(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

fn cut(value: &Value, width: usize) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('\n', "\\n");
    match text.char_indices().nth(width) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.differences.values().map(|(count, _)| count).sum();
        writeln!(f, "{all} differences of {} kinds that docs/sandbox.md does not list:", self.differences.len())?;
        let mut kinds: Vec<_> = self.differences.values().collect();
        kinds.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        for (count, first) in kinds.iter().take(SHOWN) {
            writeln!(f, "{count} × {first}")?;
        }
        Ok(())
    }
}
