//! A store that is an older copy of itself: a backup that was put back. Keys in it were used already, so none of
//! them is used to send again, and people are told.

use alloc::vec::Vec;

use crate::contact::ContactId;
use crate::output::Event;
use crate::room::RoomId;
use crate::{Node, NodeError, Store};

impl<S: Store> Node<S> {
    /// Gives up what must not be used twice, if commits are missing. In one transaction with the first commit, which
    /// is what makes the store forget that they are.
    ///
    /// Gone are all sessions, the chains to send on, and contact URIs that nobody had used when the copy was made:
    /// whoever has used one since could be read again. In rooms this node speaks with other keys. What stays are contacts
    /// with their identity keys, and the messages of then.
    pub(crate) fn give_up_used_keys(&mut self) -> Result<(), NodeError> {
        let commits = self.store.lost_commits()?;
        if commits == 0 {
            return Ok(());
        }
        let contacts: Vec<ContactId> = self.people.iter().map(|(contact, _)| contact).collect();
        for contact in contacts {
            if let Ok(person) = self.people.person_mut(contact) {
                person.sessions.abandon();
            }
            self.save_sessions(contact)?;
            for chain in self.chains.sending_to(contact) {
                self.forget_chain(chain)?;
            }
        }
        let rooms: Vec<RoomId> = self.rooms.iter().map(|(id, _)| id).collect();
        for id in rooms {
            if let (Some(me), Some(room)) = (self.own_speaker(id), self.rooms.room_mut(id)) {
                room.go_past_what_is_forgotten(&mut self.rng, me);
            }
            self.save_room(id)?;
        }
        if self.me.is_some() {
            self.forget_unused_invites()?;
        }
        self.tell(Event::OlderCopy { commits });
        Ok(())
    }
}
