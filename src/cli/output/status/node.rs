//! From the parts of a report to the nodes of the tree.

use jiff::Timestamp;

use super::{
    paint::{Line, Node},
    tree::Detail,
};
use crate::{
    model::{
        Amount, AutoscalerStatus, BudgetStatus, ClaimStatus, ContainerStatus, EndStatus, OtherStatus, PodCounts,
        PodStatus, ServiceStatus, SetStatus, Status, Usage, Verdict, WorkloadStatus,
    },
    rules::{
        status::span,
        usage::{bytes_in_words, cores_in_words},
    },
};

/// How many pods of one revision are shown one by one.
const PODS: usize = 3;
/// How many of them when they are not well.
const UNWELL: usize = 5;
/// How much of a digest is shown.
const DIGEST: usize = "sha256:".len() + 12;

/// What is drawn, and when it was seen.
pub(super) struct Sketch {
    pub detail: Detail,
    pub now: Timestamp,
}

impl Sketch {
    pub fn workload(&self, status: &WorkloadStatus) -> Node {
        let mut node = Node {
            verdict: Some(status.verdict),
            name: status.object.to_string(),
            cells: vec![self.state(status)],
            ..Node::default()
        };
        node.cells.extend(self.usage(&status.usage));
        let next = status.next_run.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
        node.cells.extend(next.map(|next| format!("runs in {}", span(next.as_second() - self.now.as_second()))));
        node.cells.push(self.age(&status.created));
        node.cells.retain(|cell| !cell.is_empty());
        if status.verdict != Verdict::Healthy {
            node.details.push(Line::Reason(status.message.clone()));
        } else if let Some(health) =
            status.health.as_ref().filter(|health| !health.reason.is_empty() && !runs_once(status))
        {
            node.details.push(Line::Fact(health.message.clone()));
        }
        node.details.extend(status.event.as_ref().map(|event| {
            let times = if event.count > 1 { format!(", {} times", event.count) } else { String::new() };
            Line::Fact(format!("event {} ago{times}: {}: {}", self.since(&event.time), event.reason, event.message))
        }));
        node.details.extend(status.more.iter().cloned().map(Line::Command));
        if self.detail == Detail::Lines && status.verdict == Verdict::Healthy {
            return node;
        }
        let flat = matches!(status.object.kind.as_str(), "Pod" | "Job");
        for set in &status.sets {
            match flat && set.object.is_none() {
                true if status.object.kind == "Pod" => self.of_lone_pod(&mut node, set),
                true => node.children.extend(self.pods(set)),
                false => node.children.push(self.set(status, set)),
            }
        }
        node.children.iter_mut().for_each(|child| drop_repeated(child, &status.message));
        node.children.extend(status.services.iter().map(service));
        node.children.extend(status.claims.iter().map(claim));
        node.children.extend(status.autoscaler.as_ref().map(autoscaler));
        node.children.extend(status.budget.as_ref().map(budget));
        node
    }

    /// How many pods are ready; of what runs once, how far it is.
    fn state(&self, status: &WorkloadStatus) -> String {
        match &status.health {
            // A CronJob has no state of its own; when it runs next says more.
            Some(_) if status.next_run.is_some() && status.verdict == Verdict::Healthy => String::new(),
            Some(health) if runs_once(status) && status.verdict == Verdict::Healthy => health.message.clone(),
            Some(_) if runs_once(status) => status.verdict.word().to_owned(),
            _ => counts(status.pods),
        }
    }

    /// A pod that is its own workload has no line of its own below.
    fn of_lone_pod(&self, node: &mut Node, set: &SetStatus) {
        let Some(pod) = set.pods.first() else { return };
        let drawn = self.pod(pod);
        node.cells = drawn.cells;
        if pod.verdict == Verdict::Healthy && !pod.message.is_empty() {
            node.details.push(Line::Fact(pod.message.clone()));
        }
        node.details.extend(images(set, self.detail).map(Line::Fact));
        node.children.extend(drawn.children);
    }

    fn set(&self, status: &WorkloadStatus, set: &SetStatus) -> Node {
        let health = set.health.as_ref();
        let worst = match health.map(|health| health.status) {
            Some(Status::Failed) => Verdict::Failed,
            _ => set.pods.iter().filter(|pod| !pod.over).map(|pod| pod.verdict).max().unwrap_or_default(),
        };
        let name = match &set.object {
            Some(object) if object.kind == "Job" => object.to_string(),
            Some(object) if set.revision.is_empty() => object.to_string(),
            Some(object) => format!("revision {} ({})", set.revision, object.name),
            None if set.revision.is_empty() => "pods".into(),
            None => format!("revision {}", set.revision),
        };
        let mut node = Node { verdict: Some(worst), name, ..Node::default() };
        node.cells.push(match health {
            Some(health) => health.message.clone(),
            None => counts(set.counts),
        });
        if !set.newest && health.is_none() && status.sets.len() > 1 {
            node.cells.push("old".into());
        }
        node.cells.extend(Some(self.age(&set.created)).filter(|age| !age.is_empty()));
        // Of a Job that is done nobody asks for its pods.
        if health.is_none() || worst != Verdict::Healthy || self.detail == Detail::Wide {
            node.details.extend(images(set, self.detail).map(Line::Fact));
            node.children = self.pods(set);
        }
        node
    }

    /// The pods one by one, or counted where they are many and well.
    fn pods(&self, set: &SetStatus) -> Vec<Node> {
        let all = self.detail == Detail::Wide;
        let (needy, well): (Vec<&PodStatus>, Vec<&PodStatus>) =
            set.pods.iter().partition(|pod| pod.verdict != Verdict::Healthy || !pod.message.is_empty());
        let (shown, folded) =
            if all { (needy.len(), 0) } else { (needy.len().min(UNWELL), needy.len().saturating_sub(UNWELL)) };
        let mut nodes: Vec<Node> = needy.iter().take(shown).map(|pod| self.pod(pod)).collect();
        if folded > 0 {
            nodes.push(folded_pods(&needy[shown..]));
        }
        match well.len() {
            number if number <= PODS || all => nodes.extend(well.iter().map(|pod| self.pod(pod))),
            _ => nodes.push(folded_pods(&well)),
        }
        nodes
    }

    fn pod(&self, pod: &PodStatus) -> Node {
        let mut cells = vec![pod.state.clone()];
        if pod.restarts > 0 {
            cells.push(self.restarts(pod.restarts, pod.last_end.as_ref()));
        }
        cells.extend(self.usage(&pod.usage));
        cells.extend(Some(self.age(&pod.created)).filter(|age| !age.is_empty()));
        if self.detail == Detail::Wide && !pod.node.is_empty() {
            cells.push(format!("on {}", pod.node));
        }
        let mut node = Node { verdict: Some(pod.verdict), name: pod.name.clone(), cells, ..Node::default() };
        if !pod.message.is_empty() {
            node.details.push(match pod.verdict {
                Verdict::Healthy => Line::Fact(pod.message.clone()),
                _ => Line::Reason(pod.message.clone()),
            });
        }
        let several = pod.containers.len() > 1;
        if self.detail == Detail::Wide || several {
            node.children =
                pod.containers.iter().filter(|one| self.shows(pod, one)).map(|one| self.container(one)).collect();
        }
        node
    }

    /// An init container that did its work is of no interest to most.
    fn shows(&self, pod: &PodStatus, container: &ContainerStatus) -> bool {
        use crate::model::ContainerRole::Init;
        self.detail == Detail::Wide
            || (pod.verdict != Verdict::Healthy && !(container.role == Init && container.state == "ended"))
            || (container.role != Init && pod.containers.iter().filter(|one| one.role != Init).count() > 1)
    }

    fn container(&self, container: &ContainerStatus) -> Node {
        use crate::model::ContainerRole::{Init, Main, Sidecar};
        let role = match container.role {
            Main => "container",
            Init => "init container",
            Sidecar => "sidecar",
        };
        let mut cells = vec![container.state.clone()];
        if container.restarts > 0 || container.last_end.as_ref().is_some_and(|end| end.exit_code != 0) {
            cells.push(self.restarts(container.restarts, container.last_end.as_ref()));
        }
        cells.extend(self.usage(&container.usage));
        if self.detail == Detail::Wide {
            cells.push(image(container));
        }
        Node { name: format!("{role} {}", container.name), cells, ..Node::default() }
    }

    /// `3 restarts, the last 5m ago (exit code 137: killed (SIGKILL))`
    fn restarts(&self, restarts: i64, end: Option<&EndStatus>) -> String {
        let times = match restarts {
            0 => "ended".to_owned(),
            1 => "1 restart".to_owned(),
            number => format!("{number} restarts"),
        };
        match end {
            None => times,
            Some(end) => {
                let last = if restarts > 1 { ", the last" } else { "" };
                let words = end.words.split(": ").take(2).collect::<Vec<_>>().join(": ");
                format!("{times}{last} {} ago ({words})", self.since(&end.time))
            }
        }
    }

    fn age(&self, created: &str) -> String {
        if created.is_empty() { String::new() } else { self.since(created) }
    }

    fn since(&self, time: &str) -> String {
        let seconds = time.parse::<Timestamp>().map(|time| self.now.as_second() - time.as_second());
        seconds.map_or_else(|_| "?".into(), span)
    }

    /// What is used, against the limit, or the request where there is none.
    fn usage(&self, usage: &Usage) -> Vec<String> {
        let wide = self.detail == Detail::Wide;
        let amounts =
            [("cpu", usage.cpu, cores_in_words as fn(i64) -> String), ("memory", usage.memory, bytes_in_words)];
        amounts.into_iter().filter_map(|(name, amount, words)| amount_in_words(name, amount, words, wide)).collect()
    }
}

fn runs_once(status: &WorkloadStatus) -> bool {
    matches!(status.object.kind.as_str(), "Job" | "CronJob")
}

fn amount_in_words(name: &str, amount: Amount, words: fn(i64) -> String, wide: bool) -> Option<String> {
    if wide {
        let parts = [("", amount.used), ("requests ", amount.requested), ("limit ", amount.limit)];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(what, value)| Some(format!("{what}{}", words(value?)))).collect();
        return (!parts.is_empty()).then(|| format!("{name} {}", parts.join(", ")));
    }
    let used = words(amount.used?);
    Some(match (amount.limit, amount.requested) {
        (Some(limit), _) => format!("{name} {used}/{}", words(limit)),
        (None, Some(requested)) => format!("{name} {used} (requests {})", words(requested)),
        (None, None) => format!("{name} {used}"),
    })
}

/// `2/3 ready`
fn counts(counts: PodCounts) -> String {
    match counts.wanted.max(counts.total) {
        0 => "0 pods".into(),
        all => format!("{}/{all} ready", counts.ready),
    }
}

/// A reason that the workload has told already is not told again below it.
fn drop_repeated(node: &mut Node, told: &str) {
    node.details.retain(|line| !matches!(line, Line::Reason(text) if told.contains(text.as_str())));
    node.children.iter_mut().for_each(|child| drop_repeated(child, told));
}

/// Pods that are counted, by what they are.
fn folded_pods(pods: &[&PodStatus]) -> Node {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for pod in pods {
        match states.iter_mut().find(|(state, _)| *state == pod.state) {
            Some((_, number)) => *number += 1,
            None => states.push((&pod.state, 1)),
        }
    }
    let words: Vec<String> = states.iter().map(|(state, number)| format!("{number} {state}")).collect();
    let verdict = pods.iter().map(|pod| pod.verdict).max().unwrap_or_default();
    let more = if verdict == Verdict::Healthy { "" } else { "more " };
    let name = match states.as_slice() {
        [("Ready", number)] => format!("{number} pods ready"),
        _ => format!("{} {more}pods: {}", pods.len(), words.join(", ")),
    };
    Node { verdict: Some(verdict), name, ..Node::default() }
}

/// The images of a revision, each once.
fn images(set: &SetStatus, detail: Detail) -> Option<String> {
    if detail == Detail::Wide {
        return None;
    }
    let mut images: Vec<String> = Vec::new();
    // Pods of one revision have the same images; a digest is known once a container was created.
    let pod = set.pods.iter().find(|pod| pod.ready).or_else(|| set.pods.first())?;
    for container in &pod.containers {
        let image = image(container);
        if !images.contains(&image) {
            images.push(image);
        }
    }
    let noun = if images.len() == 1 { "image" } else { "images" };
    Some(format!("{noun} {}", images.join(", ")))
}

fn image(container: &ContainerStatus) -> String {
    let (name, pinned) =
        container.image.split_once('@').map_or((container.image.as_str(), None), |(n, d)| (n, Some(d)));
    match container.digest.as_deref().or(pinned) {
        Some(digest) => format!("{name} ({})", digest.get(..DIGEST).unwrap_or(digest)),
        None => name.to_owned(),
    }
}

fn service(service: &ServiceStatus) -> Node {
    let mut cells = vec![service.kind.clone()];
    cells.extend(service.endpoints.map(|counts| format!("{}/{} endpoints", counts.ready, counts.total)));
    cells.push(service.ports.join(", "));
    cells.extend(service.urls.iter().cloned());
    cells.retain(|cell| !cell.is_empty());
    let mut details = reason(service.verdict, &service.message);
    details.extend(service.forward.iter().filter(|_| service.verdict == Verdict::Healthy).cloned().map(Line::Command));
    Node { verdict: Some(service.verdict), name: service.object.to_string(), cells, details, ..Node::default() }
}

fn claim(claim: &ClaimStatus) -> Node {
    let cells = [&claim.phase, &claim.capacity, &claim.class].into_iter().filter(|cell| !cell.is_empty());
    Node {
        verdict: Some(claim.verdict),
        name: format!("claim/{}", claim.object.name),
        cells: cells.cloned().collect(),
        details: reason(claim.verdict, &claim.message),
        ..Node::default()
    }
}

fn autoscaler(autoscaler: &AutoscalerStatus) -> Node {
    let AutoscalerStatus { minimum, maximum, current, desired, .. } = autoscaler;
    let mut cells = vec![format!("{minimum}..{maximum} replicas, {current} now")];
    cells.extend((current != desired && *desired > 0).then(|| format!("wants {desired}")));
    cells.extend(autoscaler.metrics.iter().cloned());
    Node {
        verdict: Some(autoscaler.verdict),
        name: format!("autoscaler/{}", autoscaler.object.name),
        cells,
        details: reason(autoscaler.verdict, &autoscaler.message),
        ..Node::default()
    }
}

fn budget(budget: &BudgetStatus) -> Node {
    let may = format!("{} may be disrupted ({} healthy, {} needed)", budget.allowed, budget.healthy, budget.needed);
    let verdict = if budget.healthy < budget.needed { Verdict::Progressing } else { Verdict::Healthy };
    Node { verdict: Some(verdict), name: format!("budget/{}", budget.object.name), cells: vec![may], ..Node::default() }
}

pub(super) fn other(other: &OtherStatus) -> Node {
    let mut node = match (&other.service, &other.claim) {
        (Some(found), _) => service(found),
        (_, Some(found)) => claim(found),
        _ => Node {
            verdict: Some(other.verdict),
            name: other.object.to_string(),
            cells: vec![other.message.clone()],
            ..Node::default()
        },
    };
    node.details.extend(other.more.iter().cloned().map(Line::Command));
    node
}

fn reason(verdict: Verdict, message: &str) -> Vec<Line> {
    match message {
        "" => Vec::new(),
        message if verdict == Verdict::Healthy => vec![Line::Fact(message.to_owned())],
        message => vec![Line::Reason(message.to_owned())],
    }
}
