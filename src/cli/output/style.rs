//! Colour and width of one stream.

use std::fmt::Display;

use owo_colors::OwoColorize;

/// How to draw on one stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    pub color: bool,
    /// Columns of the terminal; None when the stream is none.
    pub width: Option<usize>,
}

impl Style {
    pub fn good(&self, text: impl Display) -> String {
        if self.color { text.green().to_string() } else { text.to_string() }
    }

    pub fn bad(&self, text: impl Display) -> String {
        if self.color { text.red().bold().to_string() } else { text.to_string() }
    }

    pub fn changed(&self, text: impl Display) -> String {
        if self.color { text.yellow().to_string() } else { text.to_string() }
    }

    pub fn strong(&self, text: impl Display) -> String {
        if self.color { text.bold().to_string() } else { text.to_string() }
    }

    pub fn faint(&self, text: impl Display) -> String {
        if self.color { text.dimmed().to_string() } else { text.to_string() }
    }
}
