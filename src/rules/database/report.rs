//! How a PostgreSQL does: the questions, as one script for psql, and the reader of its answers.

use serde_json::{Map, Value};

use crate::{model::DatabaseReport, rules::redact::Redactor};

/// Each answer is one object of JSON. What the role may not see is null. Nothing of it takes a lock that others wait for.
pub const QUESTIONS: &str = r#"
select json_build_object(
  'version', current_setting('server_version'), 'database', current_database(), 'user', current_user,
  'started', pg_postmaster_start_time(), 'size', pg_database_size(current_database()),
  'inRecovery', pg_is_in_recovery(), 'connectionLimit', current_setting('max_connections')::int,
  'reserved', current_setting('superuser_reserved_connections')::int);
select json_build_object('connections', coalesce(json_object_agg(state, count), '{}')) from (
  select coalesce(state, 'unknown') as state, count(*) from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1) s;
select json_build_object('databases', json_agg(d)) from (
  select datname as name, pg_database_size(oid) as size from pg_database
  where not datistemplate and has_database_privilege(oid, 'connect') order by 2 desc limit 20) d;
select json_build_object('tables', coalesce(json_agg(t), '[]')) from (
  select schemaname || '.' || relname as name, pg_total_relation_size(relid) as size, n_live_tup as rows,
    n_dead_tup as "deadRows", greatest(last_vacuum, last_autovacuum) as vacuumed
  from pg_stat_user_tables order by 2 desc limit 20) t;
select json_build_object('cacheHitRatio', round(sum(blks_hit) / nullif(sum(blks_hit) + sum(blks_read), 0), 4))
  from pg_stat_database where datname = current_database();
select json_build_object('longest', coalesce(json_agg(q), '[]')) from (
  select pid, coalesce(usename, '') as user, coalesce(state, '') as state,
    round(extract(epoch from clock_timestamp() - coalesce(query_start, xact_start)))::bigint as seconds,
    left(coalesce(query, ''), 200) as query
  from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and state <> 'idle'
  order by coalesce(query_start, xact_start) limit 5) q;
select json_build_object('blocked', coalesce(json_agg(q), '[]')) from (
  select pid, coalesce(usename, '') as user, coalesce(state, '') as state, pg_blocking_pids(pid) as "blockedBy",
    round(extract(epoch from clock_timestamp() - query_start))::bigint as seconds, left(coalesce(query, ''), 200) as query
  from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0 order by query_start limit 5) q;
select json_build_object('replicas', coalesce(json_agg(r), '[]')) from (
  select coalesce(application_name, '') as name, coalesce(host(client_addr), '') as address, coalesce(state, '') as state,
    coalesce(sync_state, '') as sync,
    case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint end as "lagBytes"
  from pg_stat_replication limit 20) r;
select to_regclass('_prisma_migrations') is not null as prisma, to_regclass('alembic_version') is not null as alembic,
  to_regclass('django_migrations') is not null as django \gset
\if :prisma
select json_build_object('migrations', json_build_object('tool', 'Prisma', 'applied', count(*) filter (where finished_at is not null and rolled_back_at is null),
  'newest', (array_agg(migration_name order by started_at desc) filter (where finished_at is not null and rolled_back_at is null))[1],
  'failed', coalesce(json_agg(migration_name) filter (where finished_at is null and rolled_back_at is null), '[]'))) from _prisma_migrations;
\elif :alembic
select json_build_object('migrations', json_build_object('tool', 'Alembic', 'newest', string_agg(version_num, ', '))) from alembic_version;
\elif :django
select json_build_object('migrations', json_build_object('tool', 'Django', 'applied', count(*),
  'newest', (array_agg(app || '.' || name order by id desc))[1])) from django_migrations;
\endif
"#;

/// Puts the answers together. What the database's users wrote is made safe to show.
///
/// # Errors
/// When the answers are no report.
pub fn read_answers(text: &str) -> Result<DatabaseReport, serde_json::Error> {
    let mut joined = Map::new();
    // One after the other; PostgreSQL breaks the lines of lists.
    for answer in serde_json::Deserializer::from_str(text).into_iter() {
        if let Value::Object(part) = answer? {
            joined.extend(part.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }
    let mut report: DatabaseReport = serde_json::from_value(Value::Object(joined))?;
    let redactor = Redactor::default();
    for query in report.longest.iter_mut().chain(&mut report.blocked) {
        query.query = redactor.line(&query.query.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    for name in report.tables.iter_mut().map(|table| &mut table.name) {
        *name = redactor.line(name);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_become_one_report_with_queries_that_are_safe_to_show() {
        let text = "{\"version\" : \"15.9\", \"database\" : \"todo\", \"size\" : 7654321, \"connectionLimit\" : 100}\n\
            {\"connections\" : { \"active\" : 1, \"idle\" : 4 }}\n{\"cacheHitRatio\" : null}\n\
            {\"databases\" : [{\"name\":\"todo\",\"size\":2}, \n {\"name\":\"postgres\",\"size\":1}]}\n\
            {\"longest\" : [{\"pid\":7,\"user\":\"todo\",\"state\":\"active\",\"seconds\":3,\"query\":\"alter role a\\n password 'hunter2'\"}]}\n\
            {\"migrations\" : {\"tool\" : \"Alembic\", \"newest\" : \"ab12\"}}\n";
        let report = read_answers(text).unwrap();
        assert_eq!((report.version.as_str(), report.connections.values().sum::<u64>()), ("15.9", 5));
        assert_eq!(report.databases.len(), 2);
        assert_eq!((report.cache_hit_ratio, report.longest[0].query.as_str()), (None, "alter role a password '***'"));
        assert_eq!(report.migrations.unwrap().newest.as_deref(), Some("ab12"));
        assert!(read_answers("{broken").is_err());
    }
}
