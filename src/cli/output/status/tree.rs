//! The whole tree, below its verdict.

use std::io::{self, Write};

use jiff::Timestamp;

use super::{
    node::{Sketch, other},
    paint::{Node, mark, paint},
};
use crate::{
    cli::output::{Style, draw_plan},
    model::{Action, StatusReport, Verdict, WorkloadStatus},
};

/// With more workloads, those that are well have one line each.
const MANY: usize = 12;
/// With more of those, they are counted.
const LINES: usize = 40;

/// How much is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything but what is well and many.
    Tree,
    /// A line for each workload that is well.
    Lines,
    /// Everything.
    Wide,
}

/// Draws the verdict, then the tree.
pub fn draw_status(out: &mut dyn Write, style: &Style, report: &StatusReport, wide: bool) -> io::Result<()> {
    let detail = match report.workloads.len() {
        _ if wide => Detail::Wide,
        number if number > MANY => Detail::Lines,
        _ => Detail::Tree,
    };
    let sketch = Sketch { detail, now: report.time.parse().unwrap_or(Timestamp::UNIX_EPOCH) };
    draw_verdict(out, style, report)?;
    let mut nodes: Vec<Node> = match namespaces(report).as_slice() {
        [] | [_] => nodes(report, &sketch, None),
        several => several.iter().map(|name| below(report, &sketch, name)).collect(),
    };
    nodes.sort_by_key(|node| !node.verdict.is_some_and(Verdict::is_bad));
    if !nodes.is_empty() {
        writeln!(out)?;
        paint(out, style, &nodes)?;
    }
    if let Some(difference) = &report.difference {
        let same = difference.plan.changes.iter().all(|change| change.action == Action::Keep);
        match same {
            true => writeln!(out, "\nnothing differs from revision {}", difference.revision)?,
            false => {
                writeln!(out, "\n{}", style.strong(format!("going back to revision {} would:", difference.revision)))?;
                draw_plan(out, style, &difference.plan)?;
            }
        }
    }
    let note = |note: &String| Node { name: format!("{} {note}", style.faint("note:")), ..Node::default() };
    paint(out, style, &report.notes.iter().map(note).collect::<Vec<_>>())
}

/// `✗ shop in namespace dev fails: deployment.apps/api: …`
fn draw_verdict(out: &mut dyn Write, style: &Style, report: &StatusReport) -> io::Result<()> {
    let place = match report.namespaces.as_slice() {
        [] => "the cluster".to_owned(),
        [one] => format!("namespace {one}"),
        several => format!("namespaces {}", several.join(", ")),
    };
    let subject = match &report.application {
        Some(application) => format!("{application} in {place}"),
        None => place,
    };
    let is = match report.verdict {
        Verdict::Healthy => style.good("is healthy"),
        Verdict::Progressing => style.changed("is on its way"),
        Verdict::Degraded => style.bad("is degraded"),
        Verdict::Failed => style.bad("fails"),
    };
    let line = Node {
        name: format!("{} {} {is}: {}", mark(style, report.verdict), style.strong(subject), report.summary),
        ..Node::default()
    };
    paint(out, style, &[line])
}

fn namespaces(report: &StatusReport) -> Vec<String> {
    let of_workloads = report.workloads.iter().filter_map(|status| status.object.namespace.clone());
    let of_others = report.others.iter().filter_map(|status| status.object.namespace.clone());
    let mut names: Vec<String> = of_workloads.chain(of_others).collect();
    names.sort();
    names.dedup();
    names
}

fn below(report: &StatusReport, sketch: &Sketch, namespace: &str) -> Node {
    let children = nodes(report, sketch, Some(namespace));
    let verdict = children.iter().filter_map(|node| node.verdict).max().unwrap_or_default();
    Node { verdict: Some(verdict), name: format!("namespace {namespace}"), children, ..Node::default() }
}

/// The nodes of one namespace, or of all.
fn nodes(report: &StatusReport, sketch: &Sketch, namespace: Option<&str>) -> Vec<Node> {
    let here = |name: &Option<String>| namespace.is_none() || name.as_deref() == namespace;
    let workloads: Vec<&WorkloadStatus> =
        report.workloads.iter().filter(|status| here(&status.object.namespace)).collect();
    let well = workloads.iter().filter(|status| status.verdict == Verdict::Healthy);
    let folds = sketch.detail == Detail::Lines && well.clone().count() > LINES;
    let shown = workloads.iter().filter(|status| !folds || status.verdict != Verdict::Healthy);
    let mut nodes: Vec<Node> = shown.map(|status| sketch.workload(status)).collect();
    // What needs a person comes first: a screen may not show the rest.
    nodes.sort_by_key(|node| !node.verdict.is_some_and(Verdict::is_bad));
    if folds {
        let ready: usize = well.clone().map(|status| status.pods.ready).sum();
        let name = format!("{} workloads healthy, {ready} pods ready", well.count());
        nodes.push(Node { verdict: Some(Verdict::Healthy), name, ..Node::default() });
    }
    let others: Vec<_> = report.others.iter().filter(|status| here(&status.object.namespace)).collect();
    let is_told = |status: &&&crate::model::OtherStatus| {
        sketch.detail == Detail::Wide
            || status.verdict != Verdict::Healthy
            || (sketch.detail == Detail::Tree && (status.service.is_some() || status.claim.is_some()))
    };
    nodes.extend(others.iter().filter(is_told).map(|status| other(status)));
    let untold = others.len() - others.iter().filter(is_told).count();
    if untold > 0 {
        let name = format!("{untold} other {} in place", if untold == 1 { "object is" } else { "objects are" });
        nodes.push(Node { verdict: Some(Verdict::Healthy), name, ..Node::default() });
    }
    nodes
}
