//! What happens next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;
use std::slice::Iter;

use crate::event::{ContactEvent, MessageEvent, SimTime};

/// What is due, and when. Of one instant, what was scheduled first comes first.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    heap: BinaryHeap<Reverse<(SimTime, u64, T)>>,
    count: u64,
}

impl<T: Ord> Timers<T> {
    pub(crate) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            count: 0,
        }
    }

    pub(crate) fn schedule(&mut self, at: SimTime, timer: T) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, timer)));
    }

    fn next(&self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|Reverse((.., timer))| timer)
    }
}

/// Something that happens.
pub(crate) enum Happening<'a, T> {
    Due(T),
    Contact(ContactEvent),
    Written(&'a MessageEvent),
}

/// All that happens in a run, until its end. Of one instant, what is due comes first, then contacts end and begin in the
/// order in which they are given, then messages are written.
pub(crate) struct Happenings<'a, C: Iterator<Item = ContactEvent>> {
    contacts: Peekable<C>,
    messages: Peekable<Iter<'a, MessageEvent>>,
    end: SimTime,
}

impl<'a, C: Iterator<Item = ContactEvent>> Happenings<'a, C> {
    pub(crate) fn new(contacts: C, messages: &'a [MessageEvent], end: SimTime) -> Self {
        Self {
            contacts: contacts.peekable(),
            messages: messages.iter().peekable(),
            end,
        }
    }

    /// What is next, and when.
    pub(crate) fn next<T: Ord>(
        &mut self,
        timers: &mut Timers<T>,
    ) -> Option<(SimTime, Happening<'a, T>)> {
        let timer = timers.next();
        let contact = self.contacts.peek().map(|event| event.at);
        let message = self.messages.peek().map(|event| event.at);
        let next = [timer, contact, message].into_iter().flatten().min();
        let now = next.filter(|next| *next <= self.end)?;
        let happening = if timer == Some(now) {
            Happening::Due(timers.pop()?)
        } else if contact == Some(now) {
            Happening::Contact(self.contacts.next()?)
        } else {
            Happening::Written(self.messages.next()?)
        };
        Some((now, happening))
    }
}
