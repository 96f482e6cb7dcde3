//! What a step under the lock hands out, and what is left to do once the lock is released.

use alloc::{boxed::Box, vec::Vec};
use core::task::Waker;

use super::{
    Carries, Need, Seat,
    slot::{LookupResult, Verdict},
};
#[cfg(feature = "std")]
use crate::contain::{both, drop_each};
use crate::{
    Failure, Instant,
    flight::{SharedWaker, Woken},
    source::Touched,
    store::{Gone, Leavers},
    sync::Arc,
};

/// The result of a step under the lock: what the caller gets, and what is left to wake, tell and drop.
pub(crate) struct Effects<K, V, E, C: Carries> {
    /// The attempt that the caller drives.
    pub(crate) number: u32,
    /// The load of that attempt, to be polled.
    pub(crate) load: Option<C::Load>,
    /// The waker that it is polled with, if several callers wait for it.
    pub(crate) waker: Option<Waker>,
    /// The load of many keys to drive has to be polled even if it was not woken.
    pub(crate) is_unwoken: bool,
    /// The load of many keys to drive.
    pub(crate) batch: Option<C::Batch>,
    /// Drives the load that the caller makes, if a newer epoch of its key gets it as well.
    pub(crate) anew: Option<C::AsMany>,
    /// When the caller has to look again at the latest.
    pub(crate) until: Instant,
    /// The value for the caller, if it wants nothing else.
    pub(crate) value: Option<V>,
    /// The result for the caller.
    pub(crate) told: Option<LookupResult<V, E>>,
    /// What a newcomer needs that its shard does not have.
    pub(crate) need: Need,
    /// The callers to wake.
    pub(crate) woken: Woken<C::Notify>,
    pub(crate) touched: Option<Touched>,
    pub(crate) leavers: Leavers<K, V>,
    /// A waker that is of no use any more.
    pub(crate) old: Option<Waker>,
    rest: Option<Box<Rest<K, V, E, C>>>,
}

/// What is rarely left over; most of it only has to be dropped.
pub(crate) struct Rest<K, V, E, C: Carries> {
    /// The seat of a caller that left a load behind for the spawner to finish.
    pub(crate) handed: Option<(u64, Seat<C::Notify>)>,
    pub(crate) woken: Vec<Woken<C::Notify>>,
    pub(crate) loads: Vec<C::Load>,
    /// Loads of many keys that a key was a part of.
    pub(crate) batches: Vec<C::Batch>,
    /// Loads of many keys that no caller waits for any more.
    pub(crate) idle: Vec<C::Batch>,
    pub(crate) keys: Vec<K>,
    pub(crate) values: Vec<V>,
    pub(crate) errors: Vec<Failure<E>>,
    pub(crate) failures: Vec<Gone<K, E>>,
    pub(crate) wakers: Vec<Waker>,
    pub(crate) unused: Vec<Arc<SharedWaker<C::Notify>>>,
}

#[cfg(feature = "std")]
impl<K, V, E, C: Carries> Drop for Rest<K, V, E, C> {
    fn drop(&mut self) {
        let drop_rest = |this: &mut Self| {
            both(this, |this| drop_each(&mut this.errors), |this| drop_each(&mut this.failures));
        };
        both(
            self,
            |this| both(this, |this| drop_each(&mut this.loads), |this| drop_each(&mut this.keys)),
            |this| both(this, |this| drop_each(&mut this.values), drop_rest),
        );
    }
}

impl<K, V, E, C: Carries> Default for Effects<K, V, E, C> {
    #[inline]
    fn default() -> Self {
        Self {
            number: 0,
            load: None,
            waker: None,
            is_unwoken: false,
            batch: None,
            anew: None,
            until: Instant::NEVER,
            value: None,
            told: None,
            need: Need::Nothing,
            woken: Woken::Nobody,
            touched: None,
            leavers: Leavers::new(),
            old: None,
            rest: None,
        }
    }
}

impl<K, V, E, C: Carries> Effects<K, V, E, C> {
    /// Makes room for what is rarely left over.
    #[cold]
    pub(crate) fn rest(&mut self) -> &mut Rest<K, V, E, C> {
        self.rest.get_or_insert_with(|| {
            Box::new(Rest {
                handed: None,
                woken: Vec::new(),
                loads: Vec::new(),
                batches: Vec::new(),
                idle: Vec::new(),
                keys: Vec::new(),
                values: Vec::new(),
                errors: Vec::new(),
                failures: Vec::new(),
                wakers: Vec::new(),
                unused: Vec::new(),
            })
        })
    }

    /// Is there nothing left to do?
    #[inline]
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self.woken, Woken::Nobody)
            && self.touched.is_none()
            && self.leavers.first.is_none()
            && self.old.is_none()
            && self.rest.is_none()
    }

    /// Is there nothing at all in here, so that it need not be dropped?
    #[inline]
    pub(crate) fn is_spent(&self) -> bool {
        self.is_quiet()
            && self.load.is_none()
            && self.waker.is_none()
            && self.batch.is_none()
            && self.value.is_none()
            && self.told.is_none()
            && self.leavers.has_no_memory()
    }

    /// Was a newcomer not stored because it needs room first?
    pub(crate) const fn lacks_room(&self) -> bool {
        matches!(self.need, Need::Room(_) | Need::RoomBeside)
    }

    /// Are there no callers to wake?
    #[inline]
    pub(crate) const fn is_only_to_be_dropped(&self) -> bool {
        matches!(self.woken, Woken::Nobody) && self.rest.is_none()
    }

    /// Drops what only has to be dropped.
    pub(crate) fn clear(&mut self) {
        self.touched = None;
        self.leavers.clear();
        self.old = None;
        if self.rest.is_some() {
            self.clear_rest();
        }
    }

    #[cold]
    fn clear_rest(&mut self) {
        let handed = self.take_handed();
        self.rest = None;
        if handed.is_some() {
            self.rest().handed = handed;
        }
    }

    /// Takes the seat of a load that the spawner has to finish.
    pub(crate) fn take_handed(&mut self) -> Option<(u64, Seat<C::Notify>)> {
        self.rest.as_mut()?.handed.take()
    }

    /// Takes the other callers to wake.
    pub(crate) fn take_woken(&mut self) -> Vec<Woken<C::Notify>> {
        self.rest.as_mut().map_or_else(Vec::new, |rest| core::mem::take(&mut rest.woken))
    }

    /// Takes the loads of many keys that no caller waits for any more.
    pub(crate) fn take_idle_batches(&mut self) -> Vec<C::Batch> {
        self.rest.as_mut().map_or_else(Vec::new, |rest| core::mem::take(&mut rest.idle))
    }

    pub(crate) fn keep_key(&mut self, key: Option<K>) {
        if let Some(key) = key {
            self.rest().keys.push(key);
        }
    }

    pub(crate) fn keep_failure(&mut self, failure: Option<Gone<K, E>>) {
        if let Some(failure) = failure {
            self.rest().failures.push(failure);
        }
    }

    pub(crate) fn keep_error(&mut self, error: Option<Failure<E>>) {
        if let Some(error) = error {
            self.rest().errors.push(error);
        }
    }

    pub(crate) fn keep_verdict(&mut self, verdict: Option<Verdict<V, E>>) {
        match verdict {
            None => {}
            Some(Ok(answer)) => self.rest().values.push(answer.value),
            Some(Err(failure)) => self.keep_error(Some(failure)),
        }
    }

    pub(crate) fn keep_waker(&mut self, waker: Option<Waker>) {
        if waker.is_none() {
        } else if self.old.is_none() {
            self.old = waker;
        } else {
            self.rest().wakers.extend(waker);
        }
    }

    /// Adds callers to wake.
    pub(crate) fn wake(&mut self, woken: Woken<C::Notify>) {
        match (&self.woken, woken) {
            (_, Woken::Nobody) => {}
            (Woken::Nobody, woken) => self.woken = woken,
            (_, woken) => self.rest().woken.push(woken),
        }
    }
}
