//! Deleting messages that arrived, and the chunks of files that nobody needs any more.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use chappe_envelope::blob::BlobPlan;
use chappe_wire::{ByteCount, Instant};
use prost::Message as _;

use crate::contact::ContactId;
use crate::file::chunk_key;
use crate::message::{MessageId, MessageSelection};
use crate::output::{CommandError, Reply};
use crate::quota::message_cost;
use crate::record::{BlobRecord, InboxRecord, Record as _, load};
use crate::{Node, NodeError, Store, Table};

/// Messages, or chunks, that are deleted in one transaction.
const MAX_DELETED_PER_COMMIT: usize = 256;

/// Files whose chunks are being deleted, a few in each transaction.
#[derive(Debug, Default)]
pub(crate) struct Purges(VecDeque<Purge>);

#[derive(Debug)]
struct Purge {
    message: MessageId,
    next: u32,
    end: u32,
}

impl Purges {
    /// True if there is nothing left to delete.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The chunks of a file are to go.
    pub(crate) fn add(&mut self, message: MessageId, blob: &BlobRecord) {
        let plan = BlobPlan::new(ByteCount::new(blob.size));
        self.0.push_back(Purge {
            message,
            next: 0,
            end: plan.map_or(0, |plan| plan.chunks()),
        });
    }
}

impl<S: Store> Node<S> {
    /// Deletes messages from the inbox, with the files that came with them.
    pub(crate) fn delete_messages(
        &mut self,
        now: Instant,
        selection: &MessageSelection,
    ) -> Result<Reply, CommandError> {
        if self.me.is_none() {
            return Err(CommandError::Relay);
        }
        let deleted = match selection {
            MessageSelection::These(messages) => {
                for message in messages {
                    if self.inbox_entry(*message)?.is_none() {
                        return Err(CommandError::NoSuchMessage);
                    }
                }
                let mut deleted = 0;
                for slice in messages.chunks(MAX_DELETED_PER_COMMIT) {
                    for message in slice {
                        deleted += u64::from(self.delete_message(*message)?);
                    }
                    self.end_slice(now)?;
                }
                deleted
            }
            MessageSelection::Of(contact) => {
                self.people.person(*contact)?;
                self.delete_where(now, Some(*contact))?
            }
            MessageSelection::All => self.delete_where(now, None)?,
        };
        self.start_waiting_files()?;
        self.look_again();
        Ok(Reply::Deleted(deleted))
    }

    fn delete_where(&mut self, now: Instant, of: Option<ContactId>) -> Result<u64, CommandError> {
        let mut deleted = 0;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self
                .store
                .scan(Table::Inbox, after.as_deref(), MAX_DELETED_PER_COMMIT)?;
            let Some((last, _)) = page.last() else {
                return Ok(deleted);
            };
            after = Some(last.clone());
            for (key, value) in &page {
                let record =
                    InboxRecord::decode(value.as_slice()).map_err(|_| NodeError::Record)?;
                if of.is_none_or(|contact| contact.0 == record.contact) {
                    let key = key.as_slice().try_into().map_err(|_| NodeError::Record)?;
                    let message = MessageId(u64::from_be_bytes(key));
                    deleted += u64::from(self.delete_message(message)?);
                }
            }
            self.end_slice(now)?;
        }
    }

    /// No transaction outgrows the store's log, however much is deleted.
    pub(crate) fn end_slice(&mut self, now: Instant) -> Result<(), NodeError> {
        self.changes(now)?;
        self.commit(now)
    }

    /// False if it is gone already.
    fn delete_message(&mut self, message: MessageId) -> Result<bool, NodeError> {
        let Some(record) = self.inbox_entry(message)? else {
            return Ok(false);
        };
        let contact = ContactId(record.contact);
        self.delete(InboxRecord::TABLE, &message.0.to_be_bytes())?;
        self.refund(contact, message_cost(&record))?;
        self.discard_file(message, contact)?;
        Ok(true)
    }

    fn inbox_entry(&self, message: MessageId) -> Result<Option<InboxRecord>, NodeError> {
        load(&self.store, &message.0.to_be_bytes())
    }

    /// The file of a message is not wanted any more: its chunks go in the background, also after a restart.
    pub(crate) fn discard_file(
        &mut self,
        message: MessageId,
        contact: ContactId,
    ) -> Result<(), NodeError> {
        let key = message.0.to_be_bytes();
        let Some(mut blob) = load::<BlobRecord>(&self.store, &key)? else {
            return Ok(());
        };
        self.files.forget(message);
        if blob.discarded {
            return Ok(());
        }
        self.refund(contact, blob.charged)?;
        blob.discarded = true;
        blob.charged = 0;
        blob.key.clear();
        self.save(&key, &blob)?;
        self.purges.add(message, &blob);
        Ok(())
    }

    /// Deletes some of the chunks that are to go.
    pub(crate) fn purge_some(&mut self) -> Result<(), NodeError> {
        for _ in 0..MAX_DELETED_PER_COMMIT {
            let Some(purge) = self.purges.0.front_mut() else {
                return Ok(());
            };
            let (message, index) = (purge.message, purge.next);
            if index < purge.end {
                purge.next = index.saturating_add(1);
                self.delete(Table::Chunks, &chunk_key(message, index))?;
            } else {
                self.purges.0.pop_front();
                self.delete(Table::Blobs, &message.0.to_be_bytes())?;
            }
        }
        Ok(())
    }
}
