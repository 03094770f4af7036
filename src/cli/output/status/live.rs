//! A status that goes on: in place at a terminal, a line for each change elsewhere.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use console::{Term, truncate_str};

use super::{
    format::{StatusFormat, write_line, write_status},
    paint::mark,
};
use crate::{
    cli::output::Style,
    model::{ObjectRef, StatusReport, Verdict},
};

/// Draws one report after the other.
pub struct Live {
    style: Style,
    format: StatusFormat,
    /// The terminal, where there is one and the format is for people.
    screen: Option<Term>,
    /// How many lines of the screen are ours.
    drawn: usize,
    /// What was told of each object.
    told: BTreeMap<ObjectRef, String>,
    summary: String,
}

impl Live {
    pub fn new(style: Style, format: StatusFormat) -> Self {
        let for_people = matches!(format, StatusFormat::Tree | StatusFormat::Wide);
        let screen = (for_people && style.width.is_some()).then(Term::stdout);
        Self { style, format, screen, drawn: 0, told: BTreeMap::new(), summary: String::new() }
    }

    /// Shows a report.
    pub fn show(&mut self, out: &mut dyn Write, report: &StatusReport) -> io::Result<()> {
        match (&self.screen, &self.format) {
            (Some(term), _) => {
                let (rows, columns) = term.size();
                self.redraw(out, report, rows.into(), columns.into())?;
            }
            (None, StatusFormat::Tree | StatusFormat::Wide) => self.tell(out, report)?,
            (None, StatusFormat::JsonLines) => self.tell_lines(out, report)?,
            (None, format) => write_status(out, &self.style, report, format)?,
        }
        out.flush()
    }

    /// Leaves the screen in order.
    pub fn finish(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.screen.is_some() {
            write!(out, "\x1b[?25h")?;
        }
        out.flush()
    }

    /// Draws over what was drawn before; nothing is cleared that stays the same, so that nothing flickers.
    fn redraw(&mut self, out: &mut dyn Write, report: &StatusReport, rows: usize, columns: usize) -> io::Result<()> {
        let style = Style { width: Some(columns), ..self.style };
        let mut text = Vec::new();
        write_status(&mut text, &style, report, &self.format)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let room = rows.saturating_sub(1).max(1);
        let cut = lines.len() > room;
        let shown = if cut { room.saturating_sub(1) } else { lines.len() };
        write!(out, "\x1b[?25l")?;
        if self.drawn > 0 {
            write!(out, "\x1b[{}A\r", self.drawn.min(room))?;
        }
        for line in lines.iter().take(shown) {
            writeln!(out, "{}\x1b[0m\x1b[K", truncate_str(line, columns, "…"))?;
        }
        if cut {
            let more = style.faint(format!("… {} more lines", lines.len() - shown));
            writeln!(out, "{more}\x1b[K")?;
        }
        write!(out, "\x1b[J")?;
        self.drawn = shown + usize::from(cut);
        Ok(())
    }

    /// A line for each object of which something else is to be told than before.
    fn tell(&mut self, out: &mut dyn Write, report: &StatusReport) -> io::Result<()> {
        let time = report.time.get(11..19).unwrap_or_default();
        for (object, verdict, line) in lines(report) {
            if self.told.get(&object) != Some(&line) {
                writeln!(out, "{time} {} {}{line}", mark(&self.style, verdict), place(&object))?;
                self.told.insert(object, line);
            }
        }
        self.forget(out, report, time)?;
        let summary = format!("{}: {}", report.verdict.word(), report.summary);
        if self.summary != summary {
            writeln!(out, "{time} {} {summary}", mark(&self.style, report.verdict))?;
            self.summary = summary;
        }
        Ok(())
    }

    fn forget(&mut self, out: &mut dyn Write, report: &StatusReport, time: &str) -> io::Result<()> {
        let there: Vec<ObjectRef> = lines(report).into_iter().map(|(object, ..)| object).collect();
        let gone: Vec<ObjectRef> = self.told.keys().filter(|object| !there.contains(object)).cloned().collect();
        for object in gone {
            writeln!(out, "{time} {} {}{object} is gone", self.style.faint("-"), place(&object))?;
            self.told.remove(&object);
        }
        Ok(())
    }

    fn tell_lines(&mut self, out: &mut dyn Write, report: &StatusReport) -> io::Result<()> {
        for (object, _, line) in lines(report) {
            if self.told.get(&object) == Some(&line) {
                continue;
            }
            if let Some(status) = report.workloads.iter().find(|status| status.object == object) {
                write_line(out, "WorkloadStatus", status)?;
            }
            if let Some(status) = report.others.iter().find(|status| status.object == object) {
                write_line(out, "OtherStatus", status)?;
            }
            self.told.insert(object, line);
        }
        Ok(())
    }
}

fn place(object: &ObjectRef) -> String {
    object.namespace.as_ref().map(|namespace| format!("{namespace} ")).unwrap_or_default()
}

/// What there is to tell of each object.
fn lines(report: &StatusReport) -> Vec<(ObjectRef, Verdict, String)> {
    let workloads = report.workloads.iter().map(|status| {
        let all = status.pods.wanted.max(status.pods.total);
        let ready = if all > 0 { format!(" {}/{all} ready", status.pods.ready) } else { String::new() };
        let line = format!("{} {}{ready}: {}", status.object, status.verdict.word(), status.message);
        (status.object.clone(), status.verdict, line)
    });
    let others = report.others.iter().map(|status| {
        let message = if status.message.is_empty() { String::new() } else { format!(": {}", status.message) };
        let line = format!("{} {}{message}", status.object, status.verdict.word());
        (status.object.clone(), status.verdict, line)
    });
    workloads.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PodCounts, WorkloadStatus};

    fn report(ready: usize) -> StatusReport {
        let object = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            name: "api".into(),
            namespace: Some("shop".into()),
        };
        let verdict = if ready == 2 { Verdict::Healthy } else { Verdict::Progressing };
        let workload = WorkloadStatus {
            object,
            verdict,
            message: "rolling".into(),
            pods: PodCounts { wanted: 2, total: 2, ready },
            ..WorkloadStatus::default()
        };
        let summary = format!("{ready} of 2 pods ready");
        let time = "2026-11-21T10:10:00Z".into();
        StatusReport { verdict, summary, time, workloads: vec![workload], ..StatusReport::default() }
    }

    fn told(format: StatusFormat, reports: &[StatusReport]) -> String {
        let mut live = Live::new(Style::default(), format);
        let mut out = Vec::new();
        reports.iter().for_each(|report| live.show(&mut out, report).unwrap());
        live.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_pipe_gets_a_line_for_each_change() {
        let gone = StatusReport { time: "2026-11-21T10:10:05Z".into(), ..StatusReport::default() };
        assert_eq!(
            told(StatusFormat::Tree, &[report(1), report(1), report(2), gone]),
            "10:10:00 … shop deployment.apps/api progressing 1/2 ready: rolling\n\
             10:10:00 … progressing: 1 of 2 pods ready\n\
             10:10:00 ✓ shop deployment.apps/api healthy 2/2 ready: rolling\n\
             10:10:00 ✓ healthy: 2 of 2 pods ready\n\
             10:10:05 - shop deployment.apps/api is gone\n\
             10:10:05 ✓ healthy: \n"
        );
        let lines = told(StatusFormat::JsonLines, &[report(1), report(1), report(2)]);
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }

    #[test]
    fn a_screen_is_drawn_over_and_never_runs_over() {
        let mut live = Live::new(Style::default(), StatusFormat::Tree);
        let mut out = Vec::new();
        live.redraw(&mut out, &report(1), 24, 40).unwrap();
        let first = live.drawn;
        live.redraw(&mut out, &report(2), 24, 40).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(&format!("\x1b[{first}A\r")), "{text:?}");
        assert!(text.ends_with("\x1b[J"), "{text:?}");
        let mut out = Vec::new();
        live.redraw(&mut out, &report(2), 3, 40).unwrap();
        assert_eq!((live.drawn, String::from_utf8(out).unwrap().contains("more lines")), (2, true));
    }
}
