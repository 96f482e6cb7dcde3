//! What a step under the lock hands out, and what is to be done once the lock is released.

use alloc::{boxed::Box, vec::Vec};
use core::task::Waker;

use super::{
    Carries, Need, Seat,
    flights::{LookupResult, Verdict},
};
use crate::{
    Failure, Instant,
    flight::{SharedWaker, Woken},
    source::Touched,
    store::{Gone, Leavers},
    sync::Arc,
};

/// What a step under the lock leaves for after it: what the caller is handed, who is woken, told and dropped.
pub(crate) struct Effects<K, V, E, C: Carries> {
    /// The attempt that the caller drives.
    pub(crate) number: u32,
    /// Its load, to be polled.
    pub(crate) load: Option<C::Load>,
    /// The waker that it is polled with, if several wait for it.
    pub(crate) waker: Option<Waker>,
    /// The load of many keys that is to be driven is to be polled though it was not woken.
    pub(crate) is_unwoken: bool,
    /// The load of many keys that is to be driven.
    pub(crate) batch: Option<C::Batch>,
    /// What drives the load that the caller makes, where it is delivered in a newer epoch of its key as well.
    pub(crate) anew: Option<C::AsMany>,
    /// When the caller is to look again at the latest.
    pub(crate) until: Instant,
    /// The value that the caller is told, where it wants nothing else.
    pub(crate) value: Option<V>,
    /// What the caller is told.
    pub(crate) told: Option<LookupResult<V, E>>,
    /// What a newcomer needs that its shard has not.
    pub(crate) need: Need,
    /// Who is to be woken.
    pub(crate) woken: Woken<C::Notify>,
    pub(crate) touched: Option<Touched>,
    pub(crate) leavers: Leavers<K, V>,
    /// A waker that is of no use any more.
    pub(crate) old: Option<Waker>,
    rest: Option<Box<Rest<K, V, E, C>>>,
}

/// What is seldom left over; most of it is only to be dropped.
pub(crate) struct Rest<K, V, E, C: Carries> {
    /// The seat of a caller that left a load behind which the spawner is to finish.
    pub(crate) handed: Option<(u64, Seat<C::Notify>)>,
    pub(crate) woken: Vec<Woken<C::Notify>>,
    pub(crate) loads: Vec<C::Load>,
    /// Loads of many keys that a key was a part of.
    pub(crate) batches: Vec<C::Batch>,
    /// Those for which nobody waits any more.
    pub(crate) idle: Vec<C::Batch>,
    pub(crate) keys: Vec<K>,
    pub(crate) values: Vec<V>,
    pub(crate) errors: Vec<Failure<E>>,
    pub(crate) failures: Vec<Gone<K, E>>,
    pub(crate) wakers: Vec<Waker>,
    pub(crate) unused: Vec<Arc<SharedWaker<C::Notify>>>,
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
    /// Room for what is seldom left over.
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

    /// Is there nothing to be done?
    #[inline]
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self.woken, Woken::Nobody)
            && self.touched.is_none()
            && self.leavers.first.is_none()
            && self.old.is_none()
            && self.rest.is_none()
    }

    /// Is there nothing in here at all, so that it need not be dropped?
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

    /// Has a newcomer not come in, as it needs room first?
    pub(crate) const fn lacks_room(&self) -> bool {
        matches!(self.need, Need::Room(_) | Need::RoomBeside)
    }

    /// Is nobody to be woken?
    #[inline]
    pub(crate) const fn is_only_to_be_dropped(&self) -> bool {
        matches!(self.woken, Woken::Nobody) && self.rest.is_none()
    }

    /// Drops what is only to be dropped.
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

    /// The seat of a load that the spawner is to finish.
    pub(crate) fn take_handed(&mut self) -> Option<(u64, Seat<C::Notify>)> {
        self.rest.as_mut()?.handed.take()
    }

    /// The others who are to be woken.
    pub(crate) fn take_woken(&mut self) -> Vec<Woken<C::Notify>> {
        self.rest.as_mut().map_or_else(Vec::new, |rest| core::mem::take(&mut rest.woken))
    }

    /// The loads of many keys for which nobody waits any more.
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

    /// These are to be woken, too.
    pub(crate) fn wake(&mut self, woken: Woken<C::Notify>) {
        match (&self.woken, woken) {
            (_, Woken::Nobody) => {}
            (Woken::Nobody, woken) => self.woken = woken,
            (_, woken) => self.rest().woken.push(woken),
        }
    }
}
