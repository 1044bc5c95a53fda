//! Lists that have a value for each node, message or link.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use crate::event::{MessageIndex, NodeIndex};

/// A number that is a place in lists of one sort.
pub(crate) trait Key: Copy {
    fn place(self) -> usize;
}

impl Key for NodeIndex {
    fn place(self) -> usize {
        self.as_usize()
    }
}

impl Key for MessageIndex {
    fn place(self) -> usize {
        self.as_usize()
    }
}

/// A value for each key. Keys are checked where they come in, so that each has its place.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, T> {
    values: Vec<T>,
    key: PhantomData<K>,
}

impl<K: Key, T> Table<K, T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self {
            values,
            key: PhantomData,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn push(&mut self, value: T) {
        self.values.push(value);
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        self.values
    }

    /// The values of two keys, in this order; `None` if they are one key.
    pub(crate) fn two(&mut self, a: K, b: K) -> Option<[&mut T; 2]> {
        let values = self.values.get_disjoint_mut([a.place(), b.place()]);
        values.ok()
    }
}

impl<K: Key, T> Index<K> for Table<K, T> {
    type Output = T;

    #[expect(clippy::indexing_slicing, reason = "each key has its place")]
    fn index(&self, key: K) -> &T {
        &self.values[key.place()]
    }
}

impl<K: Key, T> IndexMut<K> for Table<K, T> {
    #[expect(clippy::indexing_slicing, reason = "each key has its place")]
    fn index_mut(&mut self, key: K) -> &mut T {
        &mut self.values[key.place()]
    }
}
