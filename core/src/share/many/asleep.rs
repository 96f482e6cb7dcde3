//! One sleep for all members of a call.

use alloc::vec::Vec;
use core::{
    cmp::Reverse,
    task::{Context, Poll},
};

use super::{CallWakes, Key, Many, Runtime, Shape, Tuning};
use crate::{Instant, sync::Arc};

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'_, K, Q, V, E, R, S, M, W> {
    /// Sleeps until the first deadline of a member that waits. If that is reached, the member is due, and so are all that
    /// have the same one; returns whether any is.
    pub(super) fn sleep(&mut self, wakes: &Arc<CallWakes<R::Notify>>, due: &mut Vec<usize>) -> bool {
        let Self { engine, members, deadlines, sleep, sleeper, .. } = self;
        let mut over = None;
        while let Some(Reverse((until, index))) = deadlines.peek().copied() {
            let member = &mut members[index];
            let is_its = member.until == until && member.told.is_none();
            if is_its && over != Some(until) {
                if over.is_some() {
                    break;
                }
                let waker = sleeper.get_or_insert_with(|| CallWakes::waker(wakes, 2 * members.len()));
                match sleep.until(&engine.runtime, until, &mut Context::from_waker(waker)) {
                    Poll::Ready(()) => over = Some(until),
                    Poll::Pending => return false,
                }
            }
            deadlines.pop();
            if is_its {
                let member = &mut members[index];
                member.until = Instant::NEVER;
                member.stay.has_slept_until(until);
                due.push(index);
            }
        }
        if over.is_none() {
            sleep.end();
        }
        over.is_some()
    }
}
