//! The table of claims and volumes, once or again and again.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        Session,
        arguments::ScopeArguments,
        global::duration,
        output::{StorageFormat, draw_storage},
    },
    error::Result,
    exit,
    model::{StorageReport, StorageRequest, StorageSort},
    ops,
};

#[derive(Debug, Args)]
pub struct TableArguments {
    #[command(flatten)]
    scope: ScopeArguments,
    /// What the table is ordered by
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t)]
    sort: Sort,
    /// Look again and again, until interrupted; the longer, the better the forecast
    #[arg(short, long)]
    watch: bool,
    /// How long between two looks
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s", requires = "watch")]
    interval: Duration,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: StorageFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Sort {
    /// Namespace and name
    #[default]
    Name,
    /// The most bytes first
    Used,
    /// The fullest first
    Percent,
    /// The least free bytes first
    Free,
    /// The largest first
    Capacity,
    /// The soonest full first
    Full,
}

impl From<Sort> for StorageSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Name => Self::Name,
            Sort::Used => Self::Used,
            Sort::Percent => Self::Percent,
            Sort::Free => Self::Free,
            Sort::Capacity => Self::Capacity,
            Sort::Full => Self::Full,
        }
    }
}

pub async fn run(arguments: TableArguments, session: &mut Session) -> Result<u8> {
    let TableArguments { scope, sort, watch, interval, output } = arguments;
    let request = StorageRequest { scope: scope.request(session), sort: sort.into() };
    let report = ops::storage::run(&session.ctx, &request).await?;
    if !watch {
        session
            .report("StorageReport", &report, output.into(), |out, style| draw_storage(out, style, &report, output))?;
        return Ok(exit::DONE);
    }
    let mut screen = Screen::default();
    screen.show(session, &report, output)?;
    loop {
        let pause = async {
            tokio::time::sleep(interval).await;
            Ok(())
        };
        session.ctx.unless_cancelled("watching", pause).await?;
        let report = ops::storage::run_again(&session.ctx, &request).await?;
        screen.show(session, &report, output)?;
    }
}

/// What is shown now.
#[derive(Default)]
struct Screen {
    text: String,
}

impl Screen {
    /// At a terminal the new table takes the place of the old one; in a pipe only a table that differs is written.
    fn show(&mut self, session: &mut Session, report: &StorageReport, output: StorageFormat) -> Result<()> {
        let people = matches!(output, StorageFormat::Human | StorageFormat::Wide | StorageFormat::Name);
        if !people {
            return session.report("StorageReport", report, output.into(), |_, _| Ok(()));
        }
        let mut drawn = Vec::new();
        let style = session.style;
        // A vector takes everything.
        let _ = draw_storage(&mut drawn, &style, report, output);
        let text = String::from_utf8_lossy(&drawn).into_owned();
        let before = std::mem::replace(&mut self.text, text);
        let text = self.text.as_str();
        session.write(|out, style| match style.width {
            Some(_) if !before.is_empty() => write!(out, "\x1b[{}A\x1b[J{text}", before.lines().count()),
            None if before == text => Ok(()),
            _ => write!(out, "{text}"),
        })
    }
}
