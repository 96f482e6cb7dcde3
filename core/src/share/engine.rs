//! The parts of a cache.

use alloc::{boxed::Box, vec::Vec};
use core::{hash::Hash, marker::PhantomData, task::Waker};

#[cfg(feature = "std")]
use super::Copies;
use super::{
    batch_load::{self, LoadOf},
    shards::Shards,
    stay::Stay,
};
use crate::{
    Failure, Instant, Key, Loaded, Lock, Runtime, Ttl, Tuning,
    contain::both,
    hasher::HashKeys,
    shard::{AsKey, Call, Carries, Effects, Links, LoadsAnew, News, Rules, Seat, Shard, Step, Visit, Waiting},
    source::{Asked, Judgement, Sources, TaskOf},
    store::{Cleared, Room, policy::Policy},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

/// What the flights of a cache carry.
pub(crate) struct Loads<K, V, E, R, S>(PhantomData<fn() -> (K, V, E, R, S)>);

impl<K, V, E, R: Runtime, S: Tuning> Carries for Loads<K, V, E, R, S> {
    type Load = TaskOf<V, E, R::Threads>;
    type Batch = Arc<Batch<K, V, E, R, S>>;
    type Notify = R::Notify;
    type AsMany = AsMany<K, V, E, R, S>;
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> LoadsAnew for Loads<K, V, E, R, S> {
    const AS_MANY: Self::AsMany = Engine::drive_as_many;
}

/// A load of many keys.
pub(crate) type Batch<K, V, E, R, S> = batch_load::Batch<K, V, E, R, Engine<K, V, E, R, S>>;

/// What a caller comes with in one poll.
pub(crate) type VisitOf<'a, K, V, E, R, S> = Visit<'a, K, Arc<Batch<K, V, E, R, S>>>;

pub(crate) type ShardOf<K, V, E, R, S> = Shard<K, V, E, Loads<K, V, E, R, S>, <S as Tuning>::Policy>;
pub(crate) type LinksOf<K, V, E, R, S> = Links<K, V, E, Loads<K, V, E, R, S>, <S as Tuning>::Policy>;
pub(crate) type EffectsOf<K, V, E, R, S> = Effects<K, V, E, Loads<K, V, E, R, S>>;

/// Drives a load of one key as one of many.
pub(crate) type AsMany<K, V, E, R, S> =
    fn(&Engine<K, V, E, R, S>, K, u32, &mut Waiting<<R as Runtime>::Notify>, &mut Make<'_, K, V, E, R>, &Waker);

/// Makes the load of these keys.
pub(super) type Make<'a, K, V, E, R> = dyn FnMut(Vec<K>) -> Option<LoadOf<K, V, E, <R as Runtime>::Threads>> + 'a;

/// Hands an abandoned load over to the runtime's spawner.
pub(crate) type HandOver<K, V, E, R, S> = fn(&Arc<Engine<K, V, E, R, S>>, Stay<R>);

/// How a cache reserves all its memory when it is built, and keeps it.
pub(crate) struct Memory<K, V, E, R: Runtime, S: Tuning> {
    /// For how many entries.
    pub(crate) entries: usize,
    /// Reserves the memory; returns whether there is enough.
    pub(crate) take: fn(&Engine<K, V, E, R, S>, usize) -> bool,
    /// Gives a cleared shard the memory of its former content again.
    pub(crate) refill: fn(&Engine<K, V, E, R, S>, usize, usize, ClearedOf<K, V, S>),
}

/// What was taken out of a shard at once.
pub(crate) type ClearedOf<K, V, S> = Cleared<K, V, <<S as Tuning>::Policy as Policy>::Node>;

impl<K, V, E, R: Runtime, S: Tuning> Clone for Memory<K, V, E, R, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V, E, R: Runtime, S: Tuning> Copy for Memory<K, V, E, R, S> {}

/// Finishes a load as [`Shard::finish`] does, if something stands beside the shard; both are locked.
pub(crate) type Finish<K, V, E, R, S> = fn(
    &Engine<K, V, E, R, S>,
    &mut Waiting<<R as Runtime>::Notify>,
    &mut Option<Result<News<V>, Failure<E>>>,
    Instant,
    &Visit<'_, K, Arc<Batch<K, V, E, R, S>>>,
    &mut EffectsOf<K, V, E, R, S>,
) -> Step;

/// Holds a value that a failed load has brought to be served instead.
pub(crate) type HoldInstead<K, V, E, R, S> = fn(
    &Engine<K, V, E, R, S>,
    u64,
    &[&Seat<<R as Runtime>::Notify>],
    Option<Loaded<V>>,
    Option<&dyn AsKey<K>>,
    Instant,
    &mut EffectsOf<K, V, E, R, S>,
);

/// Everything that the handles of one cache share.
pub(crate) struct Engine<K, V, E, R: Runtime, S: Tuning> {
    pub(crate) runtime: R,
    pub(crate) source: Sources<K, V, E, R::Threads>,
    pub(crate) hasher: S::Hasher,
    pub(crate) rules: Rules,
    /// The options of a call that has none of its own.
    pub(crate) call: Call,
    pub(crate) shards: Shards<R::Lock<ShardOf<K, V, E, R, S>>>,
    /// The part of the capacity that no shard has.
    pub(crate) room: Arc<Room>,
    /// The capacity. Locked while shards give room to others, for one newcomer at a time.
    pub(crate) capacity: R::Lock<u64>,
    /// What a hit needs beside its shard, in bits: [`TIMED`], [`COPIED`] and [`SPLIT`].
    pub(crate) needs: AtomicU8,
    /// The name that its user gave it.
    pub(crate) name: Option<Box<str>>,
    pub(crate) hand_over: Option<HandOver<K, V, E, R, S>>,
    pub(crate) finish: Option<Finish<K, V, E, R, S>>,
    /// If answers that were not asked for are stored: drives a load of one key as one of many.
    pub(crate) as_many: Option<AsMany<K, V, E, R, S>>,
    /// If a failed load may bring a value to be served instead: holds that value.
    pub(crate) hold_instead: Option<HoldInstead<K, V, E, R, S>>,
    /// Whether a load that answers in its first poll may go the short way.
    pub(crate) is_plain: bool,
    /// The same, where the clock was not read for the look.
    pub(crate) is_plain_untimed: bool,
    /// Whether there are short ways, and nobody to tell of a value that was stored, or has left.
    pub(crate) stores_at_once: bool,
    /// Set if the cache reserves all its memory when it is built.
    pub(crate) memory: Option<Memory<K, V, E, R, S>>,
    /// Set if there are copies of hot values near the threads that use them.
    #[cfg(feature = "std")]
    pub(crate) copies: Option<Copies<K, V, R>>,
}

/// Anything may expire, so that a call has to read the clock.
pub(crate) const TIMED: u8 = 1;

/// There are copies of hot values.
#[cfg(feature = "std")]
pub(crate) const COPIED: u8 = 2;

/// Shards have split.
#[cfg(feature = "std")]
pub(super) const SPLIT: u8 = 4;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    #[inline(always)]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_key(key)
    }

    /// Locks the shard of a key.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(crate) fn with<T>(&self, hash: u64, f: impl FnOnce(&mut ShardOf<K, V, E, R, S>) -> T) -> T {
        let (mut f, mut shard) = (Some(f), self.shards.of(hash));
        loop {
            let done = shard.with(|shard| match shard.home.elsewhere(hash) {
                Some(mask) => Err(mask),
                None => f.take().map(|f| f(shard)).ok_or(0),
            });
            match done {
                Ok(done) => return done,
                // The key has just moved.
                Err(mask) => shard = self.shards.split_of(hash, mask),
            }
        }
    }

    /// Locks the shard of a key. Without std, shards never split.
    #[cfg(not(feature = "std"))]
    #[inline(always)]
    pub(crate) fn with<T>(&self, hash: u64, f: impl FnOnce(&mut ShardOf<K, V, E, R, S>) -> T) -> T {
        self.shards.of(hash).with(f)
    }

    /// The shard of a key for a hit that has these needs. If nothing is found there, it may be
    /// [elsewhere](crate::shard::Home).
    #[inline(always)]
    pub(crate) fn likely_shard(&self, hash: u64, needs: u8) -> &R::Lock<ShardOf<K, V, E, R, S>> {
        #[cfg(feature = "std")]
        if needs & SPLIT != 0 {
            return self.shards.of(hash);
        }
        let _ = needs;
        self.shards.at_first(hash)
    }

    /// Are there copies of hot values?
    #[inline(always)]
    pub(crate) const fn has_copies(&self) -> bool {
        #[cfg(feature = "std")]
        return self.copies.is_some();
        #[cfg(not(feature = "std"))]
        false
    }

    /// Takes out copies that are outdated: what is left after a step does so, and who leaves nothing calls this.
    #[inline]
    pub(crate) fn purge(&self) {
        #[cfg(feature = "std")]
        if let Some(copies) = &self.copies {
            crate::contain::each(0..self.shards.first().len(), |shard| copies.purge(shard));
        }
    }

    /// The time at which a value comes: where nothing expires, no decision depends on it.
    #[inline(always)]
    pub(crate) fn now_of(&self, loaded: &Loaded<V>) -> Instant {
        let expires = self.is_timed() || self.source.judges() || !matches!(loaded.ttl, Ttl::Inherit);
        if expires { self.runtime.now() } else { self.about_now() }
    }

    /// The exact time, after one that was only about it; where that is exact, it is told once more.
    #[cold]
    #[inline(never)]
    pub(crate) fn exact_now(&self) -> Instant {
        self.runtime.now()
    }

    /// The time, as exactly as it is cheap to know.
    #[inline(always)]
    pub(crate) fn about_now(&self) -> Instant {
        self.runtime.about_now().unwrap_or_else(|| self.runtime.now())
    }

    /// The time, if it matters to a hit.
    #[inline(always)]
    pub(crate) fn now_if_timed(&self) -> Option<Instant> {
        self.now_for(self.needs())
    }

    /// What a hit needs beside its shard; mostly nothing.
    #[inline(always)]
    pub(crate) fn needs(&self) -> u8 {
        self.needs.load(Ordering::Relaxed)
    }

    /// The time, if it matters to a hit that has these needs.
    #[inline(always)]
    pub(crate) fn now_for(&self, needs: u8) -> Option<Instant> {
        (needs & TIMED != 0).then(|| self.runtime.now().told())
    }

    #[inline(always)]
    pub(crate) fn is_timed(&self) -> bool {
        self.needs() & TIMED != 0
    }

    /// Makes each call read the clock from now on.
    pub(crate) fn expects_expiry(&self) {
        if !self.is_timed() {
            self.needs.fetch_or(TIMED, Ordering::Relaxed);
        }
    }

    pub(crate) fn expect_expiry_of<const N: usize>(&self, ttls: [Ttl; N]) {
        if ttls.into_iter().any(Ttl::expires) {
            self.expects_expiry();
        }
    }

    /// What a load of this key is begun with; it gets the previous value if it uses that.
    pub(super) fn asked(&self, hash: u64, key: &dyn AsKey<K>, call: &Call) -> Asked<V> {
        let uses_it = self.source.revalidates();
        let previous = if uses_it { self.with(hash, |shard| shard.previous(hash, |k| key.is(k))) } else { None };
        Asked { previous, reload: call.reload }
    }

    /// Judges an answer by the user's rules.
    pub(crate) fn judge(&self, key: &K, loaded: &mut Loaded<V>) -> Judgement {
        let judgement = if self.source.judges() { self.source.judge(key, loaded) } else { Judgement::default() };
        self.expect_expiry_of([loaded.ttl, judgement.ttl]);
        judgement
    }

    /// The same of a value that is passed on; also returns its terms if it may be stored at once.
    #[inline(never)]
    pub(crate) fn judged(
        &self,
        key: &K,
        mut loaded: Loaded<V>,
        now: Instant,
    ) -> (Loaded<V>, Judgement, Option<(Instant, u64)>) {
        let judgement = self.judge(key, &mut loaded);
        let terms = self.rules.terms_at_once((loaded.ttl, loaded.weight), judgement, now);
        (loaded, judgement, terms)
    }

    /// How many writes there were to each shard, if answers that were not asked for are stored.
    pub(crate) fn writes(&self) -> Box<[u64]> {
        let shards = self.shards.iter().take_while(|_| self.rules.stores_surplus);
        shards.map(|shard| shard.with(|shard| shard.writes)).collect()
    }

    /// Reserves all memory for so many entries; returns whether there is enough.
    pub(crate) fn preallocate(&self, entries: usize) -> bool {
        let of_each = entries.div_ceil(self.shards.len());
        self.shards.iter().all(|shard| shard.with(|shard| shard.values.preallocate(of_each)))
    }

    /// Gives a cleared shard the memory of its former content again.
    pub(crate) fn refill(&self, shard: usize, entries: usize, cleared: ClearedOf<K, V, S>) {
        let refill = |cleared: &mut Option<ClearedOf<K, V, S>>| {
            let Some((cleared, shard)) = cleared.take().zip(self.shards.get(shard)) else { return };
            let of_each = entries.div_ceil(self.shards.len());
            let _of_no_use = shard.with(|shard| shard.values.refill(cleared, of_each));
        };
        both(&mut Some(cleared), |cleared| cleared.iter_mut().for_each(Cleared::empty), refill);
    }
}
