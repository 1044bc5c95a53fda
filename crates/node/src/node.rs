//! The node itself: one `handle_input`, one `poll_output`.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};

use chappe_envelope::blob::BlobPlan;
use chappe_gossip::{Copies, Router, policies};
use chappe_omemo::Device;
use chappe_omemo::ciphermachine::KeyRing;
use chappe_wire::{ByteCount, Duration, Instant, ItemId, LinkId, Outline, Tag};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use crate::chains::{ChainId, Chains};
use crate::clock::PoweredClock;
use crate::contact::ContactId;
use crate::deletion::Purges;
use crate::file::Files;
use crate::message::MessageId;
use crate::neighbour::{HopIdentity, Neighbour};
use crate::outbox::Outbox;
use crate::output::Event;
use crate::people::People;
use crate::quota::Room;
use crate::receipts::Batches;
use crate::record::{self, COUNTERS_KEY, CounterRecord, Record, SELF_KEY, SessionsRecord};
use crate::room::Rooms;
use crate::{CommandError, Input, NodeConfig, Output, PolicyChoice, Store, StoreError, Table};

/// How often the powered clock is written down when nothing else is.
const CLOCK_INTERVAL: Duration = Duration::from_minutes(5);

/// How long a neighbour that sends much waits for the answer to what came first. Short beside the time that a message is on
/// its way, long beside what a radio needs for an envelope.
const ANSWER_WITHIN: Duration = Duration::from_millis(100);

/// A whole node.
///
/// # The calling contract
///
/// 1. Hand in one input, or a few milliseconds' worth of them, with [`Node::handle_input`].
/// 2. Call [`Node::poll_output`] until it answers [`Output::Timeout`], and do what the others say. The first
///    call commits what the inputs changed; nothing is told to anyone before that.
/// 3. Wait for an input, or for the moment in `Output::Timeout`: then hand in [`Input::Timeout`]. Spurious
///    timeouts are harmless.
///
/// Where the store refuses, [`Output::StoreFailed`] comes instead of everything that was to be said: take the
/// store back with [`Node::into_store`], and build a new node from it. All links have to be closed then, and
/// every command that was not answered has failed.
pub struct Node<S> {
    pub(crate) config: NodeConfig,
    pub(crate) store: S,
    pub(crate) clock: PoweredClock,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) me: Option<Myself>,
    pub(crate) hop_identity: HopIdentity,
    pub(crate) links: BTreeMap<LinkId, Neighbour>,
    pub(crate) router: Router,
    pub(crate) people: People,
    pub(crate) chains: Chains,
    pub(crate) outbox: Outbox,
    pub(crate) files: Files,
    pub(crate) rooms: Rooms,
    pub(crate) purges: Purges,
    pub(crate) room: Room,
    pub(crate) batches: Batches,
    /// Contacts that wait for an answer to their key exchange, and until when.
    pub(crate) answers: BTreeMap<ContactId, Instant>,
    pub(crate) counters: CounterRecord,
    /// Tags of carried envelopes; a relay keeps none, for it recognises none.
    pub(crate) held: BTreeSet<(Tag, ItemId)>,
    /// Carried envelopes that turned out to be for this node.
    pub(crate) found: VecDeque<ItemId>,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) dirty: bool,
    failed: Option<StoreError>,
    settled: bool,
    /// Makes ingress numbers of hop keys; new at each start, so that no neighbour log is kept.
    pub(crate) ingress_secret: [u8; 16],
    now: Instant,
    clock_written: Instant,
}

/// The person behind a node.
pub(crate) struct Myself {
    pub(crate) name: String,
    pub(crate) jid: String,
    pub(crate) device: Device,
}

impl Myself {
    pub(crate) fn fingerprint(&self) -> String {
        self.device.identity().fingerprint().to_string()
    }
}

impl<S: Store> Node<S> {
    /// A node over `store`: as the store left it, or new, if the store is empty. `seed` is 32 fresh random
    /// bytes; all randomness of this run comes from it.
    ///
    /// # Errors
    /// [`NodeError`]; nothing was committed to the store.
    pub fn new(
        now: Instant,
        config: NodeConfig,
        mut store: S,
        seed: [u8; 32],
    ) -> Result<Self, NodeError> {
        // What a node before this one left undone must not be committed by this one.
        store.rollback();
        let mut rng = ChaCha20Rng::from_seed(seed);
        let (me, hop_key) = crate::identity::load_or_make(&mut store, &config, &mut rng)?;
        let counters: CounterRecord = record::load(&store, COUNTERS_KEY)?.unwrap_or_default();
        let clock = PoweredClock::resume(Instant::from_micros(counters.powered), now);
        let mut ingress_secret = [0; 16];
        rng.fill_bytes(&mut ingress_secret);
        let mut router_seed = [0; 32];
        rng.fill_bytes(&mut router_seed);
        let mut router = Router::new(
            chappe_gossip::Config {
                answer_within: ANSWER_WITHIN,
                capacity: config.capacity,
                ..chappe_gossip::Config::default()
            },
            match config.policy {
                PolicyChoice::Epidemic => Box::new(policies::Epidemic),
                PolicyChoice::MeasuredSpray => Box::new(policies::MeasuredSpray::default()),
                PolicyChoice::SprayAndPull(policy) => Box::new(policy),
                PolicyChoice::SprayAndWait { copies } => Box::new(policies::SprayAndWait {
                    copies: Copies::new(copies),
                }),
            },
            router_seed,
        );
        let now = clock.read(now);
        let hop_identity = match me {
            Some(_) => HopIdentity::passing(hop_key, now, &mut rng),
            None => HopIdentity::lasting(hop_key, &mut rng),
        };
        router.set_outline_salt(Outline::salt(hop_identity.nonce()));
        let room = Room::new(store.free()?.get());
        let mut node = Self {
            config,
            store,
            clock,
            rng,
            me,
            hop_identity,
            links: BTreeMap::new(),
            router,
            people: People::default(),
            chains: Chains::default(),
            outbox: Outbox::default(),
            files: Files::default(),
            rooms: Rooms::default(),
            purges: Purges::default(),
            room,
            batches: Batches::default(),
            answers: BTreeMap::new(),
            counters,
            held: BTreeSet::new(),
            found: VecDeque::new(),
            outputs: VecDeque::new(),
            dirty: true,
            failed: None,
            settled: false,
            ingress_secret,
            now,
            clock_written: now,
        };
        node.restore_people()?;
        node.give_up_used_keys()?;
        node.restore_custody(now)?;
        // What was found but not delivered when the last run ended.
        node.look_again();
        node.start_waiting_files()?;
        Ok(node)
    }

    /// Takes one input.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if self.failed.is_some() {
            return;
        }
        let now = self.clock.read(now).max(self.now);
        self.now = now;
        self.settled = false;
        let result = match input {
            Input::Invitation(link, invitation) => {
                self.invited(now, link, invitation);
                Ok(())
            }
            Input::LinkUp(up) => {
                self.link_up(now, up);
                Ok(())
            }
            Input::LinkDown(link) => {
                self.link_down(now, link);
                Ok(())
            }
            Input::Received { link, packet } => self.packet(now, link, packet),
            Input::Drained { link, packets } => {
                self.drained(link, packets);
                Ok(())
            }
            Input::Command(id, command) => match self.command(now, command) {
                Err(CommandError::Store(error)) => Err(NodeError::Store(error)),
                result => {
                    self.outputs.push_back(Output::Reply(id, result));
                    Ok(())
                }
            },
            Input::Timeout => self.timeout(now),
        };
        self.note(result);
    }

    /// What is to be done next, see the calling contract.
    pub fn poll_output(&mut self) -> Option<Output> {
        if !self.settled {
            let result = self.settle();
            self.note(result);
            self.settled = true;
        }
        if let Some(error) = self.failed {
            self.outputs.clear();
            return Some(Output::StoreFailed(error));
        }
        let next = self.outputs.pop_front();
        Some(next.unwrap_or_else(|| Output::Timeout(self.clock.to_driver(self.deadline()))))
    }

    /// The seed of this node's identity, to be kept apart from the store; `None` on a relay.
    pub fn identity_seed(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.me
            .as_ref()
            .map(|me| Zeroizing::new(*me.device.identity().seed()))
    }

    /// Gives the store back, without what was not committed.
    pub fn into_store(mut self) -> S {
        self.store.rollback();
        self.store
    }

    /// Brings everything to rest that the inputs have set in motion, and commits it.
    fn settle(&mut self) -> Result<(), NodeError> {
        let now = self.now;
        self.changes(now)?;
        self.deliver_found(now)?;
        self.purge_some()?;
        self.changes(now)?;
        self.pump(now)?;
        self.changes(now)?;
        if self.dirty || now.since(self.clock_written) >= CLOCK_INTERVAL {
            self.commit(now)?;
        }
        Ok(())
    }

    /// Commits what is open, with the counters and the powered clock as they are now.
    pub(crate) fn commit(&mut self, now: Instant) -> Result<(), NodeError> {
        self.counters.powered = now.as_micros();
        self.clock_written = now;
        let counters = self.counters.clone();
        self.save(COUNTERS_KEY, &counters)?;
        self.store.commit()?;
        self.dirty = false;
        self.measure_room()
    }

    fn timeout(&mut self, now: Instant) -> Result<(), NodeError> {
        self.hop_timeouts(now)?;
        self.router.handle_timeout(now);
        self.answer_due(now)?;
        self.give_files_up(now)?;
        self.rotate_prekey(now)?;
        self.let_receipts_go(now)
    }

    fn deadline(&self) -> Instant {
        if !self.found.is_empty() || !self.purges.is_empty() {
            return self.now;
        }
        self.hop_deadline()
            .min(self.router.poll_timeout())
            .min(self.batches.deadline())
            .min(self.files.deadline())
            .min(self.rotation_due())
            .min(
                self.answers
                    .values()
                    .copied()
                    .min()
                    .unwrap_or(Instant::NEVER),
            )
            .min(self.clock_written.after(CLOCK_INTERVAL))
    }

    fn note(&mut self, result: Result<(), NodeError>) {
        if let Err(error) = result {
            self.failed = Some(match error {
                NodeError::Store(error) => error,
                _ => StoreError::Corrupt,
            });
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn save<R: Record>(&mut self, key: &[u8], record: &R) -> Result<(), NodeError> {
        self.dirty = true;
        self.room.spend(key, record.encoded_len());
        Ok(record::save(&mut self.store, key, record)?)
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), NodeError> {
        self.dirty = true;
        Ok(self.store.delete(table, key)?)
    }

    pub(crate) fn save_device(&mut self) -> Result<(), NodeError> {
        let Some(me) = &self.me else { return Ok(()) };
        let mut record: record::SelfRecord =
            record::load(&self.store, SELF_KEY)?.ok_or(NodeError::Record)?;
        record.device = me.device.to_bytes().to_vec();
        self.save(SELF_KEY, &record)
    }

    pub(crate) fn save_contact(&mut self, id: ContactId) -> Result<(), NodeError> {
        let Ok(person) = self.people.person(id) else {
            return Ok(());
        };
        let record = person.record.clone();
        self.save(&id.0.to_be_bytes(), &record)
    }

    pub(crate) fn save_sessions(&mut self, id: ContactId) -> Result<(), NodeError> {
        let Ok(person) = self.people.person(id) else {
            return Ok(());
        };
        let record = SessionsRecord {
            sessions: person.sessions.to_bytes().to_vec(),
            machine_keys: person
                .ring
                .iter()
                .flat_map(KeyRing::keys)
                .map(|key| key.as_bytes().to_vec())
                .collect(),
        };
        self.save(&id.0.to_be_bytes(), &record)
    }

    pub(crate) fn save_chain(&mut self, id: ChainId) -> Result<(), NodeError> {
        let Some(record) = self.chains.record(id) else {
            return Ok(());
        };
        self.save(&id.0.to_be_bytes(), &record)
    }

    pub(crate) fn next_message(&mut self) -> Result<MessageId, NodeError> {
        self.counters.messages = self.counters.messages.saturating_add(1);
        Ok(MessageId(self.counters.messages))
    }

    pub(crate) fn next_contact(&mut self) -> ContactId {
        self.counters.contacts = self.counters.contacts.saturating_add(1);
        ContactId(self.counters.contacts)
    }

    pub(crate) fn next_chain(&mut self) -> ChainId {
        self.counters.chains = self.counters.chains.saturating_add(1);
        ChainId(self.counters.chains)
    }

    pub(crate) fn chunk_count(&self, size: u64) -> u32 {
        BlobPlan::new(ByteCount::new(size))
            .map(|plan| plan.chunks())
            .unwrap_or_default()
    }
}

/// Why a node cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds something that this version does not understand.
    #[error("the store holds a record that this version cannot read")]
    Record,
    /// The JID of the profile is none.
    #[error("a JID looks like name@example.org, without a resource")]
    Jid,
    /// The name of the profile has characters that hide or reorder others.
    #[error("a name is one line of plain text")]
    Name,
    /// The store belongs to a relay, or to a person, and the configuration says otherwise.
    #[error("this store was made for the other role (relay or person)")]
    WrongRole,
}
