//! The tables in SQL, and how a store of an earlier version becomes one of this.

use chappe_node::Table;
use rusqlite::Connection;

use crate::OpenError;
use crate::sql_error::open_error;
use crate::witness::Name;

/// The steps from an empty file to the present schema; the first makes version 1. A step that was released never
/// changes: its successor does the correction.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
];

/// The statements of one table.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) read: &'static str,
    pub(crate) put: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) scan_after: &'static str,
}

/// The statements of the table with this name.
macro_rules! sql {
    ($table:literal) => {
        &Statements {
            read: concat!("SELECT value FROM ", $table, " WHERE key = ?1"),
            put: concat!(
                "INSERT INTO ",
                $table,
                " (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE key = ?1"),
            scan: concat!("SELECT key, value FROM ", $table, " ORDER BY key LIMIT ?1"),
            scan_after: concat!(
                "SELECT key, value FROM ",
                $table,
                " WHERE key > ?2 ORDER BY key LIMIT ?1"
            ),
        }
    };
}
/// The statements of `table`; `None` for a table of the node that no migration here has made yet.
pub(crate) const fn statements(table: Table) -> Option<&'static Statements> {
    Some(match table {
        Table::Meta => sql!("meta"),
        Table::Contacts => sql!("contacts"),
        Table::Sessions => sql!("sessions"),
        Table::Chains => sql!("chains"),
        Table::Items => sql!("items"),
        Table::Bodies => sql!("bodies"),
        Table::Seen => sql!("seen"),
        Table::Receipts => sql!("receipts"),
        Table::Outbox => sql!("outbox"),
        Table::Inbox => sql!("inbox"),
        Table::Blobs => sql!("blobs"),
        Table::Chunks => sql!("chunks"),
        _ => return None,
    })
}

/// Brings the schema to the end of `migrations`, all of it or nothing.
///
/// # Errors
/// [`OpenError::TooNew`] if the file is ahead of `migrations`; it was not written to.
pub(crate) fn migrate(connection: &Connection, migrations: &[&str]) -> Result<(), OpenError> {
    let found = version(connection)?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    if found == known {
        return Ok(());
    }
    let steps = migrations.iter().skip(found as usize);
    let script = steps.fold(String::from("BEGIN IMMEDIATE;"), |script, step| {
        script + step
    }) + &format!("PRAGMA user_version = {known}; COMMIT;");
    connection.execute_batch(&script).map_err(|error| {
        // What the failed step left open; the error that matters is the first.
        let _ = connection.execute_batch("ROLLBACK");
        open_error(&error)
    })
}

/// The schema version of the file.
///
/// # Errors
/// [`OpenError::Corrupt`] if the file does not open with its key.
pub(crate) fn version(connection: &Connection) -> Result<u32, OpenError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| open_error(&error))
}

/// The name of the store and how many commits there were.
///
/// # Errors
/// [`OpenError::Corrupt`] if they are not there.
pub(crate) fn generation(connection: &Connection) -> Result<(Name, u64), OpenError> {
    connection
        .query_row("SELECT name, commits FROM generation", [], |row| {
            let (name, commits): (Name, i64) = (row.get(0)?, row.get(1)?);
            Ok((name, commits.cast_unsigned()))
        })
        .map_err(|error| open_error(&error))
}

/// Writes how many commits there were, this one with them.
pub(crate) const COUNT_COMMITS: &str = "UPDATE generation SET commits = ?1";

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> i64 {
        connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
                [],
                |row| row.get(0),
            )
            .unwrap()
    }

    #[test]
    fn every_table_of_the_node_has_its_statements() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, MIGRATIONS).unwrap();
        for table in Table::ALL {
            let sql = statements(table).unwrap();
            for text in [sql.read, sql.put, sql.delete, sql.scan, sql.scan_after] {
                connection.prepare(text).unwrap();
            }
        }
    }

    #[test]
    fn migrations_run_from_where_the_file_is() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &["CREATE TABLE a (x);"]).unwrap();
        migrate(&connection, &["CREATE TABLE a (x);", "CREATE TABLE b (x);"]).unwrap();
        assert_eq!((tables(&connection), version(&connection).unwrap()), (2, 2));
    }

    #[test]
    fn a_migration_that_fails_half_way_leaves_the_old_schema() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &["CREATE TABLE a (x);"]).unwrap();
        let broken = [
            "",
            "CREATE TABLE b (x); INSERT INTO a VALUES (1);",
            "CREATE TABLE b (x);",
        ];
        assert!(migrate(&connection, &broken).is_err());
        assert_eq!((tables(&connection), version(&connection).unwrap()), (1, 1));
        let rows: i64 = connection
            .query_row("SELECT count(*) FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0);
    }

    #[test]
    fn a_schema_ahead_of_the_migrations_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 7).unwrap();
        let refused = migrate(&connection, MIGRATIONS);
        assert_eq!(refused, Err(OpenError::TooNew { found: 7, known: 2 }));
        assert_eq!(tables(&connection), 0);
    }
}
