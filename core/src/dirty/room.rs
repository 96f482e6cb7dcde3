//! Who waits for room, in order of arrival.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Callers who wait for a place; `W` is what each is woken by.
pub(crate) struct Room<W> {
    queue: BTreeMap<Ticket, Waits<W>>,
    /// The same, by the hash of the key that each wants the place for.
    by_key: BTreeSet<(u64, Ticket)>,
    drawn: u64,
}

/// A place in the queue: those who have had a place before come first, each kind in order of arrival.
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

/// What a waiting caller learns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grant<W> {
    /// The place is his; what he would have been woken by comes back.
    Granted(W),
    /// He has to look again whether he needs one, for his key has come or is on its way; he keeps his place in the queue.
    Called(W),
    /// He waits, and is woken by what he has left here; this is displaced by it.
    Waits(Option<W>),
}

impl<W> Room<W> {
    pub(super) const fn new() -> Self {
        Self { queue: BTreeMap::new(), by_key: BTreeSet::new(), drawn: 0 }
    }

    /// Tells whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Draws a ticket for a key of this hash; `is_new` is who has not had a place yet.
    pub(super) fn draw(&mut self, hash: u64, is_new: bool, is_called: bool) -> Ticket {
        self.drawn += 1;
        let ticket = Ticket { is_new, number: self.drawn };
        self.queue.insert(ticket, Waits { hash, is_called, waker: None });
        self.by_key.insert((hash, ticket));
        ticket
    }

    /// Leaves what a caller is woken by, if he still waits.
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

    /// Has those who wait for a key of this hash look again; returns what they are woken by.
    pub(super) fn call(&mut self, hash: u64) -> Vec<W> {
        let (first, last) = (Ticket { is_new: false, number: 0 }, Ticket { is_new: true, number: u64::MAX });
        let mut wake = Vec::new();
        for (_, ticket) in self.by_key.range((hash, first)..=(hash, last)) {
            wake.extend(self.queue.get_mut(ticket).and_then(Waits::call));
        }
        wake
    }

    /// Has all look again; returns what they are woken by.
    pub(super) fn call_all(&mut self) -> Vec<W> {
        self.queue.values_mut().filter_map(Waits::call).collect()
    }

    /// Takes out who is first; tells what he is woken by.
    pub(super) fn grant(&mut self) -> Option<Option<W>> {
        let ticket = *self.queue.first_key_value()?.0;
        self.leave(ticket)
    }

    /// Takes out a caller who waits no longer; `None` if a place had been granted to him.
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
