//! Many keys at once.
//!
//! Each distinct key is an [`Ask`] like any. What is special is how they lead: whoever has to begin an attempt puts his
//! name down ([`gather::Gather`]), and once all have been asked, one load is begun for all names. That load rests in the
//! flights of its keys; what is loaded outside any flight stays with the call ([`kept::Kept`]).

mod gather;
mod kept;
mod lead;
mod lookup;

use alloc::{borrow::ToOwned, boxed::Box, sync::Arc, vec::Vec};
use core::{
    borrow::Borrow,
    hash::Hash,
    mem,
    task::{Context, Poll},
};

use hashbrown::HashTable;

pub use lookup::LookupMany;

use self::{
    gather::{Gather, Leads, Rests},
    kept::Kept,
};
use super::{
    LookupOptions,
    answers::{Begun, Hashed},
    ask::Ask,
    inner::Inner,
    ride::{Part, Ride},
};
use crate::{Instant, Key, LoadError, Outcome, Runtime, Tuning};

/// The keys of one call.
pub(crate) struct Many<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> {
    // Dropped first: whoever leads next must find the seats free before the loads that are kept here go.
    asked: Vec<Asked<'a, K, Q, V, E, R, S, W::Told>>,
    gather: Gather<K, V, E, R, M>,
    inner: &'a Arc<Inner<K, V, E, R, S>>,
    pub(super) options: LookupOptions,
    /// The keys as they were given, until the first poll.
    keys: Vec<&'a Q>,
    /// For each of them, which of the distinct ones it is.
    order: Vec<usize>,
}

/// One distinct key, and what it came to.
struct Asked<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, T> {
    hash: u64,
    ask: Ask<'a, K, Q, V, E, R, S>,
    told: Option<Result<T, LoadError<E>>>,
}

/// What a call tells of each key.
pub(crate) trait Shape<V, E> {
    type Told: Clone;

    /// Tells of a fresh value that was found at once; `None` if there is more to be told.
    fn hit(find: impl FnOnce() -> Option<V>) -> Option<Self::Told>;

    fn tell(outcome: Outcome<V, E>) -> Self::Told;
}

/// Tells the value alone.
pub(crate) struct Values;

impl<V: Clone, E> Shape<V, E> for Values {
    type Told = V;

    fn hit(find: impl FnOnce() -> Option<V>) -> Option<V> {
        find()
    }

    fn tell(outcome: Outcome<V, E>) -> V {
        outcome.value
    }
}

/// Tells all there is to say.
pub(crate) struct Outcomes;

impl<V: Clone, E> Shape<V, E> for Outcomes {
    type Told = Outcome<V, E>;

    fn hit(_: impl FnOnce() -> Option<V>) -> Option<Outcome<V, E>> {
        None
    }

    fn tell(outcome: Outcome<V, E>) -> Outcome<V, E> {
        outcome
    }
}

/// What a call comes to: for each key, in the order asked, its own.
pub(crate) type Told<T, E> = Vec<Result<T, LoadError<E>>>;

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'a, K, Q, V, E, R, S, M, W> {
    /// Loads by this instead. It was not polled yet.
    pub(crate) fn with<N: Leads<K, V, E, R::Threads>>(self, leads: N) -> Many<'a, K, Q, V, E, R, S, N, W> {
        let rests = leads.rests(&self.inner.source);
        let Self { asked, inner, options, keys, order, .. } = self;
        Many { asked, gather: Gather::new(leads, rests), inner, options, keys, order }
    }
}

impl<'a, K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M, W> Many<'a, K, Q, V, E, R, S, M, W>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Leads<K, V, E, R::Threads>,
    W: Shape<V, E>,
{
    pub(crate) fn new(inner: &'a Arc<Inner<K, V, E, R, S>>, keys: impl IntoIterator<Item = &'a Q>, leads: M) -> Self {
        let (keys, gather) = (keys.into_iter().collect(), Self::gather(inner, leads));
        Self { asked: Vec::new(), gather, inner, options: LookupOptions::new(), keys, order: Vec::new() }
    }

    fn gather(inner: &Inner<K, V, E, R, S>, leads: M) -> Gather<K, V, E, R, M> {
        let rests = leads.rests(&inner.source);
        Gather::new(leads, rests)
    }

    /// Carries all lookups on; ready when all of them are settled.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Told<W::Told, E>> {
        let call = self.options.over(&self.inner.rules);
        let mut now = self.sort_out();
        loop {
            let unwinding = Unwinding(self);
            let Self { asked, gather, inner, .. } = &mut *unwinding.0;
            gather.poll_kept(inner, asked, cx);
            for (index, one) in asked.iter_mut().enumerate().filter(|(_, one)| one.told.is_none()) {
                gather.turn = index;
                let now = if one.ask.is_new() { Some(*now.get_or_insert_with(|| inner.runtime.now())) } else { None };
                if let Poll::Ready(result) = one.ask.poll(cx, &call, one.hash, now, gather) {
                    one.told = Some(result.map(|(outcome, _)| W::tell(outcome)));
                }
            }
            gather.drop_unneeded(asked);
            let has_begun = unwinding.0.begin();
            mem::forget(unwinding);
            if !has_begun {
                break;
            }
        }
        if self.asked.iter().any(|one| one.told.is_none()) {
            return Poll::Pending;
        }
        Poll::Ready(self.tell())
    }

    /// The first poll: finds out which keys there are, and which of them are hits; returns the time if it was read.
    fn sort_out(&mut self) -> Option<Instant> {
        if self.keys.is_empty() {
            return None;
        }
        let inner = self.inner;
        if self.options.expires() {
            inner.expects_expiry();
        }
        let now = inner.now_if_timed();
        let keys = mem::take(&mut self.keys);
        let mut places = HashTable::with_capacity(keys.len());
        self.order.reserve_exact(keys.len());
        self.asked.reserve_exact(keys.len());
        for key in keys {
            let (hash, asked) = (inner.hash(key), &mut self.asked);
            if let Some(index) = places.find(hash, |index: &usize| asked[*index].ask.key == key) {
                self.order.push(*index);
                continue;
            }
            let index = asked.len();
            let hit = || inner.hit(hash, now.unwrap_or(Instant::ZERO), key);
            let told = if self.options.reloads() { None } else { W::hit(hit).map(Ok) };
            asked.push(Asked { hash, ask: Ask::new(inner, key), told });
            places.insert_unique(hash, index, |index| asked[*index].hash);
            self.order.push(index);
        }
        now
    }

    /// Begins one load for all who have to lead since; tells whether there were any.
    fn begin(&mut self) -> bool {
        let Self { asked, gather, inner, .. } = self;
        if gather.leads.is_empty() && gather.alone.is_empty() {
            return false;
        }
        let keys_of = |members: &[usize]| -> Hashed<K> {
            members.iter().map(|index| (asked[*index].hash, asked[*index].ask.key.to_owned())).collect()
        };
        // Cloning a key may panic, so nobody's name is struck out before.
        let (leads, alone) = (keys_of(&gather.leads), keys_of(&gather.alone));
        let mut begun = None;
        if M::IS_BROUGHT && !leads.is_empty() {
            gather.is_making = true;
            begun = Begun::begin(inner, &leads, |keys| gather.by.begin(&inner.source, keys));
            gather.is_making = false;
        }
        let members = mem::take(&mut gather.leads);
        for (part, index) in Part::of(leads, begun).zip(members) {
            let Some(waiter) = asked[index].ask.waiter() else { continue };
            let inside = part.waker();
            waiter.bring(Some(Ride::Part(Box::new(part))), inside);
        }
        let members = mem::take(&mut gather.alone);
        if !members.is_empty() {
            gather.kept.push(Kept::new(members, alone));
        }
        true
    }

    /// Repeats what was told of each key for each time that it was asked for.
    fn tell(&mut self) -> Told<W::Told, E> {
        let mut told: Vec<_> = mem::take(&mut self.asked).into_iter().map(|one| one.told).collect();
        let order = mem::take(&mut self.order);
        if told.len() == order.len() {
            return told.into_iter().flatten().collect();
        }
        let mut left = alloc::vec![0_usize; told.len()];
        order.iter().for_each(|index| left[*index] += 1);
        let tell = |index: usize| {
            left[index] -= 1;
            if left[index] == 0 { told[index].take() } else { told[index].clone() }
        };
        order.into_iter().filter_map(tell).collect()
    }
}

/// A call that is polled. Should the stack unwind, those who wait for a key that it was about to load lead by
/// themselves, if the cache has a loader, and so does who has joined a load that it was about to poll.
struct Unwinding<'x, 'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>>(
    &'x mut Many<'a, K, Q, V, E, R, S, M, W>,
);

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Drop
    for Unwinding<'_, '_, K, Q, V, E, R, S, M, W>
{
    fn drop(&mut self) {
        let Many { asked, gather, .. } = &mut *self.0;
        if gather.rests != Rests::InFlights {
            return;
        }
        for index in mem::take(&mut gather.leads) {
            if gather.is_making {
                asked[index].ask.panicked();
            } else {
                asked[index].ask.waiter().into_iter().for_each(|waiter| waiter.bring(None, None));
            }
        }
        asked.iter_mut().filter_map(|one| one.ask.waiter()).for_each(|waiter| waiter.rouse());
    }
}
