//! The members of an application.

use std::io::{self, Write};

use super::{Style, table};
use crate::model::{InventoryReport, ObjectRef};

/// Draws whose set it is, and a table of its members.
pub fn draw_inventory(out: &mut dyn Write, style: &Style, report: &InventoryReport) -> io::Result<()> {
    let namespace = report.parent.namespace.as_deref().map(|name| format!(" in namespace {name}")).unwrap_or_default();
    writeln!(out, "set:     {}{namespace}, managed by {}", report.parent, style.strong(&report.tooling))?;
    writeln!(out, "id:      {}", report.id)?;
    if report.members.is_empty() {
        return writeln!(out, "{} has no objects", report.application);
    }
    writeln!(out)?;
    let row = |member: &ObjectRef| vec![member.to_string(), member.namespace.clone().unwrap_or_default()];
    table(out, style, &["OBJECT", "NAMESPACE"], report.members.iter().map(row).collect())
}
