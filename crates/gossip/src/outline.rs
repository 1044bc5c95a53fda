//! The outline of what this node would give to a stranger, kept up to date.

use chappe_wire::{ItemId, LinkSalt, Outline};

/// Nothing is kept while there is no salt.
#[derive(Default)]
pub(crate) struct Outlined {
    salt: Option<LinkSalt>,
    outline: Outline,
}

impl Outlined {
    /// An empty outline under another salt.
    pub(crate) fn under(salt: LinkSalt) -> Self {
        Self {
            salt: Some(salt),
            outline: Outline::default(),
        }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        self.salt.is_some()
    }

    pub(crate) const fn outline(&self) -> Option<&Outline> {
        match self.salt {
            Some(_) => Some(&self.outline),
            None => None,
        }
    }

    pub(crate) fn insert(&mut self, id: &ItemId) {
        if let Some(salt) = &self.salt {
            self.outline.insert(salt, id);
        }
    }

    pub(crate) fn remove(&mut self, id: &ItemId) {
        if let Some(salt) = &self.salt {
            self.outline.remove(salt, id);
        }
    }
}
