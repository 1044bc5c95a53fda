//! Moving up: where bulk waits for a neighbour on a slow link, the two agree on a group, and go on there.
//!
//! ```text
//!  has bulk to give                                    the other
//!  Output::Upgrade(Invite)   its radio makes a group
//!  Input::Invitation      -- Invitation (slow hop) -->
//!                                                      Output::Upgrade(Join)   its radio joins
//!                    <== the fast link comes up ==>
//!  both rest the slow link: its hop stays, the router forgets it
//!                    <== the fast link is gone  ==>
//!                         -- Resumed (slow hop) -->    both give the slow link to the router again
//! ```
//!
//! Two links are of one neighbour where the nonces in their hellos are the same; a link that is older than the epoch is told
//! the nonce of today (`Named`) before the two agree. What was acknowledged on one link is
//! known to both ends, so that the reconciliation on the other finds nothing of it; what was not is found there.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use chappe_gossip::LinkSetup;
use chappe_hop::{Mtu, Role};
use chappe_wire::proto::{Named, Resumed, frame::Body};
use chappe_wire::{
    ByteCount, CAN_MOVE_UP, Duration, Hello, Instant, Invitation, LinkId, NodeNonce, Outline,
    decode_frame, encode_frame,
};

use crate::neighbour::Neighbour;
use crate::output::Output;
use crate::{Node, Store};

/// A link with packets so long is a stream over IP: fast enough for bulk. Neither Bluetooth LE nor the air as it comes has
/// them.
pub const BULK_MTU: usize = 12 * 1024;
/// Bulk is more than this, in bytes that the neighbour waits for.
pub const MOVE_UP_ABOVE: ByteCount = ByteCount::new(64 * 1024);
/// How long after an attempt the next one may begin.
const PAUSE: Duration = Duration::from_secs(90);
/// How often a neighbour may have a link started anew.
const RESUME_PAUSE: Duration = Duration::from_secs(5);
/// Frames of the node that wait for a hop: a name, an invitation, and word that the link is used again.
const MAX_FRAMES: usize = 3;

/// What the radio that makes groups is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Upgrade {
    /// Make a group if there is none; [`Input::Invitation`](crate::Input::Invitation) with this link answers.
    Invite(LinkId),
    /// Join this group.
    Join(Invitation),
    /// The last link in the group is gone: nobody needs it any more.
    Leave,
}

/// How a link stands with others of the same neighbour.
pub(crate) struct Moving {
    /// What this node called itself on the link last.
    named: NodeNonce,
    /// What the router was told of the link, and is told again.
    setup: Option<LinkSetup>,
    /// Whether the neighbour takes invitations.
    able: bool,
    /// There is a faster link: the router does not know this one for now.
    resting: bool,
    /// When the last attempt began, here or there.
    tried: Option<Instant>,
    /// When the other end last had the link started anew.
    resumed: Option<Instant>,
    frames: VecDeque<Vec<u8>>,
}

impl Moving {
    /// A link whose hello has this nonce.
    pub(crate) const fn named(nonce: NodeNonce) -> Self {
        Self {
            named: nonce,
            setup: None,
            able: false,
            resting: false,
            tried: None,
            resumed: None,
            frames: VecDeque::new(),
        }
    }

    /// A frame of the node's own.
    pub(crate) fn next_frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    fn push(&mut self, body: Body) {
        if self.frames.len() < MAX_FRAMES {
            self.frames.push_back(encode_frame(body));
        }
    }

    fn rested(&self, now: Instant) -> bool {
        self.tried.is_none_or(|tried| now.since(tried) >= PAUSE)
    }
}

impl Neighbour {
    const fn is_bulk(&self) -> bool {
        self.up.mtu >= BULK_MTU
    }
}

impl<S: Store> Node<S> {
    /// What this node says first on a hop. Who waits for the other end to open tells the outline of its store.
    pub(crate) fn hello(&self, mtu: Mtu, role: Role) -> Hello {
        let mut hello = Hello::new(self.hop_identity.nonce());
        if self.config.groups {
            hello.capabilities |= CAN_MOVE_UP;
        }
        match (role, self.router.outline()) {
            (Role::Responder, Some(outline)) => hello.with_outline(outline, mtu.max_hello_len()),
            _ => hello,
        }
    }

    /// A hop is established: the router hears of it, unless there is a faster link; slower ones rest from now on.
    pub(crate) fn acquaint(&mut self, now: Instant, link: LinkId, hello: &Hello, setup: LinkSetup) {
        let nonce = hello.node_nonce;
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        neighbour.moving.setup = Some(setup);
        neighbour.moving.able = hello.capabilities & CAN_MOVE_UP != 0;
        if !neighbour.is_bulk() && self.has_bulk_link(nonce, link) {
            self.rest(now, link);
            return;
        }
        let bulk = self.links.get(&link).is_some_and(Neighbour::is_bulk);
        self.router.link_up(now, link, setup);
        if let Some(outline) = &hello.outline
            && setup.opener
        {
            let salt = Outline::salt(nonce);
            self.router.heard_outline(link, &salt, outline);
        }
        if bulk {
            let same = |one: &Neighbour| one.nonce() == Some(nonce) && !one.is_bulk();
            let slower: Vec<LinkId> = self
                .links
                .iter()
                .filter(|(_, one)| same(one))
                .map(|(link, _)| *link)
                .collect();
            for link in slower {
                self.rest(now, link);
            }
        }
    }

    /// A link is gone, and is not among the others any more: if it was the fast one, the slow ones are used again.
    pub(crate) fn fall_back(&mut self, now: Instant, gone: &Neighbour) {
        let Some(nonce) = gone.nonce().filter(|_| gone.is_bulk()) else {
            return;
        };
        if !self.has_bulk_link(nonce, gone.up.link) {
            let resting = |one: &Neighbour| one.moving.resting && one.nonce() == Some(nonce);
            let slower: Vec<LinkId> = self
                .links
                .iter()
                .filter(|(_, one)| resting(one))
                .map(|(link, _)| *link)
                .collect();
            for link in slower {
                self.resume(now, link);
            }
        }
        if self.config.groups && !self.links.values().any(Neighbour::is_bulk) {
            self.outputs.push_back(Output::Upgrade(Upgrade::Leave));
        }
    }

    /// Begins to move up if bulk waits on a slow link, and both ends can.
    pub(crate) fn move_up(&mut self, now: Instant, link: LinkId) {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        let can = self.config.groups && neighbour.moving.able && !neighbour.is_bulk();
        let due = neighbour.established.is_some()
            && !neighbour.moving.resting
            && neighbour.moving.rested(now);
        if can && due && self.router.owes_more_than(link, MOVE_UP_ABOVE) {
            neighbour.moving.tried = Some(now);
            self.outputs
                .push_back(Output::Upgrade(Upgrade::Invite(link)));
        }
    }

    /// The radio has answered.
    pub(crate) fn invited(&mut self, now: Instant, link: LinkId, invitation: Option<Invitation>) {
        if invitation.is_some() {
            self.name(now, link);
        }
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        if let Some(invitation) = invitation
            && neighbour.moving.able
            && !neighbour.moving.resting
        {
            neighbour.moving.tried = Some(now);
            let body = Body::Invitation(invitation.to_proto());
            neighbour.moving.push(body);
        }
    }

    /// Takes one of the node's own frames. What makes no sense is ignored: it is no reason to lose the link.
    pub(crate) fn moving_frame(&mut self, now: Instant, link: LinkId, frame: &[u8]) {
        match decode_frame(frame) {
            Ok(Body::Invitation(told)) => {
                if let Ok(invitation) = Invitation::from_proto(&told) {
                    self.invitation(now, link, invitation);
                }
            }
            Ok(Body::Named(Named { node_nonce })) => {
                if let Ok(nonce) = node_nonce.as_slice().try_into() {
                    self.named(now, link, NodeNonce::new(nonce));
                }
            }
            Ok(Body::Resumed(_)) => self.resumed(now, link),
            _ => {}
        }
    }

    /// The neighbour invites. Where both invite at once, the one who opened the link has its way.
    fn invitation(&mut self, now: Instant, link: LinkId, invitation: Invitation) {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        let wanted = self.config.groups && !neighbour.is_bulk() && !neighbour.moving.resting;
        let crossed = !neighbour.moving.rested(now);
        if wanted && !(crossed && neighbour.up.initiator) {
            neighbour.moving.tried = Some(now);
            self.name(now, link);
            self.outputs
                .push_back(Output::Upgrade(Upgrade::Join(invitation)));
        }
    }

    /// Tells the other end by what nonce it will know this node on the faster link, unless it knows.
    fn name(&mut self, now: Instant, link: LinkId) {
        self.hop_identity.pass(now, &mut self.rng);
        let nonce = self.hop_identity.nonce();
        if let Some(neighbour) = self.links.get_mut(&link)
            && neighbour.moving.able
            && neighbour.moving.named != nonce
        {
            neighbour.moving.named = nonce;
            let node_nonce = nonce.as_bytes().to_vec();
            neighbour.moving.push(Body::Named(Named { node_nonce }));
        }
    }

    /// The other end has told its name of today.
    fn named(&mut self, now: Instant, link: LinkId, nonce: NodeNonce) {
        if self.hop_identity.is_mine(nonce) {
            return;
        }
        if let Some(neighbour) = self.links.get_mut(&link) {
            neighbour.rename(nonce);
            if !neighbour.is_bulk() && !neighbour.moving.resting && self.has_bulk_link(nonce, link)
            {
                self.rest(now, link);
            }
        }
    }

    /// The other end uses the link again, and has told its router so.
    fn resumed(&mut self, now: Instant, link: LinkId) {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        let last = neighbour.moving.resumed.replace(now);
        let hasty = last.is_some_and(|last| now.since(last) < RESUME_PAUSE);
        let resting = neighbour.moving.resting;
        let Some(setup) = neighbour.moving.setup.filter(|_| resting || !hasty) else {
            return;
        };
        if resting {
            self.resume(now, link);
        } else {
            // Its router knows nothing of what was said before.
            self.router.link_up(now, link, setup);
        }
    }

    fn rest(&mut self, now: Instant, link: LinkId) {
        if let Some(neighbour) = self.links.get_mut(&link) {
            neighbour.moving.resting = true;
            neighbour.moving.frames.clear();
            self.router.link_down(now, link);
        }
    }

    fn resume(&mut self, now: Instant, link: LinkId) {
        if let Some(neighbour) = self.links.get_mut(&link)
            && let Some(setup) = neighbour.moving.setup
        {
            neighbour.moving.resting = false;
            neighbour.moving.tried = Some(now);
            neighbour.moving.push(Body::Resumed(Resumed {}));
            self.router.link_up(now, link, setup);
        }
    }

    fn has_bulk_link(&self, nonce: NodeNonce, but: LinkId) -> bool {
        self.links
            .iter()
            .any(|(link, one)| *link != but && one.is_bulk() && one.nonce() == Some(nonce))
    }
}
