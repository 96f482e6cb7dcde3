//! Who waits for room, in order of arrival.

use alloc::collections::BTreeMap;

/// Callers who wait for a place, by the number of their ticket; `W` is what each is woken by.
pub(crate) struct Room<W> {
    queue: BTreeMap<i64, Option<W>>,
    first: i64,
    last: i64,
}

/// What a waiting caller learns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grant<W> {
    /// The place is his.
    Granted,
    /// He waits, and is woken by what he has left here; this is displaced by it.
    Waits(Option<W>),
}

impl<W> Room<W> {
    pub(super) const fn new() -> Self {
        Self { queue: BTreeMap::new(), first: 0, last: 0 }
    }

    /// Tells whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Draws a ticket: the last one, or for who has had a place before the first.
    pub(super) fn draw(&mut self, is_first: bool) -> i64 {
        let ticket = if is_first {
            self.first -= 1;
            self.first
        } else {
            self.last += 1;
            self.last
        };
        self.queue.insert(ticket, None);
        ticket
    }

    /// Leaves what a caller is woken by, if he still waits; returns what it displaces.
    pub(super) fn wait(&mut self, ticket: i64, waker: W) -> Grant<W> {
        match self.queue.get_mut(&ticket) {
            Some(present) => Grant::Waits(present.replace(waker)),
            None => Grant::Granted,
        }
    }

    /// Takes out who is first; tells what he is woken by.
    pub(super) fn grant(&mut self) -> Option<Option<W>> {
        self.queue.pop_first().map(|(_, waker)| waker)
    }

    /// Takes out a caller who waits no longer; `None` if a place had been granted to him.
    pub(super) fn leave(&mut self, ticket: i64) -> Option<Option<W>> {
        self.queue.remove(&ticket)
    }
}
