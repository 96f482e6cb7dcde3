//! A caller asks for an entry: what there is for it, and when the load of it may begin.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{Ledger, Spoken, Ticket, Victim};
use crate::Instant;

/// The situation of a caller that asks for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has a reserved place.
    HasPlace,
    /// It has its place in the queue.
    Queues,
    /// Neither, and it joins the queue with this ticket if needed.
    MayWait(Ticket),
    /// Neither, and it does not wait.
    Hurries,
}

/// What there is for a caller that asks for an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LookupStep {
    /// The entry at this place, pinned once more.
    There(u32),
    /// The load of it, which another caller has begun.
    Loading,
    /// A reserved place, so the caller may load the entry itself.
    Place,
    /// Nothing: it is in the queue from now on.
    Queued,
    /// Nothing: it keeps waiting.
    Waits,
    /// Nothing, and it does not wait.
    Full,
}

impl<K, V, W> Ledger<K, V, W> {
    /// Looks for an entry, and for room if it is not there; `is_loading` says whether it is being loaded.
    ///
    /// That is one step: otherwise an entry, a load or a place that came in between would not be seen.
    pub(crate) fn ask(
        &mut self,
        hash: u64,
        eq: impl FnMut(&K) -> bool,
        is_loading: impl FnOnce() -> bool,
        standing: Standing,
    ) -> LookupStep {
        if let Some(place) = self.find(hash, eq) {
            self.pin(place);
            return LookupStep::There(place);
        }
        if is_loading() {
            return LookupStep::Loading;
        }
        let ticket = match standing {
            Standing::HasPlace => return LookupStep::Place,
            Standing::Queues => return LookupStep::Waits,
            Standing::MayWait(ticket) => Some(ticket),
            Standing::Hurries => None,
        };
        match self.reserve(hash, ticket) {
            Spoken::Place => LookupStep::Place,
            Spoken::Queued => LookupStep::Queued,
            Spoken::Nothing => LookupStep::Full,
        }
    }

    /// Returns whether the [way](Self::victim) to a place is clear. If a load of a key of this hash `begins` then,
    /// returns the wakers to wake: callers that wait for room for that key can wait for the load instead.
    ///
    /// # Errors
    ///
    /// What has to be flushed first.
    pub(crate) fn clear(
        &mut self,
        is_clear: bool,
        inside: &BTreeSet<u64>,
        now: Option<Instant>,
        begins: Option<u64>,
    ) -> Result<Vec<W>, Victim> {
        match self.victim(is_clear, inside, now) {
            Victim::None => Ok(begins.map_or_else(Vec::new, |hash| self.room.call(hash))),
            victim => Err(victim),
        }
    }
}

#[cfg(test)]
mod tests;
