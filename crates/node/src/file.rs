//! Files on their way in: chunks are recognised by tags that only holders of the file's key can derive.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_envelope::blob::{BlobKey, BlobPlan, BlobReference, BlobRoot, ChunkIndex};
use chappe_omemo::sce::FileReference;
use chappe_wire::{ByteCount, Duration, Envelope, Instant, ItemId, Tag};
use sha2::{Digest as _, Sha256};

use crate::compose::{cut, file_name};
use crate::contact::ContactId;
use crate::message::{MAX_FILE_LEN, MessageId};
use crate::output::Event;
use crate::quota::file_cost;
use crate::record::{BlobRecord, ChunkRecord, FileRecord, InboxRecord, load};
use crate::{Node, NodeError, Store, Table};

/// Files that one contact may have on their way to us at once. More are told of, and wait.
pub(crate) const MAX_FILES_PER_CONTACT: usize = 16;
/// Files that may be on their way in at once.
pub(crate) const MAX_FILES_UNDER_WAY: usize = 256;
/// Files of one contact that may wait for others, or for room. Still more are told of, and never collected.
pub(crate) const MAX_FILES_WAITING: usize = 64;
/// How long a file may be on its way in, of powered time: its chunks have expired everywhere then.
pub(crate) const FILE_PATIENCE: Duration = Duration::from_days(31);
/// What a chunk is counted with against its sender's share, in bytes: its content, its record and its key.
pub(crate) const CHUNK_COST: u64 = 4_400;

/// Files on their way in, in memory.
#[derive(Default)]
pub(crate) struct Files {
    under_way: BTreeMap<MessageId, File>,
    tags: BTreeMap<Tag, (MessageId, ChunkIndex)>,
    /// Told of, but not collected yet.
    waiting: BTreeMap<MessageId, ContactId>,
    /// When each of the two kinds is given up.
    given_up: BTreeSet<(Instant, MessageId)>,
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

    /// Files of a contact that are on their way in, or wait.
    pub(crate) fn from(&self, contact: ContactId) -> Vec<MessageId> {
        let under_way = self.under_way.iter();
        let under_way = under_way.map(|(message, file)| (message, file.sender));
        let waiting = self
            .waiting
            .iter()
            .map(|(message, sender)| (message, *sender));
        under_way
            .chain(waiting)
            .filter(|(_, sender)| *sender == contact)
            .map(|(message, _)| *message)
            .collect()
    }

    /// When the next file is given up.
    pub(crate) fn deadline(&self) -> Instant {
        self.given_up.first().map_or(Instant::NEVER, |(at, _)| *at)
    }

    /// A file is told of.
    fn wait(&mut self, message: MessageId, contact: ContactId, since: Instant) {
        self.waiting.insert(message, contact);
        self.given_up.insert((since.after(FILE_PATIENCE), message));
    }

    /// Whether one more file of a contact can be on its way.
    fn has_place(&self, contact: ContactId) -> bool {
        self.under_way.len() < MAX_FILES_UNDER_WAY
            && self.of_contact(contact) < MAX_FILES_PER_CONTACT
    }

    fn of_contact(&self, contact: ContactId) -> usize {
        let files = self.under_way.values();
        files.filter(|file| file.sender == contact).count()
    }

    fn may_wait(&self, contact: ContactId) -> bool {
        let waiting = self.waiting.values();
        waiting.filter(|sender| **sender == contact).count() < MAX_FILES_WAITING
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
        self.waiting.remove(&message);
        self.tags.retain(|_, (of, _)| *of != message);
        self.given_up.retain(|(_, of)| *of != message);
    }
}

impl<S: Store> Node<S> {
    /// A message tells of a file: from now on its chunks are recognised, also those that are here already.
    pub(crate) fn expect_file(
        &mut self,
        now: Instant,
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
        let message = self.arrived(contact, record)?;
        let plan = (file.size <= MAX_FILE_LEN as u64)
            .then(|| BlobPlan::new(ByteCount::new(file.size)).ok())
            .flatten();
        if plan.is_none() || !self.files.may_wait(contact) {
            return Ok(());
        }
        let blob = BlobRecord {
            key: file.key.to_vec(),
            root: file.root.to_vec(),
            size: file.size,
            since: now.as_micros(),
            ..BlobRecord::default()
        };
        self.save(&message.0.to_be_bytes(), &blob)?;
        self.files.wait(message, contact, now);
        let cost = file_cost(self.chunk_count(blob.size));
        if !self.collect_file(message, contact, blob)? && !self.has_share(contact, cost) {
            self.hold_back(contact);
        }
        Ok(())
    }

    /// Starts to collect the files for which there is room now.
    pub(crate) fn start_waiting_files(&mut self) -> Result<(), NodeError> {
        let waiting: Vec<_> = self
            .files
            .waiting
            .iter()
            .map(|(message, contact)| (*message, *contact))
            .collect();
        for (message, contact) in waiting {
            if self.files.has_place(contact)
                && let Some(blob) = load::<BlobRecord>(&self.store, &message.0.to_be_bytes())?
            {
                self.collect_file(message, contact, blob)?;
            }
        }
        Ok(())
    }

    /// Sets room aside for a file that waits, and recognises its chunks from now on, also those that are here
    /// already. False if there is none.
    fn collect_file(
        &mut self,
        message: MessageId,
        contact: ContactId,
        mut blob: BlobRecord,
    ) -> Result<bool, NodeError> {
        let cost = file_cost(self.chunk_count(blob.size));
        if !self.files.has_place(contact) || !self.has_share(contact, cost) {
            return Ok(false);
        }
        self.charge(contact, cost)?;
        blob.charged = cost;
        self.save(&message.0.to_be_bytes(), &blob)?;
        self.files.waiting.remove(&message);
        let reference = reference_of(&blob)?;
        let file = File {
            sender: contact,
            missing: reference.plan().indexes().collect(),
            blob: reference,
        };
        let tags = self.files.expect(message, file);
        self.rescan(&tags);
        Ok(true)
    }

    /// Gives up the files that have been on their way for too long.
    pub(crate) fn give_files_up(&mut self, now: Instant) -> Result<(), NodeError> {
        let mut any = false;
        while let Some((_, message)) = self.files.given_up.first().filter(|(at, _)| *at <= now) {
            let message = *message;
            any = true;
            let record: Option<InboxRecord> = load(&self.store, &message.0.to_be_bytes())?;
            self.files.forget(message);
            let Some(record) = record else { continue };
            self.discard_file(message, ContactId(record.contact))?;
            let told = self.describe_incoming(message, &record)?;
            self.tell(Event::FileGivenUp(told));
        }
        if any {
            self.start_waiting_files()?;
        }
        Ok(())
    }

    /// Takes over a file on its way in from its record.
    pub(crate) fn restore_file(
        &mut self,
        message: MessageId,
        blob: &BlobRecord,
    ) -> Result<(), NodeError> {
        if blob.discarded {
            self.purges.add(message, blob);
            return Ok(());
        }
        if blob.complete {
            return Ok(());
        }
        let record: InboxRecord =
            load(&self.store, &message.0.to_be_bytes())?.ok_or(NodeError::Record)?;
        let sender = ContactId(record.contact);
        let since = Instant::from_micros(blob.since);
        self.files.wait(message, sender, since);
        if blob.charged == 0 {
            return Ok(());
        }
        let reference = reference_of(blob)?;
        let mut missing = BTreeSet::new();
        for index in reference.plan().indexes() {
            let key = chunk_key(message, index.get());
            if self.store.get(Table::Chunks, &key)?.is_none() {
                missing.insert(index);
            }
        }
        self.files.waiting.remove(&message);
        let file = File {
            sender,
            blob: reference,
            missing,
        };
        self.files.expect(message, file);
        Ok(())
    }

    /// Takes a piece of a file: what the envelope with this id holds.
    pub(crate) fn deliver_chunk(
        &mut self,
        now: Instant,
        (message, index): (MessageId, ChunkIndex),
        id: &ItemId,
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
            id: id.as_bytes().to_vec(),
            content: opened.content.to_vec(),
        };
        self.save(&chunk_key(message, index.get()), &chunk)?;
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
                load(&self.store, &chunk_key(message, index.get()))?.ok_or(NodeError::Record)?;
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
        if sound {
            blob.complete = true;
            blob.key.clear();
            self.save(&message.0.to_be_bytes(), &blob)?;
            self.files.forget(message);
        } else {
            self.discard_file(message, ContactId(record.contact))?;
        }
        self.start_waiting_files()?;
        let told = self.describe_incoming(message, record)?;
        self.tell(if sound {
            Event::FileComplete(told)
        } else {
            Event::FileGivenUp(told)
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
                load(&self.store, &chunk_key(message, index.get()))?.ok_or(NodeError::Record)?;
            content.extend_from_slice(&chunk.content);
        }
        Ok(Some(content))
    }
}

/// What the chunks of a file are recognised and checked by.
fn reference_of(blob: &BlobRecord) -> Result<BlobReference, NodeError> {
    let key = blob.key.as_slice().try_into();
    let root = blob.root.as_slice().try_into();
    let plan = BlobPlan::new(ByteCount::new(blob.size));
    match (key, root, plan) {
        (Ok(key), Ok(root), Ok(plan)) => Ok(BlobReference::new(
            BlobKey::new(key),
            BlobRoot::new(root),
            plan,
        )),
        _ => Err(NodeError::Record),
    }
}

/// The key of a chunk in its table.
pub(crate) fn chunk_key(message: MessageId, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    let bytes = message
        .0
        .to_be_bytes()
        .into_iter()
        .chain(index.to_be_bytes());
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = from;
    }
    key
}
