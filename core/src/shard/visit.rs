//! A caller that waits for a key, what it comes with at each look, and what it does next.

use alloc::boxed::Box;
use core::task::Waker;

use super::{Call, OnTimeout, Rules, Seat, Twin};
use crate::{Instant, Notify, Outcome, Status, flight::Start};

/// A key that is asked for, in the caller's own form.
pub trait AsKey<K> {
    fn is(&self, key: &K) -> bool;
    fn to_key(&self) -> K;
}

/// A caller that waits for a key.
pub(crate) struct Waiting<N: Notify> {
    pub(crate) hash: u64,
    pub(crate) seat: Seat<N>,
    /// The place in a newer epoch of its key, where the load that it begins is delivered as well.
    pub(crate) newer: Option<Box<(Seat<N>, Twin)>>,
    /// It has asked the loads up to this attempt in this poll, and passed over none of them.
    pub(crate) after: u32,
    /// When its first poll was.
    pub(crate) started: Instant,
    /// Whether this is a lookup, whose end is counted.
    pub(crate) is_counted: bool,
    /// Whether its status is `Expired`, not `Miss`, if the load is its own.
    pub(super) found_expired: bool,
    /// Its lock timeout has not passed.
    pub(super) is_patient: bool,
    /// It has begun an attempt in a flight that it has left for a newer one.
    pub(super) has_begun: bool,
    /// It loads for itself, unnumbered and unshared.
    pub(crate) is_alone: bool,
    /// It has been served, and polls another caller's refresh once.
    pub(crate) is_visitor: bool,
    /// A spawner may finish the load that it leaves behind.
    pub(crate) may_hand_over: bool,
}

/// What a caller comes with at each look.
pub(crate) struct Visit<'a, K, B> {
    /// The key, if the caller has it; a ticket does not.
    pub(crate) key: Option<&'a dyn AsKey<K>>,
    pub(crate) waker: &'a Waker,
    pub(crate) rules: &'a Rules,
    pub(crate) call: &'a Call,
    /// How it can begin a load; none if it can not.
    pub(crate) start: Option<Start>,
    /// It can by the cache's loader, so any caller can make the load.
    pub(crate) is_by_loader: bool,
    /// Makes the load of many keys that its load is a part of.
    pub(crate) batch: Option<&'a dyn Fn(bool) -> B>,
    /// The waker that the call is polled with, to find calls from inside a load.
    pub(crate) inside: &'a Waker,
    /// A time that has certainly been reached.
    pub(crate) reached: Instant,
    /// Whether that is the present time.
    pub(crate) is_present: bool,
    /// It only wants the value, if that comes from its own load.
    pub(crate) wants_value: bool,
    /// It takes its seat and polls nothing yet.
    pub(crate) arrives_only: bool,
    /// Its first look in this poll.
    pub(crate) is_first: bool,
}

/// What a caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Leave with its result.
    Told,
    /// Make its own load, and poll it.
    Make,
    /// The same, and a newer epoch of the key gets the load as well.
    MakeAnew,
    /// Make the load that a ticket stands for, and poll it.
    MakeShared,
    /// Poll the load that it was handed.
    Poll,
    /// Poll the load that it has lent.
    Lent,
    /// Drive the load of many keys that it was handed.
    Batch,
    /// Its load is a part of one that its call begins.
    Gathered,
    /// Wait until woken, or until a deadline.
    Wait,
    /// Look again, because something was settled.
    Again,
    /// Look again with the present time.
    ReadClock,
    /// Leave with its result, and with a ticket whose load is still to be made.
    Ticket,
    /// The same, but the load is the caller's own and is made at once.
    MakeTicket,
}

impl<N: Notify> Waiting<N> {
    /// A caller at its first poll.
    #[inline]
    pub(crate) fn new(hash: u64, now: Instant) -> Self {
        Self {
            hash,
            seat: Seat::default(),
            newer: None,
            after: 0,
            started: now,
            is_counted: true,
            found_expired: false,
            is_patient: true,
            has_begun: false,
            is_alone: false,
            is_visitor: false,
            may_hand_over: false,
        }
    }

    /// Its status if it leads.
    pub(crate) const fn first(&self) -> Status {
        if self.found_expired { Status::Expired } else { Status::Miss }
    }

    /// Makes it a waiter without patience, whose end is not counted: a ticket, or a spawner's task.
    pub(crate) const fn make_quiet(&mut self) {
        (self.is_counted, self.is_patient) = (false, false);
    }

    /// When its patience ends, and what it does then.
    pub(super) fn patience(&self, call: &Call) -> Option<(Instant, OnTimeout)> {
        let bounds_all = |then: OnTimeout| matches!(then, OnTimeout::Stale | OnTimeout::Fail);
        // A caller may have come to load alone by the lock age; its patience bounds that load, too.
        let (patience, then) = call.lock_timeout.filter(|_| self.is_patient)?;
        let has_begun = self.seat.began != 0 || self.has_begun;
        (bounds_all(then) || !has_begun).then(|| (self.started.saturating_add(patience), then))
    }

    /// Adds this wait to an outcome that ends it now.
    pub(super) const fn tell_wait<V, E>(&self, outcome: &mut Outcome<V, E>, now: Instant) {
        outcome.led = self.seat.began != 0;
        outcome.waited = now.saturating_since(self.started);
    }
}
