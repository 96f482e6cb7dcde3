//! One sleep for all members of a call.

use alloc::vec::Vec;
use core::{cmp::Reverse, task::Context};

use super::{CallWakes, Key, Many, Runtime, Shape, Tuning};
use crate::{Instant, sync::Arc};

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'_, K, Q, V, E, R, S, M, W> {
    /// Sleeps until the first deadline of a member that waits. If that is reached, all members are due whose deadlines are,
    /// each once and in their order, with those that were due before; returns whether any is.
    pub(super) fn sleep(&mut self, wakes: &Arc<CallWakes<R::Notify>>, due: &mut Vec<usize>) -> bool {
        self.has_slept = false;
        let Some(first) = self.next_deadline() else {
            self.sleep.end();
            return false;
        };
        let (runtime, count) = (&self.engine.runtime, self.members.len());
        let waker = self.sleeper.get_or_insert_with(|| CallWakes::waker(wakes, 2 * count));
        if self.sleep.until(runtime, first, &mut Context::from_waker(waker)).is_pending() {
            return false;
        }
        // It may be late; and all that are due look together, to load together.
        let now = runtime.now().told().max(first);
        while let Some(until) = self.next_deadline().filter(|until| *until <= now) {
            let Some(Reverse((_, index))) = self.deadlines.pop() else { break };
            let member = &mut self.members[index];
            member.until = Instant::NEVER;
            member.stay.has_slept_until(until);
            due.push(index);
        }
        due.sort_unstable();
        due.dedup();
        true
    }

    /// The first deadline of a member that waits.
    fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((until, index))) = self.deadlines.peek() {
            let member = &self.members[*index];
            if member.until == *until && member.told.is_none() {
                return Some(*until);
            }
            self.deadlines.pop();
        }
        None
    }

    /// Notes the deadline of a member that waits, if it has one.
    pub(super) fn note_deadline(&mut self, index: usize, until: Instant) {
        let members = &mut self.members;
        if until != Instant::NEVER && until != members[index].until {
            if self.deadlines.len() >= 2 * members.len() {
                // Half of them or more are former ones.
                let waits = members.iter().map(|member| member.until).zip(0..).filter(|wait| wait.0 != Instant::NEVER);
                self.deadlines = waits.map(Reverse).collect();
            }
            self.deadlines.push(Reverse((until, index)));
        }
        members[index].until = until;
    }

    /// The loads that these members are a part of are polled before they look at their deadlines.
    pub(super) fn ask_for(&mut self, due: &[usize]) {
        let (engine, units) = (self.engine, self.units.get_mut());
        for index in due {
            let (hash, seat) = (self.members[*index].hash, &self.members[*index].stay.waiting.seat);
            // If it was woken by its answer, it has no use for a further poll of the load.
            if seat.began != 0 && units.knows(*index) && engine.with(hash, |shard| shard.awaits(seat)) {
                units.ask(*index);
            }
        }
    }
}
