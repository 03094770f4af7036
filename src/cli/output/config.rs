//! The configuration: its problems, and its settings with their origins.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::{Style, table};
use crate::{
    config::leaves,
    model::{ConfigCheckReport, ConfigReport, SettingOrigin},
};

/// Draws a line for each problem, with its hint, or one that says that all is well.
pub fn draw_config_check(out: &mut dyn Write, style: &Style, report: &ConfigCheckReport) -> io::Result<()> {
    for problem in &report.problems {
        writeln!(out, "{}: {}", style.strong(&problem.place), problem.message)?;
        if let Some(hint) = &problem.hint {
            writeln!(out, "  {} {hint}", style.strong("hint:"))?;
        }
    }
    match (report.problems.len(), report.profiles.as_slice()) {
        (0, []) => writeln!(out, "{} is {}", report.file, style.good("in order")),
        (0, profiles) => {
            writeln!(out, "{} is {}, with the profiles {}", report.file, style.good("in order"), profiles.join(", "))
        }
        (1, _) => writeln!(out, "{} has {}", report.file, style.bad("1 problem")),
        (count, _) => writeln!(out, "{} has {}", report.file, style.bad(format!("{count} problems"))),
    }
}

/// Draws a table of the settings.
pub fn draw_config(out: &mut dyn Write, style: &Style, report: &ConfigReport) -> io::Result<()> {
    let row = |(path, value): (String, &Json)| {
        let origin = report.origins.get(&path).unwrap_or(&SettingOrigin::Default);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        vec![path, value, origin_words(origin, style)]
    };
    table(out, style, &["SETTING", "VALUE", "FROM"], leaves(&report.settings).into_iter().map(row).collect())
}

fn origin_words(origin: &SettingOrigin, style: &Style) -> String {
    match origin {
        SettingOrigin::File { place } => format!("{}:{}", place.file, place.line),
        SettingOrigin::Profile { profile, place } => {
            format!("profile {} ({}:{})", style.changed(profile), place.file, place.line)
        }
        SettingOrigin::Default => style.faint("default"),
    }
}
