//! How the room is divided: half of it is reserved for what is written here and what pinned neighbours bring.
//! Whoever finds room free may use it, and gives it back first.

use crate::Class;

/// What some items take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) bytes: u64,
    pub(crate) items: u64,
}

impl Usage {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            items: self.items.saturating_add(other.items),
        }
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            items: self.items.saturating_sub(other.items),
        }
    }

    /// Half of it.
    pub(crate) const fn half(self) -> Self {
        Self {
            bytes: self.bytes / 2,
            items: self.items / 2,
        }
    }

    pub(crate) const fn fits(self, limit: Self) -> bool {
        self.bytes <= limit.bytes && self.items <= limit.items
    }
}

/// What each class takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usages {
    pub(crate) own: Usage,
    pub(crate) pinned: Usage,
    pub(crate) stranger: Usage,
}

impl Usages {
    pub(crate) const fn of_mut(&mut self, class: Class) -> &mut Usage {
        match class {
            Class::Own => &mut self.own,
            Class::Pinned => &mut self.pinned,
            Class::Stranger => &mut self.stranger,
        }
    }

    /// The class that has to give something up so that all fits into `limit`: `Ok(None)` if all fits already.
    ///
    /// # Errors
    /// [`NoRoom`] if nobody who has to can: the room is taken by what was written here.
    pub(crate) const fn who_yields(&self, limit: Usage) -> Result<Option<Class>, NoRoom> {
        let total = self.own.plus(self.pinned).plus(self.stranger);
        if total.fits(limit) {
            return Ok(None);
        }
        let too_many_bytes = total.bytes > limit.bytes;
        let strangers_are_over = if too_many_bytes {
            self.stranger.bytes > limit.half().bytes
        } else {
            self.stranger.items > limit.half().items
        };
        // Strangers within their half: the others have borrowed from them.
        if strangers_are_over {
            Ok(Some(Class::Stranger))
        } else if self.pinned.items > 0 {
            Ok(Some(Class::Pinned))
        } else {
            Err(NoRoom)
        }
    }
}

/// There is no room, and nothing that may be evicted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;
