//! An order of entries whose links lie inside the entries themselves.

use super::Nodes;

/// The end of a list; no entry has this place.
const END: u32 = u32::MAX;

/// The places before and after an entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    before: u32,
    after: u32,
}

/// A record inside an entry that can be part of a [`List`].
pub(crate) trait Linked {
    fn link(&mut self) -> &mut Link;
}

impl Linked for Link {
    fn link(&mut self) -> &mut Link {
        self
    }
}

/// A doubly linked list of places, so that an entry can leave from the middle in O(1) with nothing left behind.
#[derive(Debug)]
pub(crate) struct List {
    front: u32,
    back: u32,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self { front: END, back: END }
    }

    pub(crate) fn front(&self) -> Option<u32> {
        (self.front != END).then_some(self.front)
    }

    pub(crate) fn back(&self) -> Option<u32> {
        (self.back != END).then_some(self.back)
    }

    /// Returns the place in front of `place`, which must be in this list.
    pub(crate) fn before<N: Linked>(&self, entries: &mut impl Nodes<N>, place: u32) -> Option<u32> {
        let before = entries.node(place).link().before;
        (before != END).then_some(before)
    }

    pub(crate) fn push_front<N: Linked>(&mut self, entries: &mut impl Nodes<N>, place: u32) {
        let after = core::mem::replace(&mut self.front, place);
        *entries.node(place).link() = Link { before: END, after };
        match after {
            END => self.back = place,
            after => entries.node(after).link().before = place,
        }
    }

    /// Notes that an entry of this list has moved to place `to`, its links with it.
    pub(crate) fn relocate<N: Linked>(&mut self, entries: &mut impl Nodes<N>, to: u32) {
        let Link { before, after } = *entries.node(to).link();
        match before {
            END => self.front = to,
            before => entries.node(before).link().after = to,
        }
        match after {
            END => self.back = to,
            after => entries.node(after).link().before = to,
        }
    }

    /// Takes out `place`, which must be in this list.
    pub(crate) fn remove<N: Linked>(&mut self, entries: &mut impl Nodes<N>, place: u32) {
        let Link { before, after } = core::mem::take(entries.node(place).link());
        match before {
            END => self.front = after,
            before => entries.node(before).link().after = after,
        }
        match after {
            END => self.back = before,
            after => entries.node(after).link().before = before,
        }
    }
}

#[cfg(test)]
mod tests;
