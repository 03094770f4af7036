//! `kubectl evolve demo`

use std::{io, io::Write, path::PathBuf, time::Duration};

use clap::Args;
use jiff::Timestamp;

use super::{
    Session, deploy,
    output::{Format, Style, draw_history, draw_status},
};
use crate::{
    error::Result,
    exit,
    model::{DemoReport, DemoRequest},
    ops::demo::{ACTS, Act, Demo},
};

/// Time to read a line, and to read why a deploy failed.
const LINE: Duration = Duration::from_millis(1500);
const CAUSE: Duration = Duration::from_secs(5);

/// Show a deploy, two failures with their causes, and the way back, in a cluster inside this program
///
/// Needs no cluster and no Docker: the pods are simulated.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Without pauses
    #[arg(long)]
    fast: bool,
    /// Go on by hand: keep the cluster until Ctrl-C, and the application's files in this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = "evolve-demo")]
    keep: Option<PathBuf>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub async fn run(arguments: Arguments, session: &mut Session) -> Result<u8> {
    let began = session.ctx.clock.now();
    let request = DemoRequest { fast: arguments.fast, folder: arguments.keep.clone() };
    let demo = Demo::start(&session.ctx, &request).await?;
    let ended = show(&demo, &arguments, session, began).await;
    let stopped = demo.stop().await;
    ended.and_then(|code| stopped.map(|()| code))
}

async fn show(demo: &Demo, arguments: &Arguments, session: &mut Session, began: Timestamp) -> Result<u8> {
    let format = arguments.output;
    let mut report = DemoReport::default();
    if format == Format::Human {
        let milliseconds = session.ctx.clock.now().duration_since(began).as_millis();
        session.write(|out, _| {
            writeln!(
                out,
                "A Kubernetes API runs inside this program since {milliseconds} ms. Its pods are simulated;"
            )?;
            writeln!(out, "everything else here is what happens on your own cluster.")
        })?;
        demo.pause(LINE * 2).await?;
    }
    for (number, act) in ACTS.iter().enumerate() {
        if format == Format::Human {
            session.write(|out, style| draw_title(out, style, number + 1, act))?;
            demo.pause(LINE).await?;
        }
        let deployed = demo.play(act).await?;
        report.acts.push(act.told(&deployed));
        if format == Format::Human {
            session.write(|out, style| deploy::draw(out, style, &deployed))?;
            demo.pause(if deployed.evidence.is_empty() { LINE * 2 } else { CAUSE }).await?;
        }
        if format == Format::Human && number == 0 {
            let status = demo.status().await?;
            session.write(|out, style| {
                writeln!(out, "\n{} kubectl evolve status", style.faint("$"))?;
                draw_status(out, style, &status, false)
            })?;
            demo.pause(CAUSE).await?;
        }
    }
    report.seconds = session.ctx.clock.now().duration_since(began).as_secs_f64();
    let history = demo.history().await?;
    session.report("Demo", &report, format, |out, style| {
        writeln!(out, "\n{}", style.strong("What is on record"))?;
        draw_history(out, style, &history, false)?;
        writeln!(out, "\nYour own application: kubectl evolve deploy -f FOLDER (with --sandbox for a rehearsal)")
    })?;
    if let Some(folder) = &arguments.keep {
        keep(demo, folder, session).await?;
    }
    Ok(if report.is_as_expected() { exit::DONE } else { exit::FAILED })
}

fn draw_title(out: &mut dyn Write, style: &Style, number: usize, act: &Act) -> io::Result<()> {
    writeln!(out, "\n{}", style.strong(format!("{number}. {}", act.title)))?;
    writeln!(out, "{}\n{} kubectl evolve deploy", act.story, style.faint("$"))
}

/// Says how to go on, and waits for Ctrl-C.
async fn keep(demo: &Demo, folder: &std::path::Path, session: &mut Session) -> Result<()> {
    session.write(|out, style| {
        writeln!(out, "\n{}", style.strong("Go on by hand, in another terminal:"))?;
        writeln!(out, "cd {}", folder.display())?;
        writeln!(out, "export KUBECONFIG=$PWD/kubeconfig")?;
        writeln!(out, "kubectl get pods -n todo")?;
        writeln!(out, "kubectl evolve history")?;
        writeln!(out, "Ctrl-C here ends the cluster; the files stay.")
    })?;
    demo.keep().await
}
