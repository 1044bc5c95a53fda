//! The store on the disk.

use core::cell::Cell;
use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use chappe_node::{MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table};
use chappe_wire::ByteCount;
use rusqlite::{Connection, OptionalExtension as _, ToSql};

use crate::bound::{Bound, LOG_REST, PAGE_LEN};
use crate::lock::StoreLock;
use crate::schema::{COUNT_COMMITS, Statements, statements};
use crate::sql_error::store_error;
use crate::witness::Witness;
use crate::{OpenError, OpenOptions, StoreKey, open, paths};

/// One encrypted file with a log beside it, open for this process alone.
///
/// What `commit` acknowledged is durable: each commit waits until the log is on the disk (WAL,
/// `synchronous=FULL`). The file and its log together never grow beyond [`OpenOptions::max_bytes`]; a put that
/// would is refused with [`StoreError::Full`], reads and deletes go on.
///
/// After [`StoreError::Io`] of a write or commit nothing more is written: the disk's word about earlier writes is
/// no longer good. After [`StoreError::Corrupt`] nothing more is read either. Open the store again.
///
/// ```
/// use chappe_node::{Store as _, Table};
/// use chappe_store::{OpenOptions, SqlStore, StoreKey};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store.db");
/// let key = StoreKey::generate()?;
/// let mut store = SqlStore::open(&path, &key, OpenOptions::default())?;
/// store.put(Table::Seen, b"id", b"")?;
/// store.rollback();
/// assert_eq!(store.get(Table::Seen, b"id")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqlStore {
    connection: Connection,
    log: PathBuf,
    bound: Bound,
    /// What the file may grow to now.
    room: Room,
    in_transaction: bool,
    deletes_since_upkeep: u32,
    failed: Cell<Option<StoreError>>,
    witness: Witness,
    /// How many commits there were, lost ones with them.
    commits: u64,
    lost: u64,
    // Last, so that the connection is closed before another process is let in.
    _lock: StoreLock,
}

/// Which bound on the file's pages is in force.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    ForPuts,
    ForDeletes,
}

impl SqlStore {
    /// Opens the store at `path`, or makes it if nothing is there. Its folder must exist.
    ///
    /// # Errors
    /// [`OpenError`]: each says what to do. A store that does not open is left as it is.
    pub fn open(path: &Path, key: &StoreKey, options: OpenOptions) -> Result<Self, OpenError> {
        Self::open_witnessed(path, &paths::witness(path), key, options)
    }

    /// The same, with the file that counts commits in a place of its own, where restored backups do not reach. Without
    /// it an older copy of the store is not noticed: see [`Store::lost_commits`]. It holds nothing secret.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn open_witnessed(
        path: &Path,
        witness: &Path,
        key: &StoreKey,
        options: OpenOptions,
    ) -> Result<Self, OpenError> {
        let bound = Bound::split(options.max_bytes)?;
        let opened = open::open(path, witness, key, bound)?;
        Ok(Self {
            connection: opened.connection,
            log: paths::log(path),
            bound,
            room: Room::ForDeletes,
            in_transaction: false,
            deletes_since_upkeep: 0,
            failed: Cell::new(None),
            witness: opened.witness,
            commits: opened.commits.max(opened.witnessed),
            lost: opened.witnessed.saturating_sub(opened.commits),
            _lock: opened.lock,
        })
    }

    /// What the store takes on the disk now: file and log.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub fn size(&self) -> Result<ByteCount, StoreError> {
        let pages = self.read(|connection| pragma(connection, "PRAGMA page_count"))?;
        Ok(ByteCount::new(pages * PAGE_LEN).saturating_add(ByteCount::new(self.log_len())))
    }

    /// Checks every page against its authentication tag and the trees against each other. Reads the whole file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]; from then on the store refuses everything.
    pub fn verify(&self) -> Result<(), StoreError> {
        let healthy = self.read(|connection| {
            let mut tags = connection.prepare("PRAGMA cipher_integrity_check")?;
            if tags.query([])?.next()?.is_some() {
                return Ok(false);
            }
            let mut check = connection.prepare("PRAGMA integrity_check(1)")?;
            let verdict: String = check.query_row([], |row| row.get(0))?;
            Ok(verdict == "ok")
        })?;
        if healthy {
            Ok(())
        } else {
            Err(self.note(StoreError::Corrupt))
        }
    }

    /// Gives free pages at the end of the file back to the file system: at most `limit`, rounded up to pages. Small
    /// steps of this also follow commits that deleted much.
    ///
    /// # Errors
    /// [`StoreError`]; an open transaction is gone then.
    pub fn shrink(&mut self, limit: ByteCount) -> Result<(), StoreError> {
        let pages = limit.get().div_ceil(PAGE_LEN);
        self.write(Room::ForDeletes, |connection| give_back(connection, pages))?;
        self.commit()
    }

    /// Runs `read`, unless the store is known to be damaged.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if self.failed.get() == Some(StoreError::Corrupt) {
            return Err(StoreError::Corrupt);
        }
        read(&self.connection).map_err(|error| match store_error(&error) {
            StoreError::Corrupt => self.note(StoreError::Corrupt),
            // A read that fails leaves what was written as good as it was.
            error => error,
        })
    }

    /// Runs `write` in the open transaction, which it begins if there is none. An error ends the transaction.
    fn write(
        &mut self,
        room: Room,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let written = self
            .begin()
            .and_then(|()| self.make_room(room))
            .and_then(|()| write(&self.connection).map_err(|error| self.note(store_error(&error))))
            .and_then(|()| self.check_log());
        written.inspect_err(|_| self.rollback())
    }

    /// Begins a transaction if there is none.
    fn begin(&mut self) -> Result<(), StoreError> {
        if let Some(error) = self.failed.get() {
            return Err(error);
        }
        if self.in_transaction {
            return Ok(());
        }
        if self.log_len() > LOG_REST {
            // If the log cannot be emptied, it grows until it is full, and that is reported.
            let _ = pragma(&self.connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        self.execute("BEGIN IMMEDIATE", [])?;
        self.in_transaction = true;
        Ok(())
    }

    /// Sets the bound on the file's pages for the next statement.
    fn make_room(&mut self, room: Room) -> Result<(), StoreError> {
        if self.room == room {
            return Ok(());
        }
        let pages = match room {
            Room::ForPuts => self.bound.put_pages,
            Room::ForDeletes => self.bound.max_pages,
        };
        pragma(
            &self.connection,
            &format!("PRAGMA max_page_count = {pages}"),
        )
        .map_err(|error| self.note(store_error(&error)))?;
        self.room = room;
        Ok(())
    }

    /// Refuses a transaction whose log has become too long.
    fn check_log(&self) -> Result<(), StoreError> {
        if self.log_len() > self.bound.log_limit {
            return Err(StoreError::Full);
        }
        Ok(())
    }

    /// After many deletes, if a quarter of the file is free, gives some of it back.
    fn upkeep(&mut self) -> rusqlite::Result<()> {
        if self.deletes_since_upkeep < UPKEEP_DELETES {
            return Ok(());
        }
        self.deletes_since_upkeep = 0;
        let free = pragma(&self.connection, "PRAGMA freelist_count")?;
        let all = pragma(&self.connection, "PRAGMA page_count")?;
        if free > UPKEEP_PAGES && free > all / 4 {
            give_back(&self.connection, UPKEEP_PAGES)?;
        }
        Ok(())
    }

    /// Runs one statement without result.
    fn execute<const N: usize>(
        &self,
        sql: &str,
        parameters: [&dyn ToSql; N],
    ) -> Result<(), StoreError> {
        execute(&self.connection, sql, parameters).map_err(|error| self.note(store_error(&error)))
    }

    /// Remembers an error after which the store cannot go on.
    fn note(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::Io | StoreError::Corrupt)
            && self.failed.get() != Some(StoreError::Corrupt)
        {
            self.failed.set(Some(error));
        }
        error
    }

    /// What the file system has left for this user; without end where it does not say.
    fn disk_free(&self) -> u64 {
        rustix::fs::statvfs(&self.log)
            .map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// The length of the log's file, of which a part may be left from before.
    fn log_len(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |log| log.len())
    }
}

/// Deletes after which the free pages are counted.
const UPKEEP_DELETES: u32 = 1024;
/// Pages given back at once.
const UPKEEP_PAGES: u64 = 256;

impl Store for SqlStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = find(table)?;
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached(sql.read)?;
            statement
                .query_row([key], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        })?;
        found
            .map(|value| unseal(value).map_err(|error| self.note(error)))
            .transpose()
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let sql = find(table).inspect_err(|_| self.rollback())?;
        if key.len() > MAX_KEY_LEN || value.len() > MAX_VALUE_LEN {
            self.rollback();
            return Err(StoreError::TooLong);
        }
        let sealed = seal(value);
        self.write(Room::ForPuts, |connection| {
            execute(connection, sql.put, [&key, &sealed])
        })
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        let sql = find(table).inspect_err(|_| self.rollback())?;
        if key.len() > MAX_KEY_LEN {
            self.rollback();
            return Err(StoreError::TooLong);
        }
        self.write(Room::ForDeletes, |connection| {
            execute(connection, sql.delete, [&key])
        })?;
        self.deletes_since_upkeep = self.deletes_since_upkeep.saturating_add(1);
        Ok(())
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let sql = find(table)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<(Vec<u8>, Vec<u8>)> = self.read(|connection| {
            let (text, parameters): (_, &[&dyn ToSql]) = match &after {
                None => (sql.scan, &[&limit]),
                Some(after) => (sql.scan_after, &[&limit, after]),
            };
            let mut statement = connection.prepare_cached(text)?;
            statement
                .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        found
            .into_iter()
            .map(|(key, value)| Ok((key, unseal(value)?)))
            .collect::<Result<_, _>>()
            .map_err(|error| self.note(error))
    }

    fn free(&self) -> Result<ByteCount, StoreError> {
        let (pages, unused) = self.read(|connection| {
            let pages = pragma(connection, "PRAGMA page_count")?;
            Ok((pages, pragma(connection, "PRAGMA freelist_count")?))
        })?;
        let left = self.bound.put_pages.saturating_sub(pages);
        let file = left.saturating_add(unused).saturating_mul(PAGE_LEN);
        // What is free in the file needs no room on the disk; what is written to it needs some in the log.
        Ok(ByteCount::new(file.min(self.disk_free())))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if !self.in_transaction {
            return Ok(());
        }
        let upkept = self
            .upkeep()
            .map_err(|error| self.note(store_error(&error)));
        let commits = self.commits.saturating_add(1);
        let committed = upkept
            .and_then(|()| self.execute(COUNT_COMMITS, [&commits.cast_signed()]))
            .and_then(|()| self.execute("COMMIT", []));
        if committed.is_err() {
            self.rollback();
            return committed;
        }
        self.in_transaction = false;
        self.commits = commits;
        self.lost = 0;
        // Only now: if the power goes in between, the store is ahead, and that is nothing to be told.
        let _ = self.witness.note(commits);
        Ok(())
    }

    fn lost_commits(&self) -> Result<u64, StoreError> {
        Ok(self.lost)
    }

    fn rollback(&mut self) {
        self.in_transaction = false;
        // SQLite has ended it already after some errors. If this fails, the next write fails too and says so.
        if !self.connection.is_autocommit() && self.execute("ROLLBACK", []).is_err() {
            self.note(StoreError::Io);
        }
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("failed", &self.failed.get())
            .finish_non_exhaustive()
    }
}

/// The statements of a table.
fn find(table: Table) -> Result<&'static Statements, StoreError> {
    statements(table).ok_or(StoreError::Corrupt)
}

/// A value as it is stored: one byte that is not zero stands behind it.
///
/// SQLCipher hands out a page whose tag is wrong as zeros, and SQLite believes zeros in the last page of a long
/// value. That page always holds the seal.
fn seal(value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(value.len() + 1);
    sealed.extend_from_slice(value);
    sealed.push(SEAL);
    sealed
}

const SEAL: u8 = 1;

/// The value in what is stored.
fn unseal(mut sealed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    match sealed.pop() {
        Some(SEAL) => Ok(sealed),
        _ => Err(StoreError::Corrupt),
    }
}

/// Runs one statement that is kept prepared.
fn execute<const N: usize>(
    connection: &Connection,
    sql: &str,
    parameters: [&dyn ToSql; N],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(sql)?
        .execute(parameters.as_slice())
        .map(drop)
}

/// The number that a pragma answers with.
fn pragma(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .query_row([], |row| row.get::<_, u32>(0))
        .map(u64::from)
}

/// Moves at most `pages` free pages out of the file.
fn give_back(connection: &Connection, pages: u64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
