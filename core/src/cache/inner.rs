//! What all clones of a cache share.

use alloc::{boxed::Box, sync::Arc};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use super::{abandoned::Abandoned, crowd::Crowd};
use crate::{
    Instant, Key, Lock, Runtime, Source,
    policy::{GatedFifo, Policy},
    shard::{Effects, Rules, Shard},
};

/// The hasher of a cache that was not given one: fast, and seeded at random for each cache where std is there.
pub type DefaultHasher = foldhash::fast::FixedState;

/// A read-through cache: ask for a key, and on a miss one caller's load serves everybody.
///
/// Cloning it is cheap, and all clones are one cache. `L` is where values come from, `R` the runtime, `P` the eviction
/// policy and `H` the hasher. Made by [`Cache::builder`].
///
/// What holds for every lookup: callers of a missing key share one load, and one that is dropped, the first included,
/// neither fails nor slows the others; any one of them that is polled carries the load on. A failure is shared by those
/// who waited. A write during a load is never undone by it. A hit allocates nothing. No lock is held over an await, over
/// a user's closure or over the drop of a user's value.
pub struct Cache<K: Key, L: Source<K>, R: Runtime, P: Policy = GatedFifo, H: BuildHasher = DefaultHasher> {
    pub(super) inner: Arc<Inner<K, L, R, P, H>>,
}

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Clone for Cache<K, L, R, P, H> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// One shard as the shell knows it.
pub(crate) type ShardOf<K, L, R, P> = Shard<
    K,
    <L as Source<K>>::Value,
    <L as Source<K>>::Error,
    <L as Source<K>>::Future,
    Waker,
    Crowd<<R as Runtime>::Notify>,
    P,
>;

/// What is done once the lock is released.
pub(crate) type EffectsOf<K, L, R> = Effects<
    K,
    <L as Source<K>>::Value,
    <L as Source<K>>::Error,
    <L as Source<K>>::Future,
    Crowd<<R as Runtime>::Notify>,
>;

/// What a spawner is called by, if abandoned loads are to be finished.
pub(crate) type SpawnAbandoned<K, L, R, P, H> =
    fn(&R, Abandoned<K, L, R, P, H>) -> Result<(), Abandoned<K, L, R, P, H>>;

pub(crate) struct Inner<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    pub(super) runtime: R,
    pub(super) source: L,
    pub(super) hasher: H,
    pub(super) rules: Rules,
    pub(super) shards: Box<[Aligned<R::Lock<ShardOf<K, L, R, P>>>]>,
    /// Whether anything was ever stored that expires: until then no hit reads the clock.
    pub(super) timed: AtomicBool,
    pub(super) spawn: Option<SpawnAbandoned<K, L, R, P, H>>,
}

/// Keeps neighbouring locks off each other's cache lines.
#[cfg_attr(target_pointer_width = "64", repr(align(64)))]
pub(crate) struct Aligned<T>(pub(super) T);

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> Inner<K, L, R, P, H> {
    #[inline(always)]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Runs `f` on the shard of this hash, alone.
    #[inline(always)]
    pub(crate) fn with<T>(&self, hash: u64, f: impl FnOnce(&mut ShardOf<K, L, R, P>) -> T) -> T {
        // Bits that neither choose the bucket in a shard's table nor make the tag there.
        let index = (((hash >> 16) & 0xffff_ffff) * self.shards.len() as u64) >> 32;
        self.shards[index as usize].0.with(f)
    }

    /// Reads the clock if anything may have expired.
    #[inline(always)]
    pub(crate) fn now_if_timed(&self) -> Option<Instant> {
        self.timed.load(Ordering::Relaxed).then(|| self.runtime.now().told())
    }

    /// Looks for a fresh value, and for nothing else.
    #[inline(always)]
    pub(crate) fn hit<Q>(&self, hash: u64, now: Option<Instant>, key: &Q) -> Option<L::Value>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        // As long as nothing expires, it is always zero o'clock.
        let now = now.unwrap_or(Instant::ZERO);
        self.with(hash, |shard| shard.hit(hash, now, |k| k.borrow() == key))
    }

    /// Notes that values may expire from now on; to be called before one that does is stored.
    pub(crate) fn expects_expiry(&self) {
        if !self.timed.load(Ordering::Relaxed) {
            self.timed.store(true, Ordering::Relaxed);
        }
    }
}

/// What a shard has left to be done once its lock is released. Dropping it does it: wakes first, then drops the rest,
/// also when the stack unwinds, so that nobody is left asleep.
pub(crate) struct Deferred<K, L: Source<K>, R: Runtime>(pub(super) EffectsOf<K, L, R>);

impl<K, L: Source<K>, R: Runtime> Deferred<K, L, R> {
    pub(crate) const fn new() -> Self {
        Self(Effects::new())
    }
}

impl<K, L: Source<K>, R: Runtime> Drop for Deferred<K, L, R> {
    fn drop(&mut self) {
        if let Some(crowd) = self.0.wake.take() {
            crowd.notify_all();
        }
    }
}

/// A way to a cache's insides: borrowed for a call, or shared for what outlives it.
pub(crate) trait Handle<T> {
    fn get(&self) -> &T;
    fn share(&self) -> Arc<T>;
}

impl<T> Handle<T> for &Arc<T> {
    fn get(&self) -> &T {
        self
    }

    fn share(&self) -> Arc<T> {
        Arc::clone(self)
    }
}

impl<T> Handle<T> for Arc<T> {
    fn get(&self) -> &T {
        self
    }

    fn share(&self) -> Self {
        Self::clone(self)
    }
}
