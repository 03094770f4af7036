//! How a PostgreSQL does.

use std::io::{self, Write};

use super::{
    Style,
    amount::{size, span},
    table,
};
use crate::model::{DatabaseReport, RunningQuery};

/// From here on, in percent of the limit, connections are many.
const MANY: u64 = 80;
/// Below this part, the cache is small for what is read.
const POOR: f64 = 0.9;

/// Draws a report.
pub fn draw_database(out: &mut dyn Write, style: &Style, report: &DatabaseReport) -> io::Result<()> {
    let role = if report.in_recovery { "replica" } else { "primary" };
    let name = style.strong(&report.database);
    writeln!(out, "{name} in pod/{}: PostgreSQL {}, {role}, {}", report.pod, report.version, size(report.size))?;
    draw_connections(out, style, report)?;
    if let Some(ratio) = report.cache_hit_ratio {
        let text = format!("{:.1}%", ratio * 100.0);
        let text = if ratio < POOR { style.changed(text) } else { text };
        writeln!(out, "cache: {text} of the blocks were found in memory")?;
    }
    match &report.migrations {
        None => writeln!(out, "migrations: no table of Prisma, Alembic or Django")?,
        Some(migrations) => {
            let newest = migrations.newest.as_deref().unwrap_or("none");
            let applied = migrations.applied.map(|count| format!("{count} applied ")).unwrap_or_default();
            writeln!(out, "migrations: {applied}by {}, newest {newest}", migrations.tool)?;
            for failed in &migrations.failed {
                writeln!(out, "  {}", style.bad(format!("{failed} was begun and not finished")))?;
            }
        }
    }
    for replica in &report.replicas {
        let lag = replica.lag_bytes.map(|bytes| size(bytes.unsigned_abs())).unwrap_or_else(|| "unknown".into());
        writeln!(
            out,
            "replica {} {}: {} ({}), {lag} behind",
            replica.name, replica.address, replica.state, replica.sync
        )?;
    }
    draw_queries(out, style, "longest running", &report.longest)?;
    draw_queries(out, style, "blocked", &report.blocked)?;
    if report.databases.len() > 1 {
        writeln!(out)?;
        let rows = report.databases.iter().map(|database| vec![database.name.clone(), size(database.size)]);
        table(out, style, &["DATABASE", "SIZE"], rows.collect())?;
    }
    if !report.tables.is_empty() {
        writeln!(out)?;
        let rows = report.tables.iter().map(|table| {
            let vacuumed = table.vacuumed.as_deref().map(|time| time.chars().take(19).collect()).unwrap_or_default();
            vec![table.name.clone(), size(table.size), table.rows.to_string(), table.dead_rows.to_string(), vacuumed]
        });
        table(out, style, &["TABLE", "SIZE", "ROWS", "DEAD ROWS", "VACUUMED"], rows.collect())?;
    }
    Ok(())
}

fn draw_connections(out: &mut dyn Write, style: &Style, report: &DatabaseReport) -> io::Result<()> {
    let used: u64 = report.connections.values().sum();
    let limit = report.connection_limit.saturating_sub(report.reserved);
    let states: Vec<String> = report.connections.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let text = format!("{used} of {limit}");
    let text = if used * 100 >= limit.saturating_mul(MANY) { style.bad(text) } else { text };
    writeln!(out, "connections: {text}{states}")
}

fn draw_queries(out: &mut dyn Write, style: &Style, what: &str, queries: &[RunningQuery]) -> io::Result<()> {
    for query in queries {
        let seconds = query.seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
        let by: Vec<String> = query.blocked_by.iter().map(i64::to_string).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        let head = style.changed(format!("{what}{by}:"));
        writeln!(
            out,
            "{head} {} by process {} ({}, {}): {}",
            span(seconds),
            query.pid,
            query.user,
            query.state,
            query.query
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Migrations, TableState};

    #[test]
    fn a_database_is_drawn_from_the_whole_to_the_table() {
        let report = DatabaseReport {
            pod: "database-0".into(),
            version: "15.9".into(),
            database: "todo".into(),
            size: 8 << 20,
            connections: [("idle".to_owned(), 4)].into(),
            connection_limit: 100,
            reserved: 3,
            cache_hit_ratio: Some(0.9912),
            migrations: Some(Migrations {
                tool: "Prisma".into(),
                applied: Some(3),
                newest: Some("003_done".into()),
                failed: vec!["004_index".into()],
            }),
            blocked: vec![RunningQuery {
                pid: 7,
                user: "todo".into(),
                state: "active".into(),
                seconds: Some(75),
                query: "update todos".into(),
                blocked_by: vec![9],
            }],
            tables: vec![TableState { name: "public.todos".into(), size: 16384, rows: 3, ..TableState::default() }],
            ..DatabaseReport::default()
        };
        let mut out = Vec::new();
        draw_database(&mut out, &Style::default(), &report).unwrap();
        let expected = "\
todo in pod/database-0: PostgreSQL 15.9, primary, 8Mi
connections: 4 of 97 (4 idle)
cache: 99.1% of the blocks were found in memory
migrations: 3 applied by Prisma, newest 003_done
  004_index was begun and not finished
blocked by 9: 1m by process 7 (todo, active): update todos

TABLE          SIZE   ROWS   DEAD ROWS   VACUUMED
public.todos   16Ki   3      0
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
