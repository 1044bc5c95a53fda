//! Files on their way in: chunks are recognised by tags that only holders of the file's key can derive.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_envelope::blob::{BlobKey, BlobPlan, BlobReference, BlobRoot, ChunkIndex};
use chappe_omemo::sce::FileReference;
use chappe_wire::{ByteCount, Envelope, Instant, ItemId, Tag};
use sha2::{Digest as _, Sha256};

use crate::compose::{cut, file_name};
use crate::contact::ContactId;
use crate::message::{MAX_FILE_LEN, MessageId};
use crate::output::Event;
use crate::record::{BlobRecord, ChunkRecord, FileRecord, InboxRecord, load};
use crate::{Node, NodeError, Store, Table};

/// Files that one contact may have on their way to us at once. More are told of, but not collected.
pub(crate) const MAX_FILES_PER_CONTACT: usize = 16;
/// Files that may be on their way in at once.
pub(crate) const MAX_FILES_UNDER_WAY: usize = 256;

/// Files on their way in, in memory.
#[derive(Default)]
pub(crate) struct Files {
    under_way: BTreeMap<MessageId, File>,
    tags: BTreeMap<Tag, (MessageId, ChunkIndex)>,
}

struct File {
    sender: ContactId,
    blob: BlobReference,
    missing: BTreeSet<ChunkIndex>,
}

impl Files {
    /// The file and piece that a tag stands for.
    pub(crate) fn recognise(&self, tag: &Tag) -> Option<(MessageId, ChunkIndex)> {
        self.tags.get(tag).copied()
    }

    /// Pieces that are missing of a file on its way in; `None` if it is not.
    pub(crate) fn missing(&self, message: MessageId) -> Option<usize> {
        self.under_way.get(&message).map(|file| file.missing.len())
    }

    /// Who sends a file that is on its way in.
    pub(crate) fn sender(&self, message: MessageId) -> Option<ContactId> {
        self.under_way.get(&message).map(|file| file.sender)
    }

    /// Files on their way in from a contact.
    pub(crate) fn from(&self, contact: ContactId) -> Vec<MessageId> {
        let files = self
            .under_way
            .iter()
            .filter(|(_, file)| file.sender == contact);
        files.map(|(message, _)| *message).collect()
    }

    fn expect(&mut self, message: MessageId, file: File) -> Vec<Tag> {
        let mut tags = Vec::new();
        for (tag, index) in file
            .blob
            .tags()
            .filter(|(_, index)| file.missing.contains(index))
        {
            self.tags.insert(tag, (message, index));
            tags.push(tag);
        }
        self.under_way.insert(message, file);
        tags
    }

    pub(crate) fn forget(&mut self, message: MessageId) {
        self.under_way.remove(&message);
        self.tags.retain(|_, (of, _)| *of != message);
    }
}

impl<S: Store> Node<S> {
    /// A message tells of a file: from now on its chunks are recognised, also those that are here already.
    pub(crate) fn expect_file(
        &mut self,
        _now: Instant,
        contact: ContactId,
        mut record: InboxRecord,
        file: FileReference,
    ) -> Result<(), NodeError> {
        record.file = Some(FileRecord {
            name: file_name(&file.name),
            media_type: cut(&file.media_type, 128),
            size: file.size,
            sha256: file.sha256.to_vec(),
        });
        let plan = (file.size <= MAX_FILE_LEN as u64
            && self.files.under_way.len() < MAX_FILES_UNDER_WAY
            && self.files.from(contact).len() < MAX_FILES_PER_CONTACT)
            .then(|| BlobPlan::new(ByteCount::new(file.size)).ok())
            .flatten();
        let message = self.arrived(contact, record)?;
        let Some(plan) = plan else { return Ok(()) };
        let blob = BlobRecord {
            key: file.key.to_vec(),
            root: file.root.to_vec(),
            size: file.size,
            complete: false,
            damaged: false,
        };
        self.save(&message.0.to_be_bytes(), &blob)?;
        let missing = plan.indexes().collect();
        let blob = BlobReference::new(BlobKey::new(file.key), BlobRoot::new(file.root), plan);
        let file = File {
            sender: contact,
            blob,
            missing,
        };
        let tags = self.files.expect(message, file);
        self.rescan(&tags);
        Ok(())
    }

    /// Takes over a file on its way in from its record.
    pub(crate) fn restore_file(
        &mut self,
        message: MessageId,
        blob: &BlobRecord,
    ) -> Result<(), NodeError> {
        if blob.complete || blob.damaged {
            return Ok(());
        }
        let key = blob
            .key
            .as_slice()
            .try_into()
            .map_err(|_| NodeError::Record)?;
        let root = blob
            .root
            .as_slice()
            .try_into()
            .map_err(|_| NodeError::Record)?;
        let plan = BlobPlan::new(ByteCount::new(blob.size)).map_err(|_| NodeError::Record)?;
        let mut missing = BTreeSet::new();
        for index in plan.indexes() {
            if self
                .store
                .get(Table::Chunks, &chunk_key(message, index))?
                .is_none()
            {
                missing.insert(index);
            }
        }
        let blob = BlobReference::new(BlobKey::new(key), BlobRoot::new(root), plan);
        let record: InboxRecord =
            load(&self.store, &message.0.to_be_bytes())?.ok_or(NodeError::Record)?;
        let sender = ContactId(record.contact);
        let file = File {
            sender,
            blob,
            missing,
        };
        self.files.expect(message, file);
        Ok(())
    }

    /// Takes a piece of a file.
    pub(crate) fn deliver_chunk(
        &mut self,
        now: Instant,
        message: MessageId,
        index: ChunkIndex,
        envelope: &Envelope,
    ) -> Result<(), NodeError> {
        let Some(file) = self.files.under_way.get_mut(&message) else {
            return Ok(());
        };
        let Ok(opened) = file.blob.open_chunk(index, envelope) else {
            return Ok(());
        };
        file.missing.remove(&index);
        let whole = file.missing.is_empty();
        self.files.tags.remove(&envelope.header().tag);
        let chunk = ChunkRecord {
            id: envelope.id().as_bytes().to_vec(),
            content: opened.content.to_vec(),
        };
        self.save(&chunk_key(message, index), &chunk)?;
        let record: InboxRecord =
            load(&self.store, &message.0.to_be_bytes())?.ok_or(NodeError::Record)?;
        self.hold_receipt(
            now,
            opened.preimage,
            envelope.header().lifetime,
            record.verified,
        )?;
        if whole {
            return self.check_file(message, &record);
        }
        let told = self.describe_incoming(message, &record)?;
        self.tell(Event::FileProgress(told));
        Ok(())
    }

    /// All pieces are here: checks that they are what the message's root and hash say.
    fn check_file(&mut self, message: MessageId, record: &InboxRecord) -> Result<(), NodeError> {
        let Some(file) = self.files.under_way.get(&message) else {
            return Ok(());
        };
        let reference = file.blob.clone();
        let mut ids = Vec::new();
        let mut sha256 = Sha256::new();
        for index in reference.plan().indexes() {
            let chunk: ChunkRecord =
                load(&self.store, &chunk_key(message, index))?.ok_or(NodeError::Record)?;
            let id = chunk
                .id
                .as_slice()
                .try_into()
                .map_err(|_| NodeError::Record)?;
            ids.push(ItemId::new(id));
            sha256.update(&chunk.content);
        }
        let expected = record
            .file
            .as_ref()
            .map(|file| file.sha256.as_slice())
            .unwrap_or_default();
        let sound = reference.verify(ids).is_ok() && sha256.finalize().as_slice() == expected;
        let mut blob: BlobRecord =
            load(&self.store, &message.0.to_be_bytes())?.ok_or(NodeError::Record)?;
        blob.complete = sound;
        blob.damaged = !sound;
        blob.key.clear();
        self.save(&message.0.to_be_bytes(), &blob)?;
        self.files.forget(message);
        let told = self.describe_incoming(message, record)?;
        self.tell(if sound {
            Event::FileComplete(told)
        } else {
            Event::FileProgress(told)
        });
        Ok(())
    }

    /// The content of a complete file.
    pub(crate) fn file_content(&self, message: MessageId) -> Result<Option<Vec<u8>>, NodeError> {
        let Some(blob) = load::<BlobRecord>(&self.store, &message.0.to_be_bytes())? else {
            return Ok(None);
        };
        if !blob.complete {
            return Ok(None);
        }
        let plan = BlobPlan::new(ByteCount::new(blob.size)).map_err(|_| NodeError::Record)?;
        let mut content = Vec::new();
        for index in plan.indexes() {
            let chunk: ChunkRecord =
                load(&self.store, &chunk_key(message, index))?.ok_or(NodeError::Record)?;
            content.extend_from_slice(&chunk.content);
        }
        Ok(Some(content))
    }
}

fn chunk_key(message: MessageId, index: ChunkIndex) -> [u8; 12] {
    let mut key = [0; 12];
    let bytes = message
        .0
        .to_be_bytes()
        .into_iter()
        .chain(index.get().to_be_bytes());
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = from;
    }
    key
}
