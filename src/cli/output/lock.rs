//! Who holds a lock.

use std::io::{self, Write};

use super::{Style, history::moment};
use crate::model::LockReport;

/// Draws who holds the lock, and who broke it last.
pub fn draw_lock(out: &mut dyn Write, style: &Style, report: &LockReport) -> io::Result<()> {
    let name = format!("{} in namespace {}", report.application, report.namespace);
    match &report.holder {
        None => writeln!(out, "{name} is not locked")?,
        Some(holder) if holder.expired => {
            writeln!(out, "{name} was locked by {} for {}, and the lock has expired", holder.by, holder.purpose)?;
        }
        Some(holder) => {
            let by = style.strong(&holder.by);
            writeln!(out, "{name} is locked by {by} for {} since {}", holder.purpose, moment(&holder.since))?;
            writeln!(out, "renewed {}, expires {} unless it is renewed", holder.renewed, holder.expires)?;
        }
    }
    match &report.broken {
        None => Ok(()),
        Some(broken) => {
            writeln!(out, "{} took it from {} at {}: {}", broken.by, broken.holder, moment(&broken.time), broken.reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BrokenLock, LockHolder};

    fn drawn(report: &LockReport) -> String {
        let mut out = Vec::new();
        draw_lock(&mut out, &Style::default(), report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_lock_is_free_held_or_broken() {
        let mut report =
            LockReport { application: "shop".into(), namespace: "default".into(), ..LockReport::default() };
        assert_eq!(drawn(&report), "shop in namespace default is not locked\n");
        report.holder = Some(LockHolder {
            by: "ann@laptop (process 7)".into(),
            purpose: "deploy".into(),
            since: "2026-11-21T10:57:39.5Z".into(),
            renewed: "2026-11-21T10:57:43Z".into(),
            expires: "2026-11-21T10:57:56Z".into(),
            expired: false,
        });
        assert_eq!(
            drawn(&report),
            "shop in namespace default is locked by ann@laptop (process 7) for deploy since 2026-11-21T10:57:39Z\n\
             renewed 2026-11-21T10:57:43Z, expires 2026-11-21T10:57:56Z unless it is renewed\n"
        );
        report.holder = None;
        report.broken = Some(BrokenLock {
            holder: "ann@laptop (process 7)".into(),
            by: "bob@desk".into(),
            reason: "it hangs".into(),
            time: "2026-11-21T10:58:00Z".into(),
        });
        assert!(
            drawn(&report)
                .ends_with("bob@desk took it from ann@laptop (process 7) at 2026-11-21T10:58:00Z: it hangs\n")
        );
    }
}
