//! The store of a node: SQLCipher on the disk, or ordered maps in memory, behind [`chappe_node::Store`]; and
//! the three ways in which the store's key is kept.
//!
//! - [`SqlStore`] is one encrypted file. What [`Store::commit`](chappe_node::Store::commit) acknowledged is
//!   there after `kill -9` and after a power cut, as far as the disk keeps its own word about `fsync`.
//! - [`MemoryStore`] has the same transactions and forgets all of it when it is dropped.
//! - A [`KeyProvider`] hands over the [`StoreKey`]: [`KeyFile`], [`Passphrase`] or [`MemoryOnly`].
//! - [`OmemoStorage`] keeps a messenger's OMEMO sessions in a store.
//! - [`open_or_create`] puts the two together; it is what a program calls at its start.
//!
//! ```
//! use chappe_node::{Store as _, Table};
//! use chappe_store::{KeyFile, OpenOptions, open_or_create};
//!
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("store.db");
//! let key = KeyFile::new(folder.path().join("store.key"));
//!
//! let mut store = open_or_create(&path, &key, OpenOptions::default())?;
//! store.put(Table::Meta, b"name", b"north")?;
//! store.commit()?;
//! drop(store);
//!
//! let store = open_or_create(&path, &key, OpenOptions::default())?;
//! assert_eq!(store.get(Table::Meta, b"name")?.as_deref(), Some(&b"north"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not promised
//! Deleted values are overwritten in the file (`secure_delete`), but a flash card keeps old blocks: deletion is
//! not erasure there, only the loss of the key is. Someone who may write to the file can put an older copy of it
//! in its place. The store tells ([`Store::lost_commits`](chappe_node::Store::lost_commits)) as long as the small
//! file beside it, which counts commits, was not put back too; [`SqlStore::open_witnessed`] keeps that file in
//! another place.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bound;
mod hex;
mod key;
mod key_file;
mod key_text;
mod lock;
mod omemo;
mod open;
mod open_error;
mod passphrase;
mod paths;
mod private_file;
mod quarantine;
mod schema;
mod sql_error;
mod sql_store;
#[cfg(feature = "testing")]
pub mod testing;
mod witness;

pub use bound::{MAX_STORE_BYTES, MIN_STORE_BYTES, MIN_TRANSACTION_BYTES};
pub use chappe_node::{ENTRY_OVERHEAD, MemoryStore};
pub use key::{KeyError, KeyProvider, MemoryOnly, StoreKey};
pub use key_file::KeyFile;
pub use omemo::OmemoStorage;
pub use open::{OpenOptions, open_or_create};
pub use open_error::OpenError;
pub use passphrase::{Passphrase, PassphraseCost};
pub use quarantine::quarantine;
pub use sql_store::SqlStore;
