//! A plan for people: a line for each object that changes, and one for each field below it.

use std::io::{self, Write};

use serde_json::Value;

use super::Style;
use crate::model::{Action, Change, FieldChange, FieldConflict, Plan};

/// Values longer than this are shortened; `-o json` has them whole.
const LONGEST_VALUE: usize = 120;

/// Draws what would change, then a line of counts.
pub fn draw_plan(out: &mut dyn Write, style: &Style, plan: &Plan) -> io::Result<()> {
    for change in plan.changes.iter().filter(|change| change.action != Action::Keep || change.blocked.is_some()) {
        draw_change(out, style, change)?;
    }
    for warning in &plan.warnings {
        writeln!(out, "{} {warning}", style.changed("warning:"))?;
    }
    writeln!(out, "{}", counts(plan))
}

/// `2 to create, 1 to change, 3 unchanged`
pub fn counts(plan: &Plan) -> String {
    let words = [
        (Action::Create, "to create"),
        (Action::Change, "to change"),
        (Action::Replace, "to replace"),
        (Action::Delete, "to delete"),
        (Action::Detach, "to leave behind"),
        (Action::Keep, "unchanged"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(action, words)| (plan.count(action), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if parts.is_empty() { "nothing to do".into() } else { parts.join(", ") }
}

fn draw_change(out: &mut dyn Write, style: &Style, change: &Change) -> io::Result<()> {
    let name = match &change.object.namespace {
        Some(namespace) => format!("{} {}", change.object, style.faint(format!("in {namespace}"))),
        None => change.object.to_string(),
    };
    let sign = match change.action {
        Action::Create => style.good("+"),
        Action::Change => style.changed("~"),
        Action::Replace => style.bad("±"),
        Action::Delete => style.bad("-"),
        Action::Detach | Action::Keep => style.faint("="),
    };
    let reason = change.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    writeln!(out, "{sign} {name}{reason}")?;
    for field in &change.fields {
        draw_field(out, style, field)?;
    }
    for conflict in &change.conflicts {
        draw_conflict(out, style, conflict)?;
    }
    match &change.blocked {
        Some(blocked) => writeln!(out, "    {} {blocked}", style.bad("refused:")),
        None => Ok(()),
    }
}

fn draw_field(out: &mut dyn Write, style: &Style, field: &FieldChange) -> io::Result<()> {
    let path = &field.path;
    match (&field.old, &field.new) {
        (Some(old), Some(new)) => {
            writeln!(out, "    {path}: {} → {}", style.bad(shown(old)), style.good(shown(new)))
        }
        (None, Some(new)) => writeln!(out, "    {} {path}: {}", style.good("+"), style.good(shown(new))),
        (Some(old), None) => writeln!(out, "    {} {path}: {}", style.bad("-"), style.bad(shown(old))),
        (None, None) => Ok(()),
    }
}

fn draw_conflict(out: &mut dyn Write, style: &Style, conflict: &FieldConflict) -> io::Result<()> {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "absent".into(), shown);
    writeln!(
        out,
        "    {} {}: {} has {}, the manifest {}",
        style.changed("conflict"),
        conflict.path,
        conflict.manager,
        value(&conflict.theirs),
        value(&conflict.ours)
    )
}

/// A value on one line, without quotes where it is plain text.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let short: String = text.chars().take(LONGEST_VALUE).collect();
    format!("{short}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::ObjectRef;

    fn change(kind: &str, action: Action) -> Change {
        let object = ObjectRef {
            api_version: "v1".into(),
            kind: kind.into(),
            namespace: Some("shop".into()),
            name: "api".into(),
        };
        Change {
            object,
            action,
            wave: 0,
            fields: Vec::new(),
            conflicts: Vec::new(),
            reason: None,
            blocked: None,
            live: String::new(),
        }
    }

    #[test]
    fn a_plan_is_drawn() {
        let mut service = change("Service", Action::Change);
        service.fields = vec![
            FieldChange { path: "spec.ports[port=80].targetPort".into(), old: Some(json!(1)), new: Some(json!(2)) },
            FieldChange { path: "metadata.labels.x".into(), old: None, new: Some(json!("a\nb")) },
        ];
        let mut claim = change("PersistentVolumeClaim", Action::Replace);
        claim.reason = Some("spec cannot be changed".into());
        claim.blocked = Some("its data would be lost".into());
        let plan = Plan {
            changes: vec![change("ConfigMap", Action::Create), service, claim, change("Secret", Action::Keep)],
            ..Plan::default()
        };
        let mut out = Vec::new();
        draw_plan(&mut out, &Style::default(), &plan).unwrap();
        snapbox::assert_data_eq!(
            String::from_utf8(out).unwrap(),
            snapbox::str![[r#"
+ configmap/api in shop
~ service/api in shop
    spec.ports[port=80].targetPort: 1 → 2
    + metadata.labels.x: a/nb
± persistentvolumeclaim/api in shop (spec cannot be changed)
    refused: its data would be lost
1 to create, 1 to change, 1 to replace, 1 unchanged

"#]]
        );
    }
}
