//! Many keys at once.
//!
//! Each distinct key is an [`Ask`] like any. What is special is how they lead: whoever has to begin an attempt puts his
//! name down ([`gather::Gather`]), and once all have been asked, one load is begun for all names. That load rests in the
//! flights of its keys if it is the cache's own, or stays with the call if it is a closure's ([`kept::Kept`]).

pub(super) mod by_closure;
pub(super) mod by_loader;
mod gather;
mod kept;
mod lead;

use alloc::{borrow::ToOwned, boxed::Box, sync::Arc, vec::Vec};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    mem,
    task::{Context, Poll},
};

use hashbrown::HashTable;

use self::{
    gather::{Gather, Leads, Rests},
    kept::Kept,
};
use super::{
    LookupOptions,
    answers::Hashed,
    ask::Ask,
    inner::Inner,
    ride::{Part, Ride},
};
use crate::{Instant, Key, LoadError, Outcome, Runtime, Source, policy::Policy};

/// The keys of one call.
pub(crate) struct Many<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M, S>
where
    M: Leads<K, L>,
    S: Shape<L::Value, L::Error>,
{
    // Dropped first: whoever leads next must find the seats free before the loads that are kept here go.
    asked: Vec<Asked<'a, K, Q, L, R, P, H, S::Told>>,
    gather: Gather<K, L, R, M>,
    inner: &'a Arc<Inner<K, L, R, P, H>>,
    options: LookupOptions,
    /// The keys as they were given, until the first poll.
    keys: Vec<&'a Q>,
    /// For each of them, which of the distinct ones it is.
    order: Vec<usize>,
}

/// One distinct key, and what it came to.
struct Asked<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, T> {
    hash: u64,
    ask: Ask<'a, K, Q, L, R, P, H>,
    told: Option<Result<T, LoadError<L::Error>>>,
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

impl<'a, K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M, S> Many<'a, K, Q, L, R, P, H, M, S>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Leads<K, L>,
    S: Shape<L::Value, L::Error>,
{
    pub(crate) fn new(
        inner: &'a Arc<Inner<K, L, R, P, H>>,
        keys: impl IntoIterator<Item = &'a Q>,
        options: LookupOptions,
        leads: M,
    ) -> Self {
        let keys = keys.into_iter().collect();
        Self { asked: Vec::new(), gather: Gather::new(leads), inner, options, keys, order: Vec::new() }
    }

    /// Carries all lookups on; ready when all of them are settled.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Told<S::Told, L::Error>> {
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
                    one.told = Some(result.map(|(outcome, _)| S::tell(outcome)));
                }
            }
            gather.drop_unneeded(asked);
            // What was asked for has been published.
            mem::take(&mut gather.surplus).store(inner);
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
            let told = if self.options.reloads() { None } else { S::hit(hit).map(Ok) };
            asked.push(Asked { hash, ask: Ask::new(inner, key), told });
            places.insert_unique(hash, index, |index| asked[*index].hash);
            self.order.push(index);
        }
        now
    }

    /// Begins one load for all who have to lead since; tells whether there were any.
    fn begin(&mut self) -> bool {
        let Self { asked, gather, .. } = self;
        if gather.leads.is_empty() && gather.alone.is_empty() {
            return false;
        }
        let keys_of = |members: &[usize]| -> Hashed<K> {
            members.iter().map(|index| (asked[*index].hash, asked[*index].ask.key.to_owned())).collect()
        };
        // Cloning a key may panic, so nobody's name is struck out before.
        let (leads, alone) = (keys_of(&gather.leads), keys_of(&gather.alone));
        let members = mem::take(&mut gather.leads);
        if matches!(M::RESTS, Rests::InFlights) {
            for (part, index) in Part::of(leads).zip(members) {
                let Some(waiter) = asked[index].ask.waiter() else { continue };
                let inside = part.waker();
                waiter.bring(Some(Ride::Part(Box::new(part))), inside);
            }
        } else if !members.is_empty() {
            let kept = Kept::new(members, leads, true);
            for index in &kept.members {
                let waiter = asked[*index].ask.waiter();
                waiter.into_iter().for_each(|waiter| waiter.set_inside(kept.waker()));
            }
            gather.kept.push(kept);
        }
        let members = mem::take(&mut gather.alone);
        if !members.is_empty() {
            gather.kept.push(Kept::new(members, alone, false));
        }
        true
    }

    /// Repeats what was told of each key for each time that it was asked for.
    fn tell(&mut self) -> Told<S::Told, L::Error> {
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
struct Unwinding<'x, 'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M, S>(
    &'x mut Many<'a, K, Q, L, R, P, H, M, S>,
)
where
    M: Leads<K, L>,
    S: Shape<L::Value, L::Error>;

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M, S> Drop
    for Unwinding<'_, '_, K, Q, L, R, P, H, M, S>
where
    M: Leads<K, L>,
    S: Shape<L::Value, L::Error>,
{
    fn drop(&mut self) {
        let Many { asked, gather, .. } = &mut *self.0;
        if matches!(M::RESTS, Rests::InFlights) {
            for index in mem::take(&mut gather.leads) {
                asked[index].ask.waiter().into_iter().for_each(|waiter| waiter.bring(None, None));
            }
            asked.iter_mut().filter_map(|one| one.ask.waiter()).for_each(|waiter| waiter.rouse());
        }
    }
}
