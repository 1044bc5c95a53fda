//! The process that is looked into: two devices, a conversation with both directions, gaps and a restart; then a room,
//! a further key and a link to a file.

use std::convert::Infallible;
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;

use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
use chappe_omemo::media::AesgcmLink;
use chappe_omemo::room::{RoomKey, SenderKey};
use chappe_omemo::{Device, DeviceId, Encrypted, Sessions};
use rand_chacha::rand_core::{TryCryptoRng, TryRng};

use crate::{Failure, wait_to_go_on};

/// Has them talk, hands their secrets over after each step, and drops them, but for one if `keep`.
pub(crate) fn run(keep: bool) -> Result<(), Failure> {
    // Not the standard output, which would keep copies in a buffer of its own.
    let mut out = File::create("/proc/self/fd/1")?;
    let kept = talk(&mut out, keep)?;
    out.write_all(b"dropped\n")?;
    wait_to_go_on()?;
    use_the_stack();
    out.write_all(b"overwritten\n")?;
    wait_to_go_on()?;
    black_box(kept);
    Ok(())
}

#[inline(never)]
fn talk(out: &mut File, keep: bool) -> Result<Option<Box<[u8; 32]>>, Failure> {
    let mut initiator = Peer::new("initiator", 1)?;
    let mut responder = Peer::new("responder", 2)?;
    let bundle = responder.device.bundle().verify()?;
    initiator
        .sessions
        .start(&mut System, &initiator.device, &bundle)?;
    for turn in 0..6 {
        let (from, to) = if turn % 2 == 0 {
            (&mut initiator, &mut responder)
        } else {
            (&mut responder, &mut initiator)
        };
        from.send()?; // lost, so that its key is kept
        from.hand_over(out)?;
        let sent = from.send()?;
        write_block(out, b"message")?;
        write_block(out, &[u8::from(sent.key_exchange)])?;
        write_block(out, &sent.key)?;
        from.hand_over(out)?;
        to.read(&sent)?;
        to.hand_over(out)?;
        to.restart()?;
    }
    speak_in_a_room(out)?;
    use_a_further_key(out)?;
    open_a_link(out)?;
    write_block(out, &[])?;
    Ok(keep.then(|| Box::new(*initiator.device.identity().seed())))
}

fn speak_in_a_room(out: &mut File) -> Result<(), Failure> {
    let mut sender = SenderKey::generate(&mut System);
    let mut reader = RoomKey::from_distribution(&sender.to_distribution())?;
    for _ in 0..2 {
        write_block(out, b"room")?;
        write_block(out, &sender.to_bytes())?;
        reader.open(b"room", &sender.seal(b"room", b"fog on the hill")?)?;
        reader = RoomKey::from_bytes(&reader.to_bytes())?;
        sender = SenderKey::from_bytes(&sender.to_bytes())?;
    }
    Ok(())
}

fn use_a_further_key(out: &mut File) -> Result<(), Failure> {
    let key = MachineKey::generate(&mut System);
    let read = [
        MachineKey::from_words(&key.to_words())?,
        MachineKey::from_uri(&key.to_uri())?,
    ];
    let ring = KeyRing::new(key);
    for key in read {
        let sealed = ring.seal(&mut System, b"", b"fog on the hill")?;
        KeyRing::new(MachineKey::from_bytes(key.as_bytes())).open(b"", &sealed)?;
        write_block(out, b"further key")?;
        write_block(out, key.as_bytes())?;
        write_block(out, &sealed)?;
    }
    Ok(())
}

fn open_a_link(out: &mut File) -> Result<(), Failure> {
    let mut key = Box::new([0; 32]);
    System.try_fill_bytes(&mut *key)?;
    let mut text = String::with_capacity(128);
    text.push_str("aesgcm://files.example.org/1#000000000000000000000000");
    for byte in &*key {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).ok_or("no digit")?);
        }
    }
    write_block(out, b"link")?;
    write_block(out, &*key)?;
    let link = AesgcmLink::parse(&text).ok_or("no link")?;
    // Not the file: it is tried, and refused.
    black_box(link.open(&[0; 64]));
    // This is the caller's, who wipes it.
    key.fill(0);
    black_box(key);
    Ok(())
}

struct Peer {
    name: &'static str,
    device: Device,
    sessions: Sessions,
}

impl Peer {
    fn new(name: &'static str, number: u32) -> Result<Self, Failure> {
        let id = DeviceId::new(number).ok_or("no device id")?;
        let mut device = Device::generate(&mut System, id, 25);
        device.rotate_signed_prekey(&mut System);
        Ok(Self {
            name,
            device,
            sessions: Sessions::new(),
        })
    }

    fn send(&mut self) -> Result<Encrypted, Failure> {
        Ok(self
            .sessions
            .encrypt(&mut System, Some(b"fog on the hill"))?)
    }

    fn read(&mut self, sent: &Encrypted) -> Result<(), Failure> {
        self.sessions.decrypt(&mut self.device, &sent.incoming())?;
        Ok(())
    }

    /// Comes back from its bytes.
    fn restart(&mut self) -> Result<(), Failure> {
        self.device = Device::from_bytes(&self.device.to_bytes())?;
        self.sessions = Sessions::from_bytes(&self.sessions.to_bytes())?;
        Ok(())
    }

    fn hand_over(&self, out: &mut File) -> Result<(), Failure> {
        write_block(out, self.name.as_bytes())?;
        write_block(out, &self.device.to_bytes())?;
        write_block(out, &self.sessions.to_bytes())
    }
}

fn write_block(out: &mut File, bytes: &[u8]) -> Result<(), Failure> {
    out.write_all(&u32::try_from(bytes.len())?.to_be_bytes())?;
    Ok(out.write_all(bytes)?)
}

/// What any program does next: calls that use the stack for something else.
#[inline(never)]
fn use_the_stack() {
    black_box([0x55_u8; 256 * 1024]);
}

/// The system's generator, without a buffer.
struct System;

impl TryRng for System {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[expect(
        clippy::expect_used,
        reason = "without randomness this program has nothing to show"
    )]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(bytes).expect("the system has a generator");
        Ok(())
    }
}

impl TryCryptoRng for System {}
