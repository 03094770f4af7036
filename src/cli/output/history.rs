//! The history: a line for each revision, or one revision in full.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::Value;

use super::{Style, counts, draw_evidence, draw_plan, table};
use crate::model::{Counts, HistoryReport, Origin, Outcome, RevisionReport, RevisionSummary};

/// So many letters of a commit name it.
const COMMIT: usize = 8;

/// Draws a table of the revisions, with more columns when `wide`.
pub fn draw_history(out: &mut dyn Write, style: &Style, report: &HistoryReport, wide: bool) -> io::Result<()> {
    let mut header = vec!["REVISION", "OUTCOME", "STARTED", "TOOK", "CAUSE", "CHANGES"];
    if wide {
        header.extend(["BY", "COMMIT", "PROFILE", "SOURCES"]);
    }
    let row = |revision: &RevisionSummary| {
        let mut row = vec![
            revision.number.to_string(),
            outcome(style, revision.outcome),
            moment(&revision.started),
            took(revision),
            revision.cause.clone(),
            changes(&revision.counts),
        ];
        if wide {
            row.push(revision.by.clone());
            row.push(commit(&revision.origin).unwrap_or_default());
            row.push(revision.origin.profile.clone().unwrap_or_default());
            row.push(revision.origin.sources.join(", "));
        }
        row
    };
    table(out, style, &header, report.revisions.iter().map(row).collect())
}

/// Draws a revision: where it came from, what it changed, why it failed, and its manifests when they were asked for.
pub fn draw_revision(out: &mut dyn Write, style: &Style, report: &RevisionReport) -> io::Result<()> {
    let revision = &report.revision;
    let summary = &revision.summary;
    let mut line = |name: &str, value: String| match value.as_str() {
        "" => Ok(()),
        value => writeln!(out, "{:<12}{value}", format!("{name}:")),
    };
    line("revision", format!("{} of {} in namespace {}", summary.number, revision.application, revision.namespace))?;
    line("outcome", outcome(style, summary.outcome))?;
    line("started", format!("{} by {}", moment(&summary.started), summary.by))?;
    line("took", took(summary))?;
    line("cause", summary.cause.clone())?;
    line("sources", summary.origin.sources.join(", "))?;
    line("profile", summary.origin.profile.clone().unwrap_or_default())?;
    line("commit", commit_line(&summary.origin))?;
    for image in &revision.images {
        let digest = image.digest.as_ref().map(|digest| format!(" ({digest})")).unwrap_or_default();
        line("image", format!("{}{digest}", image.image))?;
    }
    line("plan", counts(&revision.plan))?;
    if revision.plan.changes_something() {
        writeln!(out)?;
        draw_plan(out, style, &revision.plan)?;
    }
    for evidence in &revision.evidence {
        writeln!(out)?;
        draw_evidence(out, style, evidence)?;
    }
    report.manifests.iter().flatten().try_for_each(|manifest| draw_manifest(out, manifest))
}

/// Written so that kubectl reads the same values back.
fn draw_manifest(out: &mut dyn Write, manifest: &Value) -> io::Result<()> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(manifest, options).map_err(io::Error::other)?;
    writeln!(out, "---\n{}", text.trim_end())
}

/// The word for an outcome, in its colour.
pub(super) fn outcome(style: &Style, outcome: Outcome) -> String {
    match outcome {
        Outcome::Deployed => style.good(outcome.word()),
        Outcome::Pending | Outcome::Interrupted => style.changed(outcome.word()),
        Outcome::Failed | Outcome::RolledBack => style.bad(outcome.word()),
    }
}

/// To the second, as a time in UTC.
pub(super) fn moment(time: &str) -> String {
    let parsed: Option<Timestamp> = time.parse().ok();
    let to_second = parsed.and_then(|time| Timestamp::from_second(time.as_second()).ok());
    to_second.map_or_else(|| time.to_owned(), |time| time.to_string())
}

fn took(revision: &RevisionSummary) -> String {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let ended = revision.ended.as_deref().and_then(time);
    match (time(&revision.started), ended) {
        (Some(started), Some(ended)) => {
            let seconds = ended.duration_since(started).as_secs();
            if seconds < 60 { format!("{seconds}s") } else { format!("{}m{:02}s", seconds / 60, seconds % 60) }
        }
        _ => String::new(),
    }
}

fn changes(counts: &Counts) -> String {
    let words = [
        (counts.created, "created"),
        (counts.changed, "changed"),
        (counts.replaced, "replaced"),
        (counts.deleted, "deleted"),
    ];
    let parts: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { "none".into() } else { parts.join(", ") }
}

fn commit(origin: &Origin) -> Option<String> {
    let commit: String = origin.git_commit.as_ref()?.chars().take(COMMIT).collect();
    Some(if origin.git_dirty { format!("{commit} (changed)") } else { commit })
}

fn commit_line(origin: &Origin) -> String {
    let branch = origin.git_branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let changed = if origin.git_dirty { ", with changes that were not committed" } else { "" };
    origin.git_commit.as_ref().map(|commit| format!("{commit}{branch}{changed}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Plan, Revision};

    fn revision(number: u64, outcome: Outcome) -> RevisionSummary {
        RevisionSummary {
            number,
            outcome,
            started: "2026-11-21T10:57:39.123456Z".into(),
            ended: Some("2026-11-21T10:59:00Z".into()),
            by: "ann@laptop".into(),
            cause: "deploy".into(),
            origin: Origin {
                sources: vec!["manifests".into()],
                git_commit: Some("0123456789abcdef".into()),
                git_branch: Some("main".into()),
                git_dirty: true,
                ..Origin::default()
            },
            counts: Counts { created: 2, changed: 1, ..Counts::default() },
            ..RevisionSummary::default()
        }
    }

    fn drawn(draw: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        draw(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_history_is_a_table() {
        let mut running = revision(2, Outcome::Pending);
        running.ended = None;
        running.counts = Counts::default();
        let report = HistoryReport {
            application: "shop".into(),
            namespace: "default".into(),
            revisions: vec![revision(1, Outcome::Deployed), running],
        };
        let expected = "\
REVISION   OUTCOME    STARTED                TOOK    CAUSE    CHANGES
1          deployed   2026-11-21T10:57:39Z   1m20s   deploy   2 created, 1 changed
2          pending    2026-11-21T10:57:39Z           deploy   none
";
        assert_eq!(drawn(|out| draw_history(out, &Style::default(), &report, false)), expected);
        let wide = drawn(|out| draw_history(out, &Style::default(), &report, true));
        assert!(wide.contains("ann@laptop   01234567 (changed)"), "{wide}");
    }

    #[test]
    fn a_revision_is_shown_with_its_manifests_as_kubectl_reads_them() {
        let revision = Revision {
            application: "shop".into(),
            namespace: "default".into(),
            summary: revision(3, Outcome::Failed),
            plan: Plan::default(),
            evidence: vec![Evidence { summary: "it is broken".into(), ..Evidence::default() }],
            ..Revision::default()
        };
        let manifests = Some(vec![serde_json::json!({"kind": "ConfigMap", "data": {"answer": "yes"}})]);
        let text = drawn(|out| draw_revision(out, &Style::default(), &RevisionReport { revision, manifests }));
        assert!(text.starts_with("revision:   3 of shop in namespace default\noutcome:    failed\n"), "{text}");
        assert!(text.contains("commit:     0123456789abcdef on main, with changes that were not committed"), "{text}");
        assert!(text.contains("it is broken"), "{text}");
        assert!(text.ends_with("---\nkind: ConfigMap\ndata:\n  answer: \"yes\"\n"), "{text}");
    }
}
