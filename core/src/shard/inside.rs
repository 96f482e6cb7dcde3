//! Calls from inside a load of their own key, which would wait for themselves or load without end.

use super::{AsKey, Carries, Effects, Shard, SharedLoad, Step, Visit, Waiting, state::PolledAlone};
use crate::{
    LoadError,
    flight::{PolledBy, here},
    store::policy::Policy,
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Does a call that is polled by this come from inside a load of this flight?
    pub(super) fn is_inside(&mut self, flight: u32, by: &PolledBy) -> bool {
        let slot = self.flights.at(flight);
        slot.flight.is_inside(by) || slot.parts.iter().any(|part| by.blocks_on(part.batch.polled_on()))
    }

    /// A load that is not shared is polled from now on.
    pub(crate) fn enter_alone(&mut self, (hash, key): (u64, K), by: PolledBy, mark: usize, is_batch: bool) {
        self.polled_alone.push(PolledAlone { hash, key, by, thread: here(), mark, is_batch });
    }

    /// It is not polled any more; returns its key, to be dropped.
    pub(crate) fn leave_alone(&mut self, hash: u64, mark: usize) -> Option<K> {
        // (Those of a load of many keys leave in the reverse order.)
        let entered = self.polled_alone.iter().rposition(|load| load.hash == hash && load.mark == mark);
        let key = entered.map(|entered| self.polled_alone.swap_remove(entered).key);
        if self.polled_alone.is_empty() {
            self.polled_alone.shrink_to(KEPT);
        }
        key
    }

    /// Does this call come from inside an unshared load of its key?
    pub(super) fn is_inside_alone(&self, hash: u64, key: &dyn AsKey<K>, visit: &Visit<'_, K, C::Batch>) -> bool {
        if self.polled_alone.is_empty() {
            return false;
        }
        let by = PolledBy::here(visit.inside);
        let is_polled_by = |load: &PolledAlone<K>| {
            if load.is_batch { by.is_waker(&load.by) || by.blocks_on(load.thread) } else { by.is_inside(&load.by) }
        };
        self.polled_alone.iter().any(|load| load.hash == hash && is_polled_by(load) && key.is(&load.key))
    }

    /// A call from inside gets what is held, or an error.
    pub(super) fn refuse_inside(
        &mut self,
        place: Option<u32>,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        // There is a fresh value only if this call wants a newer one, which it cannot have.
        match self.instead(place, visit.reached, true, visit.call.stale_while_refresh, None) {
            Some(mut outcome) => {
                if waiting.seat.is_taken() {
                    waiting.tell_wait(&mut outcome, visit.reached);
                    self.rise(waiting, effects);
                }
                effects.told = Some(Ok(outcome));
            }
            None => self.refuse(waiting, LoadError::Reentrant, effects),
        }
        Step::Told
    }
}

/// How many loads have room after a load of many keys.
const KEPT: usize = 4;
