//! What is run in the container of a PostgreSQL. The credentials are those of the container's own environment: they are
//! put together inside it and appear in no command line.

/// Sets user, password and database from the variables of the common images. `$1` is the database, or empty for the one
/// of the environment.
macro_rules! environment {
    () => {
        "set -e\n\
         PGUSER=${POSTGRES_USER:-${POSTGRESQL_USERNAME:-${PGUSER:-postgres}}}\n\
         PGPASSWORD=${POSTGRES_PASSWORD:-${POSTGRESQL_PASSWORD:-$PGPASSWORD}}\n\
         if [ -z \"$PGPASSWORD\" ] && [ -r \"$POSTGRES_PASSWORD_FILE\" ]; then PGPASSWORD=$(cat \"$POSTGRES_PASSWORD_FILE\"); fi\n\
         PGDATABASE=${1:-${POSTGRES_DB:-${POSTGRESQL_DATABASE:-$PGUSER}}}\n\
         export PGUSER PGPASSWORD PGDATABASE PGCONNECT_TIMEOUT=10 PGCLIENTENCODING=UTF8\n"
    };
}

/// Dumps the database as SQL: one consistent snapshot (`pg_dump`), without blocking writers.
pub const DUMP: &str = concat!(environment!(), "exec pg_dump --no-password --format=plain --quote-all-identifiers\n");

/// Runs SQL from standard input and stops at the first error; further arguments go to psql.
pub const PSQL: &str =
    concat!(environment!(), "shift\nexec psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 \"$@\"\n");

/// The same for questions: the session cannot write, and no statement runs for longer than 20 s.
pub const READ: &str = concat!(
    environment!(),
    "shift\nexport PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=20s'\n\
     exec psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 \"$@\"\n"
);

/// Whether a name can stand in SQL between double quotes as it is.
pub fn is_database_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 63 && !name.contains(|letter: char| letter == '"' || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_quotes_are_refused() {
        assert!(is_database_name("todo") && is_database_name("my db"));
        for name in ["", "a\"b", "a\nb", &"x".repeat(64)] {
            assert!(!is_database_name(name), "{name:?}");
        }
    }

    #[test]
    fn no_script_writes_a_password_into_a_command_line() {
        for script in [DUMP, PSQL, READ] {
            assert!(!script.lines().filter(|line| line.starts_with("exec")).any(|line| line.contains("PASSWORD")));
        }
    }
}
