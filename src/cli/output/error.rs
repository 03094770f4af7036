//! An error, its cause and its next step.

use std::io::{self, Write};

use super::Style;
use crate::error::{Error, causes};

/// Draws `error: …`, then a line for each cause that says something new, then the hints.
pub fn draw_error(out: &mut dyn Write, style: &Style, error: &Error) -> io::Result<()> {
    let mut said = causes(error).into_iter();
    writeln!(out, "{} {}", style.bad("error:"), said.next().unwrap_or_default())?;
    for words in said {
        writeln!(out, "  {} {words}", style.faint("because"))?;
    }
    for hint in error.hints() {
        writeln!(out, "{} {hint}", style.strong("hint:"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_drawn_with_cause_and_hint() {
        let error = Error::usage("no such file").because(io::Error::other("disk on fire")).hint("buy a new one");
        let mut out = Vec::new();
        draw_error(&mut out, &Style::default(), &error).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "error: no such file\n  because disk on fire\nhint: buy a new one\n"
        );
    }
}
