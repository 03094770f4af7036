//! What a delete did, or would do.

use std::io::{self, Write};

use super::Style;
use crate::model::{DeleteReport, RemovalOutcome, RemovedObject};

/// Draws a line for each object that did not simply go (for each object, before anything is done), and the end.
pub fn draw_delete(out: &mut dyn Write, style: &Style, report: &DeleteReport) -> io::Result<()> {
    for removed in &report.objects {
        if report.dry_run || removed.outcome != RemovalOutcome::Deleted {
            draw_removed(out, style, removed, report.dry_run)?;
        }
    }
    if !report.records.is_empty() {
        let revisions = report.records.len();
        writeln!(out, "{} the history ({revisions} revisions); --purge deletes it", style.faint("kept"))?;
    }
    let name = format!("{} in namespace {}", report.application, report.namespace);
    let counts = counts(report);
    let seconds = style.faint(format!("({:.1} s, {} requests)", report.seconds, report.requests));
    match (report.dry_run, report.is_complete()) {
        (true, _) => writeln!(out, "{name}: {counts}"),
        (false, true) => writeln!(out, "{} {seconds}", style.good(format!("{name} is deleted: {counts}"))),
        (false, false) => writeln!(out, "{} {seconds}", style.bad(format!("{name} is not deleted yet: {counts}"))),
    }
}

fn draw_removed(out: &mut dyn Write, style: &Style, removed: &RemovedObject, dry_run: bool) -> io::Result<()> {
    let word = match removed.outcome {
        RemovalOutcome::Deleted if dry_run => style.bad("delete"),
        RemovalOutcome::Deleted => style.bad("deleted"),
        RemovalOutcome::Detached => style.faint("let go"),
        RemovalOutcome::Kept => style.faint("kept"),
        RemovalOutcome::Lingering => style.changed("going"),
        RemovalOutcome::Waiting => style.changed("waiting"),
        RemovalOutcome::Failed => style.bad("failed"),
    };
    let reason = removed.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    writeln!(out, "{word} {}{reason}", removed.object)
}

fn counts(report: &DeleteReport) -> String {
    let deleted = if report.dry_run { "to delete" } else { "deleted" };
    let words = [
        (RemovalOutcome::Deleted, deleted),
        (RemovalOutcome::Detached, "let go"),
        (RemovalOutcome::Kept, "kept"),
        (RemovalOutcome::Lingering, "still going"),
        (RemovalOutcome::Waiting, "waiting for those"),
        (RemovalOutcome::Failed, "failed"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(outcome, words)| (report.count(outcome), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if parts.is_empty() { "there were no objects".into() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectRef;

    fn removed(kind: &str, outcome: RemovalOutcome, reason: &str) -> RemovedObject {
        let object = ObjectRef { kind: kind.into(), name: "x".into(), ..ObjectRef::default() };
        RemovedObject { object, outcome, reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()) }
    }

    fn drawn(report: &DeleteReport) -> String {
        let mut out = Vec::new();
        draw_delete(&mut out, &Style::default(), report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_stays_is_told_with_its_reason() {
        let mut report = DeleteReport {
            application: "shop".into(),
            namespace: "default".into(),
            objects: vec![
                removed("ConfigMap", RemovalOutcome::Deleted, ""),
                removed("PersistentVolumeClaim", RemovalOutcome::Kept, "its data would be lost"),
            ],
            records: vec![ObjectRef::default()],
            requests: 7,
            ..DeleteReport::default()
        };
        let kept = "kept persistentvolumeclaim/x: its data would be lost\n";
        let history = "kept the history (1 revisions); --purge deletes it\n";
        let end = "shop in namespace default is deleted: 1 deleted, 1 kept (0.0 s, 7 requests)\n";
        assert_eq!(drawn(&report), format!("{kept}{history}{end}"));
        report.dry_run = true;
        let plan = "shop in namespace default: 1 to delete, 1 kept\n";
        assert_eq!(drawn(&report), format!("delete configmap/x\n{kept}{history}{plan}"));
        report.dry_run = false;
        report.objects.push(removed("Pod", RemovalOutcome::Lingering, "held by the finalizers a/b"));
        assert!(drawn(&report).contains("going pod/x: held by the finalizers a/b"));
        assert!(drawn(&report).contains("is not deleted yet: 1 deleted, 1 kept, 1 still going"));
    }
}
