//! Opening: what is checked before a file is believed, and how a new one is made.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use chappe_node::Store;
use chappe_wire::ByteCount;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::bound::{Bound, CACHE_PAGES, CHECKPOINT_PAGES, LOG_REST, PAGE_LEN};
use crate::lock::StoreLock;
use crate::schema::{self, MIGRATIONS};
use crate::sql_error::open_error;
use crate::witness::Witness;
use crate::{KeyProvider, MemoryStore, OpenError, SqlStore, StoreKey, hex, paths, private_file};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// The most bytes that the store takes on the disk, file and log together. See
    /// [`MIN_STORE_BYTES`](crate::MIN_STORE_BYTES) and [`MAX_STORE_BYTES`](crate::MAX_STORE_BYTES).
    pub max_bytes: ByteCount,
}

impl Default for OpenOptions {
    /// At most 1 GiB.
    fn default() -> Self {
        Self {
            max_bytes: ByteCount::from_mib(1024),
        }
    }
}

/// Opens the store at `path` with the key of `keys`, or makes both at the first start. With [`MemoryOnly`] it is
/// an empty store in memory.
///
/// [`MemoryOnly`]: crate::MemoryOnly
///
/// # Errors
/// [`OpenError::KeyMissing`] if there is a store but no key: no new key is made then. Otherwise as
/// [`SqlStore::open`].
pub fn open_or_create(
    path: &Path,
    keys: &dyn KeyProvider,
    options: OpenOptions,
) -> Result<Box<dyn Store + Send>, OpenError> {
    if keys.memory_only() {
        Bound::split(options.max_bytes)?;
        return Ok(Box::new(MemoryStore::new(options.max_bytes)));
    }
    let key = match keys.load()? {
        Some(key) => key,
        None if exists(path) || exists(&paths::log(path)) => return Err(OpenError::KeyMissing),
        None => keys.create()?,
    };
    Ok(Box::new(SqlStore::open(path, &key, options)?))
}

/// A store that was opened.
pub(crate) struct Opened {
    /// A connection to the store, checked, of the present schema.
    pub(crate) connection: Connection,
    pub(crate) lock: StoreLock,
    pub(crate) witness: Witness,
    /// How many commits there were: in the store, and by what the witness says.
    pub(crate) commits: u64,
    pub(crate) witnessed: u64,
}

/// Opens the store at `path`.
pub(crate) fn open(
    path: &Path,
    witness: &Path,
    key: &StoreKey,
    bound: Bound,
) -> Result<Opened, OpenError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(OpenError::NotAFile),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let lock = StoreLock::take(path)?;
    if !exists(path) {
        // A log without its file is what is left of a store. SQLite would delete it.
        if exists(&paths::log(path)) {
            return Err(OpenError::Corrupt);
        }
        create(path, key)?;
    }
    check_file(path, bound)?;

    let connection = connect(path, key)?;
    // Until the version is known, not even the log is moved into the file.
    no_checkpoint_at_close(&connection, true)?;
    // The first read, which authenticates the first page.
    schema::version(&connection).map_err(|error| match error {
        OpenError::Corrupt if !has_salt_of(path, key) => OpenError::WrongKey,
        error => error,
    })?;
    schema::migrate(&connection, MIGRATIONS)?;
    configure(&connection, bound)?;
    no_checkpoint_at_close(&connection, false)?;
    let (name, commits) = schema::generation(&connection)?;
    let (witness, witnessed) = Witness::open(witness, name)?;
    Ok(Opened {
        connection,
        lock,
        witness,
        commits,
        witnessed,
    })
}

/// Makes an empty store under another name and moves it to `path` when it is whole.
fn create(path: &Path, key: &StoreKey) -> Result<(), OpenError> {
    let unfinished = paths::unfinished(path);
    remove_if_there(&unfinished)?;
    remove_if_there(&paths::log(&unfinished))?;
    private_file::create_empty(&unfinished)?;
    let connection = connect(&unfinished, key)?;
    run(
        &connection,
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;",
    )?;
    schema::migrate(&connection, MIGRATIONS)?;
    connection
        .close()
        .map_err(|(_, error)| open_error(&error))?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(paths::sync_folder(path)?)
}

/// What the file system says of the file, before SQLite sees it.
fn check_file(path: &Path, bound: Bound) -> Result<(), OpenError> {
    let file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length < PAGE_LEN {
        return Err(OpenError::Corrupt);
    }
    if length > bound.max_pages.saturating_mul(PAGE_LEN) {
        return Err(OpenError::Full);
    }
    Ok(())
}

/// Opens `path` with what has to be set before the first page is read.
fn connect(path: &Path, key: &StoreKey) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| open_error(&error))?;
    // Memory security comes first: it wipes what SQLite frees, and the statement with the key is freed next.
    run(
        &connection,
        "PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;",
    )?;
    run(&connection, &key_statement(key))?;
    // Exclusive before the first read: the log's index stays in memory, and there is no third file.
    run(
        &connection,
        &format!("PRAGMA cipher_page_size = {PAGE_LEN}; PRAGMA locking_mode = EXCLUSIVE;"),
    )?;
    Ok(connection)
}

/// Sets what an open store relies on.
fn configure(connection: &Connection, bound: Bound) -> Result<(), OpenError> {
    run(
        connection,
        &format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
             PRAGMA journal_size_limit = {LOG_REST};
             PRAGMA max_page_count = {max_pages};
             PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = {CACHE_PAGES};
             PRAGMA cell_size_check = ON;
             PRAGMA trusted_schema = OFF;",
            max_pages = bound.max_pages,
        ),
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(())
}

/// As many statements as there can be: five for each table, and those of transactions and upkeep.
const STATEMENT_CACHE: usize = 80;

/// While `on`, closing the last connection leaves file and log as they are.
fn no_checkpoint_at_close(connection: &Connection, on: bool) -> Result<(), OpenError> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on)
        .map(drop)
        .map_err(|error| open_error(&error))
}

/// Runs a script.
fn run(connection: &Connection, script: &str) -> Result<(), OpenError> {
    connection
        .execute_batch(script)
        .map_err(|error| open_error(&error))
}

/// The statement that sets the key and the salt.
fn key_statement(key: &StoreKey) -> Zeroizing<String> {
    // With room for all of it, so that growing leaves no copy behind.
    let mut statement = Zeroizing::new(String::with_capacity(128));
    statement.push_str("PRAGMA key = \"x'");
    statement.push_str(&hex::encode(key.as_bytes()));
    statement.push_str(&hex::encode(&salt_of(key)));
    statement.push_str("'\"");
    statement
}

/// The salt of a store with this key, which SQLCipher writes at the start of the file.
///
/// With a raw key the salt has no other work to do, so it tells a wrong key from a damaged first page. It is a
/// hash of 32 random bytes and says nothing about them.
fn salt_of(key: &StoreKey) -> [u8; SALT_LEN] {
    let mut hash = Sha256::new();
    hash.update(b"chappe store salt 1");
    hash.update(key.as_bytes());
    let mut salt = [0; SALT_LEN];
    for (to, from) in salt.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    salt
}

const SALT_LEN: usize = 16;

/// True if the file at `path` begins with the salt of `key`.
fn has_salt_of(path: &Path, key: &StoreKey) -> bool {
    let mut found = [0; SALT_LEN];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut found));
    read.is_ok() && found == salt_of(key)
}

/// True if anything has this name.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Removes `path` if it is there.
fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
