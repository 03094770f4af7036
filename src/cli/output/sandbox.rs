//! The named sandboxes.

use std::io::{self, Write};

use super::{Style, history::moment, table};
use crate::model::{KeptSandbox, SandboxList};

/// Draws a line for each sandbox.
pub fn draw_sandboxes(out: &mut dyn Write, style: &Style, list: &SandboxList) -> io::Result<()> {
    if list.sandboxes.is_empty() {
        return writeln!(out, "there is no named sandbox; `kubectl evolve sandbox --name NAME` starts one");
    }
    let row = |kept: &KeptSandbox| {
        let running = kept.kubeconfig_file.as_ref().map_or("-".into(), |file| file.display().to_string());
        vec![kept.name.clone(), format!("{} kB", kept.bytes.div_ceil(1000)), moment(&kept.changed), running]
    };
    table(out, style, &["NAME", "SIZE", "CHANGED", "RUNNING AT"], list.sandboxes.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_sandbox() {
        let kept = KeptSandbox {
            name: "lesson".into(),
            kubeconfig_file: None,
            bytes: 12_345,
            changed: "2026-11-21T10:57:39Z".into(),
        };
        let mut out = Vec::new();
        draw_sandboxes(&mut out, &Style::default(), &SandboxList { sandboxes: vec![kept] }).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME     SIZE    CHANGED                RUNNING AT\nlesson   13 kB   2026-11-21T10:57:39Z   -\n"
        );
    }
}
