#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

use std::io;
use std::sync::{Arc, Mutex};

use chappe_link::{LinkUp, Running};
use futures_util::stream;

use super::super::radio::Events;
use super::*;
use crate::packets::Packets;
use crate::{Beacon, Greeting};

/// Radios in memory. Everybody is near; how each answers is set.
#[derive(Clone, Default)]
struct Air(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    listeners: Vec<mpsc::Sender<Event<u8>>>,
    answers: BTreeMap<u8, Answer>,
    scans: bool,
    broken: bool,
    connected: Vec<u8>,
    hung_up: Vec<u8>,
}

/// What somebody does who is connected to.
#[derive(Clone, Copy)]
enum Answer {
    /// Greets, and sends back whatever it gets.
    Echo,
    /// Greets as if somebody else had connected.
    Mistakes,
    /// Refuses the connection.
    Refuses,
    /// Says nothing.
    Silent,
}

impl Air {
    fn with(answers: &[(u8, Answer)]) -> Self {
        let air = Self::default();
        air.state(|state| state.answers = answers.iter().copied().collect());
        air
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn tell(&self, event: Event<u8>) {
        self.state(|state| {
            state
                .listeners
                .retain(|listener| listener.try_send(event.clone()).is_ok());
        });
    }

    fn beacon(&self, id: u8) {
        let beacon = Beacon {
            psm: None,
            token: token(id),
        };
        self.tell(Event::Heard(id, beacon));
    }

    /// A station on this air that runs.
    fn station(&self, options: BleOptions) -> (Running, mpsc::Receiver<TransportEvent>) {
        let (sender, events) = mpsc::channel(8);
        let station = Station::new(self.clone(), options, sender).unwrap();
        (Running::spawn(|stop| station.run(stop)), events)
    }
}

impl Radio for Air {
    type Id = u8;
    type Channel = Channel;

    async fn events(&self) -> Result<Events<u8>, String> {
        let (sender, receiver) = mpsc::channel(64);
        self.state(|state| state.listeners.push(sender));
        let next = |mut receiver: mpsc::Receiver<_>| async {
            let event = receiver.recv().await;
            event.map(|event| (event, receiver))
        };
        Ok(Box::pin(stream::unfold(receiver, next)))
    }

    async fn scan(&self, on: bool) -> Result<(), String> {
        self.state(|state| {
            state.scans = on;
            match state.broken {
                true => Err("it is broken".to_owned()),
                false => Ok(()),
            }
        })
    }

    async fn connect(&self, id: &u8, _: Duration) -> Result<Channel, String> {
        let (answer, scans) = self.state(|state| {
            state.connected.push(*id);
            (state.answers.get(id).copied(), state.scans)
        });
        assert!(!scans, "it scans while it connects");
        let Some(answer) = answer.filter(|answer| !matches!(answer, Answer::Refuses)) else {
            return Err("refused".to_owned());
        };
        let (to, mut there) = mpsc::channel::<Vec<u8>>(8);
        let (back, from) = mpsc::channel(8);
        let token = token(*id);
        tokio::spawn(async move {
            while let Some(packet) = there.recv().await {
                let told = Greeting::decode(&packet);
                let packet = match (answer, told) {
                    (Answer::Echo, Ok(told)) => Greeting {
                        from: token,
                        to: told.from,
                    }
                    .encode()
                    .to_vec(),
                    (Answer::Mistakes, Ok(_)) => Greeting {
                        from: token,
                        to: token,
                    }
                    .encode()
                    .to_vec(),
                    (Answer::Echo, Err(_)) => packet,
                    _ => continue,
                };
                let _ = back.send(packet).await;
            }
        });
        Ok(Channel {
            to,
            from: tokio::sync::Mutex::new(from),
        })
    }

    async fn disconnect(&self, id: &u8) {
        self.state(|state| state.hung_up.push(*id));
    }
}

struct Channel {
    to: mpsc::Sender<Vec<u8>>,
    from: tokio::sync::Mutex<mpsc::Receiver<Vec<u8>>>,
}

impl Packets for Channel {
    fn bearer(&self) -> &'static str {
        "ble-gatt"
    }

    fn mtu(&self) -> usize {
        20
    }

    fn reliable(&self) -> bool {
        true
    }

    async fn send(&self, packet: &[u8]) -> io::Result<()> {
        let sent = self.to.send(packet.to_vec()).await;
        sent.map_err(io::Error::other)
    }

    async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.from.lock().await.recv().await)
    }
}

fn token(id: u8) -> Token {
    Token::new([id; 8])
}

async fn link(events: &mut mpsc::Receiver<TransportEvent>) -> LinkUp {
    loop {
        let event = timeout(Duration::from_secs(120), events.recv()).await;
        if let TransportEvent::LinkUp(link) = event.unwrap().unwrap() {
            return link;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_heard_is_connected_to_and_packets_go_both_ways() {
    // The smallest token and the largest: whose part it is to connect does not matter to a node that nobody hears.
    for id in [0, 255] {
        let air = Air::with(&[(id, Answer::Echo)]);
        let (running, mut events) = air.station(BleOptions::on("hci0"));
        sleep(Duration::from_secs(1)).await;
        air.beacon(id);
        let mut up = link(&mut events).await;
        assert_eq!(up.info.label, token(id).to_string());
        assert!(up.info.initiator && up.info.mtu == 20);
        up.outgoing.send(vec![7; 20]).await.unwrap();
        assert_eq!(up.incoming.recv().await, Some(vec![7; 20]));
        drop(up);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(air.state(|state| state.hung_up.clone()).last(), Some(&id));
        running.stop().await;
        assert!(!air.state(|state| state.scans));
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_keeps_nobody_waiting() {
    let air = Air::with(&[
        (1, Answer::Silent),
        (2, Answer::Refuses),
        (3, Answer::Mistakes),
        (4, Answer::Echo),
    ]);
    let (_running, mut events) = air.station(BleOptions::on("hci0"));
    sleep(Duration::from_secs(1)).await;
    (1..=4).for_each(|id| air.beacon(id));
    let up = link(&mut events).await;
    assert_eq!(up.info.label, token(4).to_string());
    let hung_up = air.state(|state| state.hung_up.clone());
    assert_eq!(hung_up, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_gone_ends_its_link_and_is_made_again() {
    let air = Air::with(&[(1, Answer::Echo), (2, Answer::Echo)]);
    let (_running, mut events) = air.station(BleOptions::on("hci0"));
    sleep(Duration::from_secs(1)).await;
    air.beacon(1);
    let mut first = link(&mut events).await;
    air.beacon(2);
    let mut other = link(&mut events).await;
    air.tell(Event::Gone(1));
    assert_eq!(first.incoming.recv().await, None);
    sleep(Duration::from_secs(30)).await;
    air.beacon(1);
    assert_eq!(link(&mut events).await.info.label, first.info.label);
    // The other one was not touched.
    other.outgoing.send(vec![1]).await.unwrap();
    assert_eq!(other.incoming.recv().await, Some(vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_is_off_is_told_once_and_used_again_when_it_is_on() {
    let air = Air::with(&[(1, Answer::Echo)]);
    let (_running, mut events) = air.station(BleOptions::on("hci0"));
    sleep(Duration::from_secs(1)).await;
    air.state(|state| state.broken = true);
    air.tell(Event::Off);
    let mut told = Vec::new();
    for _ in 0..2 {
        let event = timeout(Duration::from_secs(30), events.recv()).await;
        if let Ok(Some(TransportEvent::Trouble(trouble))) = event {
            told.push(trouble.to_string());
        }
    }
    assert!(
        told[0].contains("switched off") && told[1] == "it is broken",
        "{told:?}"
    );
    let again = timeout(Duration::from_secs(60), events.recv()).await;
    assert!(again.is_err(), "told twice: {again:?}");
    air.state(|state| state.broken = false);
    sleep(Duration::from_secs(15)).await;
    air.beacon(1);
    link(&mut events).await;
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_links_than_are_wanted() {
    let air = Air::with(&[(1, Answer::Echo), (2, Answer::Echo), (3, Answer::Echo)]);
    let (_running, mut events) = air.station("hci0,links=2".parse().unwrap());
    sleep(Duration::from_secs(1)).await;
    (1..=3).for_each(|id| air.beacon(id));
    let (_one, _two) = (link(&mut events).await, link(&mut events).await);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(air.state(|state| state.connected.clone()), [1, 2]);
}
