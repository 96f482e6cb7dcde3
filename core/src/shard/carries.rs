//! What flights carry.

use core::task::Waker;

use crate::{
    Instant, Notify,
    flight::{PolledBy, Registration},
};

/// The types of what flights carry: loads, loads of many keys, and what wakes.
pub(crate) trait Carries {
    type Load;
    type Batch: SharedLoad<Notify = Self::Notify>;
    type Notify: Notify;
    /// Drives a load of one key as one of many; here it is only passed on.
    type AsMany: Copy;
}

/// What flights carry if there are writes, which leave callers behind that load for newer ones as well.
pub(crate) trait LoadsAnew: Carries {
    const AS_MANY: Self::AsMany;
}

/// A load of many keys, as a flight sees it. It goes on as long as a caller waits for one of its keys.
pub(crate) trait SharedLoad: Clone {
    type Notify: Notify;

    /// What polls it.
    fn polled_by(&self) -> PolledBy;
    /// The mark of the thread that polls it right now; zero if none does, or without std.
    fn polled_on(&self) -> usize {
        0
    }
    /// A caller waits for one more key; false if the load is being dropped.
    fn await_key(&self) -> bool;
    /// No caller waits for one of the keys any more; true if that was the last key.
    fn leave_key(&self) -> bool;
    /// Is only one key waited for?
    fn is_last(&self) -> bool;
    /// Adds a caller that a wake of the load has to reach; returns a waker that is of no use any more.
    fn listen(&self, mine: &mut Registration<Self::Notify>, waker: &Waker) -> Option<Waker>;
    fn withdraw(&self, mine: &mut Registration<Self::Notify>) -> Option<Waker>;
}

/// The answer of an attempt, for all callers that wait for the key.
#[derive(Clone)]
pub(crate) struct Answer<V> {
    pub(crate) value: V,
    /// The attempt that brought it; none if it was inserted.
    pub(crate) attempt: Option<u32>,
    pub(crate) published: Instant,
    /// When its age began.
    pub(crate) since: Instant,
    pub(crate) deadline: Instant,
    pub(crate) generation: Option<u32>,
}

impl<V> Answer<V> {
    /// What no load has brought, and of which nothing more is told.
    pub(crate) const fn bare(value: V, now: Instant) -> Self {
        Self { value, attempt: None, published: now, since: now, deadline: now, generation: None }
    }
}
