//! What happens when the store refuses.

use std::sync::Arc;
use std::sync::Mutex;

use chappe_node::{Command, CommandError, NodeConfig, Profile, Reply, Store, StoreError, Table};
use chappe_store::MemoryStore;
use chappe_wire::ByteCount;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::store::SharedStore;
use super::{MAX_FAILURES, Seat, run};
use crate::handle::Order;
use crate::{StartError, Update};

/// What the next commits end with.
type Refusal = Arc<Mutex<Option<StoreError>>>;

/// A store in memory that refuses to commit when it is told to.
struct Faulty {
    inner: MemoryStore,
    refusal: Refusal,
}

impl Store for Faulty {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.inner.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.inner.delete(table, key)
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.inner.scan(table, after, limit)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        match *self.refusal.lock().unwrap() {
            Some(error) => {
                self.inner.rollback();
                Err(error)
            }
            None => self.inner.commit(),
        }
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }
}

/// A node over a faulty store, and a way to ask it.
struct Patient {
    orders: mpsc::Sender<Order>,
    updates: broadcast::Receiver<Update>,
    refusal: Refusal,
}

impl Patient {
    /// Runs `test` beside a driver, until the driver ends.
    async fn run(test: impl AsyncFnOnce(Self)) -> Result<(), StartError> {
        let refusal = Refusal::default();
        let store = SharedStore::new(Faulty {
            inner: MemoryStore::new(ByteCount::from_mib(64)),
            refusal: Arc::clone(&refusal),
        });
        let config = NodeConfig::person(Profile {
            name: "north".into(),
            jid: None,
            identity: None,
        });
        let seat = Seat::over(store, config);
        let (orders, receiver) = mpsc::channel(4);
        let (sender, updates) = broadcast::channel(64);
        let (started, _starting) = oneshot::channel();
        let patient = Self {
            orders,
            updates,
            refusal,
        };
        let mut started = Some(started);
        let driver = run(&seat, Vec::new(), receiver, sender, &mut started);
        tokio::join!(driver, test(patient)).0.map(drop)
    }

    fn refuse(&self, error: Option<StoreError>) {
        *self.refusal.lock().unwrap() = error;
    }

    /// `None` once the driver has ended.
    async fn ask(&self, command: Command) -> Option<Result<Reply, CommandError>> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(Order::Command(command, reply))
            .await
            .ok()?;
        answer.await.ok()
    }

    async fn fingerprint(&self) -> Option<String> {
        match self.ask(Command::Status).await? {
            Ok(Reply::Status(status)) => Some(status.fingerprint),
            other => panic!("{other:?}"),
        }
    }

    /// Adds a contact: something that has to be committed.
    async fn add(&self, name: &str) -> Option<Result<Reply, CommandError>> {
        let command = Command::AddPair {
            name: name.into(),
            secret: [name.len() as u8; 32],
            initiator: true,
        };
        self.ask(command).await
    }

    async fn contacts(&self) -> usize {
        match self.ask(Command::Contacts).await {
            Some(Ok(Reply::Contacts(contacts))) => contacts.len(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_fails_commands_and_ends_nothing() {
    Patient::run(async |mut patient| {
        let before = patient.fingerprint().await.unwrap();
        assert!(matches!(patient.add("kept").await, Some(Ok(_))));
        patient.refuse(Some(StoreError::Full));
        for _ in 0..3 * MAX_FAILURES {
            let refused = patient.add("refused").await.unwrap();
            assert_eq!(refused.unwrap_err(), CommandError::Store(StoreError::Full));
        }
        let told = patient.updates.recv().await.unwrap();
        assert!(
            matches!(told, Update::StoreFailed(StoreError::Full)),
            "{told:?}"
        );

        patient.refuse(None);
        // It comes back by itself, after a pause.
        let contacts = loop {
            match patient.ask(Command::Contacts).await.unwrap() {
                Ok(Reply::Contacts(contacts)) => break contacts.len(),
                _ => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
            }
        };
        assert_eq!(contacts, 1, "what was refused changed nothing");
        assert!(matches!(patient.add("again").await, Some(Ok(_))));
        assert_eq!(patient.contacts().await, 2);
        assert_eq!(patient.fingerprint().await.unwrap(), before);
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_broken_ends_the_node() {
    Patient::run(async |patient| {
        assert!(matches!(patient.add("kept").await, Some(Ok(_))));
        patient.refuse(Some(StoreError::Io));
        let mut refusals = 0;
        while let Some(refused) = patient.add("refused").await {
            assert_eq!(refused.unwrap_err(), CommandError::Store(StoreError::Io));
            refusals += 1;
            assert!(refusals < 1_000, "it goes on for ever");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(refusals >= MAX_FAILURES);
    })
    .await
    .unwrap();
}
