//! What flights carry.

use core::task::Waker;

use crate::{
    Instant, Notify,
    flight::{PolledBy, Registration},
};

/// What flights carry: the types of loads, of loads of many keys, and of what wakes.
pub(crate) trait Carries {
    type Load;
    type Batch: SharedLoad<Notify = Self::Notify>;
    type Notify: Notify;
    /// What drives a load of one key as one of many; here it is only handed on.
    type AsMany: Copy;
}

/// What flights carry where there are writes, which leave callers behind who load for newer ones as well.
pub(crate) trait LoadsAnew: Carries {
    const AS_MANY: Self::AsMany;
}

/// A load of many keys, as a flight sees it. It goes on as long as anybody waits for one of its keys.
pub(crate) trait SharedLoad: Clone {
    type Notify: Notify;

    /// Who polls it.
    fn polled_by(&self) -> PolledBy;
    /// The mark of the thread that polls it right now; zero if none does, or without std.
    fn polled_on(&self) -> usize {
        0
    }
    /// Somebody waits for one key more; false if the load is being dropped.
    fn await_key(&self) -> bool;
    /// Nobody waits for a key any more; true if that was the last.
    fn leave_key(&self) -> bool;
    /// Is only one key waited for?
    fn is_last(&self) -> bool;
    /// Notes whom a wake of the load is to reach as well; gives back a waker that is of no use any more.
    fn listen(&self, mine: &mut Registration<Self::Notify>, waker: &Waker) -> Option<Waker>;
    fn withdraw(&self, mine: &mut Registration<Self::Notify>) -> Option<Waker>;
}

/// What an attempt brought, for all who wait for the key.
#[derive(Clone)]
pub(crate) struct Answer<V> {
    pub(crate) value: V,
    /// The attempt that brought it; none if it was inserted.
    pub(crate) attempt: Option<u32>,
    pub(crate) published: Instant,
    /// From when its age counts.
    pub(crate) since: Instant,
    pub(crate) deadline: Instant,
    pub(crate) generation: Option<u32>,
}
