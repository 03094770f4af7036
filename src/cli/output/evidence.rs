//! Why something failed, in full.

use std::io::{self, Write};

use super::{Style, history::outcome};
use crate::model::{Evidence, EvidenceReport};

/// Draws a failure: the cause, where it was, the container's last words, the events, and what to do.
pub fn draw_evidence(out: &mut dyn Write, style: &Style, evidence: &Evidence) -> io::Result<()> {
    writeln!(out, "{} {}: {}", style.bad("failed:"), evidence.object, evidence.summary)?;
    let image = evidence.image.as_ref().map(|image| format!(" ({image})")).unwrap_or_default();
    let container = evidence.container.as_ref().map(|container| format!("{container}{image}"));
    let restarts = (evidence.restarts > 0).then(|| format!("{} so far", evidence.restarts));
    let facts = [
        ("pod", evidence.pod.as_ref().map(|pod| pod.name.clone())),
        ("container", container),
        ("reason", Some(evidence.reason.clone()).filter(|reason| !reason.is_empty())),
        ("ended", evidence.exit.clone()),
        ("restarts", restarts),
        ("message", evidence.termination_message.as_ref().map(|message| message.trim().to_owned())),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            writeln!(out, "  {:<11}{}", format!("{name}:"), fact.replace('\n', "\n             "))?;
        }
    }
    draw_lines(out, style, "last lines", &evidence.log)?;
    draw_lines(out, style, "last lines of the instance before", &evidence.previous_log)?;
    let events: Vec<String> = evidence
        .events
        .iter()
        .map(|event| {
            let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
            format!("{} {} {} {}: {}{times}", event.time, event.kind, event.reason, event.object, event.message)
        })
        .collect();
    draw_lines(out, style, "events", &events)?;
    evidence.hints.iter().try_for_each(|hint| writeln!(out, "  {} {hint}", style.strong("hint:")))
}

fn draw_lines(out: &mut dyn Write, style: &Style, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {title}:")?;
    lines.iter().try_for_each(|line| writeln!(out, "    {}", style.faint(line)))
}

/// Draws the evidence of a revision.
pub fn draw_evidence_report(out: &mut dyn Write, style: &Style, report: &EvidenceReport) -> io::Result<()> {
    let outcome = outcome(style, report.outcome);
    writeln!(
        out,
        "revision {} of {} in namespace {}: {outcome}",
        report.revision, report.application, report.namespace
    )?;
    if report.evidence.is_empty() {
        return writeln!(out, "no evidence was recorded");
    }
    report.evidence.iter().try_for_each(|evidence| {
        writeln!(out)?;
        draw_evidence(out, style, evidence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterEvent, ObjectRef};

    #[test]
    fn a_failure_is_told_in_full() {
        let named = |kind: &str, name: &str| ObjectRef { kind: kind.into(), name: name.into(), ..ObjectRef::default() };
        let evidence = Evidence {
            object: ObjectRef { api_version: "apps/v1".into(), ..named("Deployment", "api") },
            summary: "container api was killed: out of memory".into(),
            reason: "OOMKilled".into(),
            pod: Some(named("Pod", "api-7")),
            container: Some("api".into()),
            image: Some("api:1".into()),
            exit: Some("killed by SIGKILL (137)".into()),
            restarts: 3,
            termination_message: Some("first\nsecond\n".into()),
            log: vec!["allocating".into()],
            events: vec![ClusterEvent {
                time: "2026-11-21T10:57:39Z".into(),
                kind: "Warning".into(),
                reason: "BackOff".into(),
                object: "pod/api-7".into(),
                message: "restarting".into(),
                count: 4,
            }],
            hints: vec!["raise the limit".into()],
            ..Evidence::default()
        };
        let mut out = Vec::new();
        draw_evidence(&mut out, &Style::default(), &evidence).unwrap();
        let expected = "\
failed: deployment.apps/api: container api was killed: out of memory
  pod:       api-7
  container: api (api:1)
  reason:    OOMKilled
  ended:     killed by SIGKILL (137)
  restarts:  3 so far
  message:   first
             second
  last lines:
    allocating
  events:
    2026-11-21T10:57:39Z Warning BackOff pod/api-7: restarting (4 times)
  hint: raise the limit
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
