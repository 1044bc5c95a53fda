//! The manual, in three short chapters.

pub mod getting_started {
    //! Getting started.
    //!
    //! 1. **Make a home**, once: [`Home::create`](crate::Home::create) makes the keys of a person, or of a relay,
    //!    in a folder. With a passphrase the key of the store is wrapped under it; without, it lies in a file that
    //!    only its owner can read. [`Builder::in_memory`](crate::Builder::in_memory) needs no home and forgets
    //!    everything.
    //! 2. **Start a node**: [`Builder::at`](crate::Builder::at), [`transport`](crate::Builder::transport) for each
    //!    radio, [`start`](crate::Builder::start). Without radios a node still takes commands.
    //! 3. **Meet people**: each side makes a URI with [`Chappe::invite`](crate::Chappe::invite) and hands it to the
    //!    other's [`Chappe::add_contact`](crate::Chappe::add_contact), as text or as a QR code. Scanned face to face
    //!    it proves who the other one is; otherwise both compare [`Chappe::safety_number`](crate::Chappe::safety_number)
    //!    and call [`Chappe::verify`](crate::Chappe::verify). A URI is for one person; make a fresh one for the next.
    //! 4. **Write**: [`Chappe::send`](crate::Chappe::send) answers once the message is on disk.
    //!    [`Event::Sent`](crate::Event::Sent) and [`Chappe::outbox`](crate::Chappe::outbox) tell how far it is.
    //! 5. **Read**: [`Event::Received`](crate::Event::Received) tells of each message once, and
    //!    [`Chappe::inbox`](crate::Chappe::inbox) has them all. After [`Update::Lagged`](crate::Update::Lagged), ask
    //!    the inbox for what came after the last number that you know.
    //! 6. **Lock**, if the two want to: [`Chappe::lock`](crate::Chappe::lock) on both sides with one
    //!    [`MachineKey`](crate::MachineKey), exchanged face to face as words or a QR code. Then OMEMO's keys alone read
    //!    nothing. What cannot be unlocked is [`Content::Locked`](crate::Content::Locked) until the right key is set.
    //!
    //! ```
    //! use chappe::{Builder, CommandError, Draft, Error, MessageId, Profile};
    //!
    //! # #[tokio::main(flavor = "current_thread")]
    //! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    //! let (north, _) = Builder::in_memory(Profile::named("north")).start().await?;
    //! let (south, _) = Builder::in_memory(Profile::named("south")).start().await?;
    //!
    //! let contact = north.add_contact(&south.invite().await?, None, false).await?;
    //! south.add_contact(&north.invite().await?, None, false).await?;
    //!
    //! // Pasted, not scanned: both read the same number to each other.
    //! let number = north.safety_number(contact.id).await?;
    //! let theirs = south.contacts().await?.remove(0).id;
    //! assert_eq!(number, south.safety_number(theirs).await?);
    //! north.verify(contact.id, number).await?;
    //!
    //! let id = north.send(contact.id, Draft::Text("hello".into())).await?;
    //! assert_eq!(id, north.outbox().await?[0].id);
    //! let empty = north.send(contact.id, Draft::Text(String::new())).await;
    //! assert_eq!(empty, Err(Error::Command(CommandError::Empty)));
    //! north.close().await;
    //! south.close().await;
    //! # Ok(())
    //! # }
    //! ```
}

pub mod own_omemo {
    //! Bring your own OMEMO.
    //!
    //! A messenger that has its ratchets already keeps them. For each contact device it agrees on a secret of 32
    //! random bytes, by a message of its own for example, and both ends hand it to
    //! [`Chappe::add_pair`](crate::Chappe::add_pair); exactly one of them is the initiator. From then on:
    //!
    //! - [`Chappe::send_opaque`](crate::Chappe::send_opaque) takes the serialised `<encrypted/>` element, or any
    //!   other bytes, seals them into an envelope and has them carried;
    //! - [`Event::Received`](crate::Event::Received) brings them at the other end as
    //!   [`Content::Opaque`](crate::Content::Opaque), once, with the contact whose secret opened the envelope.
    //!
    //! The secret is for the envelope only: whoever has it can recognise and open envelopes, and still not read
    //! the OMEMO inside. It must be another one for each pair of devices, and is never to be used again.
    //!
    //! ```
    //! use chappe::{Builder, Profile};
    //!
    //! # #[tokio::main(flavor = "current_thread")]
    //! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    //! let (node, _) = Builder::in_memory(Profile::named("north")).start().await?;
    //! let contact = node.add_pair("south, phone", [7; 32], true).await?;
    //! node.send_opaque(contact.id, b"<encrypted xmlns='urn:xmpp:omemo:2'/>".to_vec()).await?;
    //! node.close().await;
    //! # Ok(())
    //! # }
    //! ```
}

pub mod promises {
    //! What is promised, and what is not.
    //!
    //! **Promised**
    //! - What [`Chappe::send`](crate::Chappe::send) answered is on disk. The outbox keeps it until it is delivered
    //!   or its lifetime is over, and says which.
    //! - What arrived is on disk, together with its advanced keys, before it is told. It is told once.
    //! - [`Delivered`](crate::Delivery::Delivered) means that the recipient's device has it: only that device can
    //!   have made the receipt.
    //! - Who carries a message sees a sealed envelope: a random-looking tag, one of five sizes, a lifetime class.
    //! - A neighbour cannot end the process, and makes it hold a bounded amount of memory.
    //!
    //! **Not promised**
    //! - That a message arrives: nobody may meet. Nor how soon.
    //! - That a relay keeps what it took: it evicts by policy, and counts it.
    //! - That nobody learns that radios are near each other, or how much they exchange.
    //! - That the clock counts while the machine is off: lifetimes are of powered time. On Linux suspend counts;
    //!   elsewhere it depends on the system.
    //! - That a damaged store can be read. The identity outlives it, contacts and messages do not
    //!   ([`Home::move_store_aside`](crate::Home::move_store_aside)).
}
