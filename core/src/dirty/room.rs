//! The queue for room, in order of arrival.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Callers that wait for a place; `W` is what wakes each.
pub(crate) struct Room<W> {
    queue: BTreeMap<Ticket, Waits<W>>,
    /// The same, by the hash of the key that each wants the place for.
    by_key: BTreeSet<(u64, Ticket)>,
    drawn: u64,
    /// Nobody is to wait any more.
    is_closed: bool,
}

/// A place in the queue: callers that have had a place before come first, each kind in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    is_new: bool,
    number: u64,
}

struct Waits<W> {
    hash: u64,
    is_called: bool,
    waker: Option<W>,
}

/// What a waiting caller gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grant<W> {
    /// The place is granted; what would have woken the caller comes back.
    Granted(W),
    /// It has to look again whether it needs a place, because its key has come or is being loaded; it keeps its turn in
    /// the queue.
    Called(W),
    /// It waits, and is woken by what it has left here; the old one is returned.
    Waits(Option<W>),
}

impl<W> Room<W> {
    pub(super) const fn new() -> Self {
        Self { queue: BTreeMap::new(), by_key: BTreeSet::new(), drawn: 0, is_closed: false }
    }

    /// Returns whether no caller waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Draws a ticket; `is_new` is a caller that has not had a place yet.
    pub(super) const fn draw(&mut self, is_new: bool) -> Ticket {
        self.drawn += 1;
        Ticket { is_new, number: self.drawn }
    }

    /// A caller that wants a place for a key of this hash joins with its ticket, which is its turn however often it has
    /// left.
    pub(super) fn join(&mut self, ticket: Ticket, hash: u64, is_called: bool) {
        self.queue.insert(ticket, Waits { hash, is_called: is_called || self.is_closed, waker: None });
        self.by_key.insert((hash, ticket));
    }

    /// Leaves what wakes a caller, if it still waits.
    pub(super) fn wait(&mut self, ticket: Ticket, waker: W) -> Grant<W> {
        match self.queue.get_mut(&ticket) {
            Some(waits) if waits.is_called => {
                waits.is_called = false;
                Grant::Called(waker)
            }
            Some(waits) => Grant::Waits(waits.waker.replace(waker)),
            None => Grant::Granted(waker),
        }
    }

    /// Makes callers that wait for a key of this hash look again; returns what wakes them.
    pub(super) fn call(&mut self, hash: u64) -> Vec<W> {
        let (first, last) = (Ticket { is_new: false, number: 0 }, Ticket { is_new: true, number: u64::MAX });
        let mut wake = Vec::new();
        for (_, ticket) in self.by_key.range((hash, first)..=(hash, last)) {
            wake.extend(self.queue.get_mut(ticket).and_then(Waits::call));
        }
        wake
    }

    /// Makes all look again, and later all that come; returns what wakes them.
    ///
    /// A caller that comes later may have looked before.
    pub(super) fn close(&mut self) -> Vec<W> {
        self.is_closed = true;
        self.queue.values_mut().filter_map(Waits::call).collect()
    }

    /// Takes out the first caller; returns what wakes it.
    pub(super) fn grant(&mut self) -> Option<Option<W>> {
        let ticket = *self.queue.first_key_value()?.0;
        self.leave(ticket)
    }

    /// Takes out a caller that stops waiting; `None` if a place had been granted to it.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Option<W>> {
        let Waits { hash, waker, .. } = self.queue.remove(&ticket)?;
        self.by_key.remove(&(hash, ticket));
        Some(waker)
    }
}

impl<W> Waits<W> {
    fn call(&mut self) -> Option<W> {
        self.is_called = true;
        self.waker.take()
    }
}

#[cfg(test)]
mod tests;
