//! Draws a tree of lines in a given width.

use std::io::{self, Write};

use console::measure_text_width;

use crate::{cli::output::Style, model::Verdict};

/// One line of the tree, with what stands below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// What stands in front; None for what has no verdict.
    pub verdict: Option<Verdict>,
    pub name: String,
    pub cells: Vec<String>,
    /// Reasons and commands, each on a line of its own.
    pub details: Vec<Line>,
    pub children: Vec<Node>,
}

#[derive(Debug, Clone)]
pub(super) enum Line {
    /// Why it is not healthy.
    Reason(String),
    /// What is only worth knowing.
    Fact(String),
    /// What to type next.
    Command(String),
}

/// Names are aligned below one another where that leaves room for the rest.
const ALIGNED: usize = 60;
/// No name is padded to more than this.
const LONGEST: usize = 48;

pub(super) fn mark(style: &Style, verdict: Verdict) -> String {
    match verdict {
        Verdict::Healthy => style.good("✓"),
        Verdict::Progressing => style.changed("…"),
        Verdict::Degraded => style.bad("!"),
        Verdict::Failed => style.bad("✗"),
    }
}

/// Draws the nodes below one another.
pub(super) fn paint(out: &mut dyn Write, style: &Style, nodes: &[Node]) -> io::Result<()> {
    let pad = padding(style, nodes);
    nodes.iter().try_for_each(|node| one(out, style, node, "", "", pad))
}

fn padding(style: &Style, siblings: &[Node]) -> usize {
    if style.width.is_some_and(|width| width < ALIGNED) {
        return 0;
    }
    let widths = siblings.iter().filter(|node| !node.cells.is_empty()).map(|node| measure_text_width(&node.name));
    widths.filter(|width| *width <= LONGEST).max().unwrap_or(0)
}

/// `before` stands in front of the node itself, `below` in front of everything under it.
fn one(out: &mut dyn Write, style: &Style, node: &Node, before: &str, below: &str, pad: usize) -> io::Result<()> {
    let mark = node.verdict.map(|verdict| format!("{} ", mark(style, verdict))).unwrap_or_default();
    let name = match node.verdict {
        Some(verdict) if verdict.is_bad() => style.bad(&node.name),
        Some(_) => style.strong(&node.name),
        None => node.name.clone(),
    };
    let gap = if node.cells.is_empty() { 0 } else { pad.saturating_sub(measure_text_width(&node.name)) };
    let mut words = vec![format!("{mark}{name}{}", " ".repeat(gap))];
    words.extend(node.cells.iter().cloned());
    let trunk = if node.children.is_empty() { "  " } else { "│ " };
    let hanging = format!("{below}{}", style.faint(trunk));
    fold(out, style, before, &format!("{hanging}  "), words.join("  ").trim_end())?;
    for detail in &node.details {
        let text = match detail {
            Line::Reason(text) => text.clone(),
            Line::Fact(text) => style.faint(text),
            Line::Command(text) => format!("{} {text}", style.faint("$")),
        };
        fold(out, style, &hanging, &format!("{hanging}  "), &text)?;
    }
    let pad = padding(style, &node.children);
    for (place, child) in node.children.iter().enumerate() {
        let last = place + 1 == node.children.len();
        let (branch, under) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let (branch, under) = (format!("{below}{}", style.faint(branch)), format!("{below}{}", style.faint(under)));
        one(out, style, child, &branch, &under, pad)?;
    }
    Ok(())
}

/// Writes a line, folded at words where it does not fit; a word longer than a line stays whole.
fn fold(out: &mut dyn Write, style: &Style, first: &str, rest: &str, text: &str) -> io::Result<()> {
    let Some(width) = style.width else { return writeln!(out, "{first}{text}") };
    let mut line = first.to_owned();
    let mut used = measure_text_width(first);
    let mut empty = true;
    for word in text.split(' ') {
        let wide = measure_text_width(word);
        if !empty && !word.is_empty() && used + 1 + wide > width {
            writeln!(out, "{}", line.trim_end())?;
            line = rest.to_owned();
            used = measure_text_width(rest);
            empty = true;
        }
        if !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += wide;
        empty = empty && word.is_empty();
    }
    writeln!(out, "{}", line.trim_end())
}
