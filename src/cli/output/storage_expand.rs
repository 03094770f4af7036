//! How claims grow.

use std::io::{self, Write};

use super::Style;
use crate::model::{ClaimGrowth, ExpandReport};

/// Draws what grew, or would, or what stands in the way.
pub fn draw_expand(out: &mut dyn Write, style: &Style, report: &ExpandReport) -> io::Result<()> {
    for claim in &report.claims {
        writeln!(out, "claim/{}: {}", claim.claim, growth(style, claim, report))?;
    }
    if report.replaces_template {
        let done = if is_planned(report) { "would be" } else { "was" };
        let name = style.strong(&report.object);
        writeln!(out, "{name} {done} replaced by one whose template asks for {}; its pods run on", report.size)?;
    }
    for refusal in &report.refusals {
        writeln!(out, "{} {refusal}", style.bad("in the way:"))?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", style.faint("note:"))?;
    }
    match report {
        _ if !report.refusals.is_empty() => writeln!(out, "{}", style.bad("nothing was changed")),
        _ if report.dry_run && report.complete => writeln!(out, "{} has {} already", report.object, report.size),
        _ if report.dry_run => writeln!(out, "nothing was changed (dry run)"),
        _ if report.complete => {
            writeln!(out, "{}", style.good(format!("{} has {}", report.object, report.size)))
        }
        _ => writeln!(out, "{}", style.bad(format!("{} does not have {} yet", report.object, report.size))),
    }
}

fn is_planned(report: &ExpandReport) -> bool {
    report.dry_run || !report.refusals.is_empty()
}

fn growth(style: &Style, claim: &ClaimGrowth, report: &ExpandReport) -> String {
    let capacity = claim.capacity.as_deref().unwrap_or("no capacity");
    match (&claim.waits_for, claim.changes) {
        (None, false) => format!("has {capacity}"),
        (None, true) => format!("{} → {}, has {capacity}", claim.from, report.size),
        (Some(_), true) if is_planned(report) => format!("{} → {}", claim.from, report.size),
        (Some(waits), _) => {
            format!("{} → {}, has {capacity}: {}", claim.from, report.size, style.changed(waits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(report: &ExpandReport) -> String {
        let mut out = Vec::new();
        draw_expand(&mut out, &Style::default(), report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plan_a_refusal_and_a_growth_are_told_apart() {
        let claim = ClaimGrowth {
            claim: "data-db-0".into(),
            from: "16Mi".into(),
            capacity: Some("16Mi".into()),
            changes: true,
            waits_for: Some("its class has not begun".into()),
        };
        let mut report = ExpandReport {
            object: "statefulset/db".into(),
            size: "32Mi".into(),
            dry_run: true,
            claims: vec![claim],
            replaces_template: true,
            ..ExpandReport::default()
        };
        assert_eq!(
            drawn(&report),
            "claim/data-db-0: 16Mi → 32Mi\n\
             statefulset/db would be replaced by one whose template asks for 32Mi; its pods run on\n\
             nothing was changed (dry run)\n"
        );
        report.refusals = vec!["the quota q allows 20Mi".into()];
        assert!(drawn(&report).ends_with("in the way: the quota q allows 20Mi\nnothing was changed\n"));
        (report.refusals, report.dry_run) = (Vec::new(), false);
        assert!(drawn(&report).ends_with("statefulset/db does not have 32Mi yet\n"), "{}", drawn(&report));
        report.claims[0].capacity = Some("32Mi".into());
        report.claims[0].waits_for = None;
        report.complete = true;
        assert!(drawn(&report).starts_with("claim/data-db-0: 16Mi → 32Mi, has 32Mi\nstatefulset/db was replaced"));
        assert!(drawn(&report).ends_with("statefulset/db has 32Mi\n"));
    }
}
