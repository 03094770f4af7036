//! PostgreSQL through its own tools, in its own container.

use std::path::Path;

use super::{
    file::{Content, Writer},
    run::Meter,
};
use crate::{
    cluster::Cluster,
    context::Ctx,
    error::{Error, Result},
    model::Backup,
    ops::container::{Spot, complaint},
    rules::database::{DUMP, PSQL, is_database_name},
};

/// How a plain dump ends (`pg_dump` 8.0 and newer).
const ENDS: &[u8] = b"PostgreSQL database dump complete";
const TABLES: &str = "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                      where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'";
/// Rows of all tables, counted one by one.
const ROWS: &str = "select coalesce(sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I.%I', \
                    n.nspname, c.relname), false, true, '')))[1]::text::bigint), 0) from pg_catalog.pg_class c \
                    join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                    where c.relkind = 'r' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'";

/// Dumps a database and returns its name.
pub(super) async fn dump(
    ctx: &Ctx,
    cluster: &Cluster,
    spot: &Spot,
    database: Option<&str>,
    writer: &mut Writer,
) -> Result<String> {
    let database = match database {
        Some(name) => checked(name)?.to_owned(),
        None => query(cluster, spot, "", "select current_database()").await?,
    };
    let doing = format!("dumping {database} in pod/{}", spot.pod);
    let mut meter = Meter::new(ctx, &doing);
    let mut tail = Vec::new();
    let keep = |piece: &[u8]| {
        tail.extend_from_slice(piece);
        let over = tail.len().saturating_sub(1024);
        tail.drain(..over);
        meter.count(piece.len());
        writer.write(piece)
    };
    let (code, stderr) = spot.read(cluster, &["sh", "-c", DUMP, "pg_dump", &database], keep).await?;
    if code != 0 {
        return Err(complaint(&doing, code, &stderr));
    }
    if !tail.windows(ENDS.len()).any(|window| window == ENDS) {
        return Err(Error::failed(format!("{doing}: the dump ended early")));
    }
    Ok(database)
}

/// A name that can be written into SQL.
pub(super) fn checked(name: &str) -> Result<&str> {
    match is_database_name(name) {
        true => Ok(name),
        false => Err(Error::usage(format!("{name:?} is no name of a database that can be handled"))),
    }
}

/// The answer to a query, one value; `database` may be empty for the one of the environment.
pub(super) async fn query(cluster: &Cluster, spot: &Spot, database: &str, sql: &str) -> Result<String> {
    let command = ["sh", "-c", PSQL, "psql", database, "--tuples-only", "--no-align", "--command", sql];
    let answer = spot.ask(cluster, &command).await?.succeeded(&format!("asking the database in pod/{}", spot.pod))?;
    Ok(answer.trim().to_owned())
}

/// The number of tables that are not the server's own.
pub(super) async fn tables(cluster: &Cluster, spot: &Spot, database: &str) -> Result<u64> {
    let count = query(cluster, spot, database, TABLES).await?;
    count.parse().map_err(|cause| Error::failed("the number of tables cannot be read").because(cause))
}

/// Runs a dump in a database, all of it or nothing.
pub(super) async fn load(ctx: &Ctx, cluster: &Cluster, spot: &Spot, database: &str, path: &Path) -> Result<()> {
    let mut content = Content::open(path)?;
    let mut meter = Meter::new(ctx, format!("restoring {database}"));
    let next = || {
        let piece = content.next()?;
        meter.count(piece.as_ref().map_or(0, Vec::len));
        Ok(piece)
    };
    let command = ["sh", "-c", PSQL, "psql", database, "--single-transaction", "--file=-", "--output=/dev/null"];
    let answer = spot.write(cluster, &command, next).await?;
    answer.succeeded(&format!("restoring {database} in pod/{}", spot.pod)).map(drop)
}

/// Restores a dump into a scratch database, counts what came, and drops it again.
pub(super) async fn prove(ctx: &Ctx, cluster: &Cluster, spot: &Spot, path: &Path, backup: &Backup) -> Result<String> {
    let source = checked(backup.database.as_deref().unwrap_or_default())?;
    let scratch = format!("evolve_verify_{}", ctx.clock.now().as_millisecond());
    ctx.phase("verify", format!("restoring into the scratch database {scratch}"));
    create(cluster, spot, &scratch).await?;
    let proven = async {
        load(ctx, cluster, spot, &scratch, path).await?;
        let tables = tables(cluster, spot, &scratch).await?;
        let rows = query(cluster, spot, &scratch, ROWS).await?;
        Ok::<_, Error>(format!("{source} was restored into a scratch database: {tables} tables, {rows} rows"))
    };
    let proven = proven.await;
    let dropped = query(cluster, spot, "", &format!("drop database if exists \"{scratch}\"")).await;
    proven.and_then(|words| dropped.map(|_| words))
}

/// Makes an empty database, with nothing of `template1`'s that a dump would bring too.
pub(super) async fn create(cluster: &Cluster, spot: &Spot, name: &str) -> Result<()> {
    query(cluster, spot, "", &format!("create database \"{name}\" template template0")).await.map(drop)
}

/// Puts one database in the place of another, which is kept under a new name. Both happen or neither.
pub(super) async fn swap(cluster: &Cluster, spot: &Spot, database: &str, fresh: &str, kept: &str) -> Result<()> {
    let sql = format!(
        "alter database \"{database}\" allow_connections false; \
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{quoted}' and pid <> pg_backend_pid(); \
         select pg_sleep(0.2); \
         begin; alter database \"{database}\" rename to \"{kept}\"; \
         alter database \"{fresh}\" rename to \"{database}\"; commit; \
         alter database \"{kept}\" allow_connections true",
        quoted = database.replace('\'', "''"),
    );
    let command = ["sh", "-c", PSQL, "psql", "postgres", "--output=/dev/null"];
    let mut sent = Some(sql.into_bytes());
    let answer = spot.write(cluster, &command, || Ok(sent.take())).await?;
    match answer.succeeded(&format!("putting the restored database in the place of {database}")) {
        Ok(_) => Ok(()),
        Err(error) => {
            // Whatever failed: the application must get in again.
            let opened = format!("alter database \"{database}\" allow_connections true");
            let command = ["sh", "-c", PSQL, "psql", "postgres", "--command", &opened];
            let _ = spot.ask(cluster, &command).await;
            Err(error)
        }
    }
}
