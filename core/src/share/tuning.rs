//! The settings that have to be types: the eviction policy and the hasher.

use core::marker::PhantomData;

use crate::{
    DefaultHasher,
    hasher::HashKeys,
    policy::{GatedFifo, Policy},
};

/// Which eviction policy and hasher a cache has; mostly [`Standard`], or a [`Tuned`].
///
/// ```
/// use larder::{Cache, ManualClock, Tuned, parts::Std, policy::Lru};
///
/// type Recent<K, V, E> = Cache<K, V, E, Std<ManualClock>, Tuned<Lru>>;
///
/// let cache: Recent<u32, u32, std::io::Error> =
///     Cache::builder_with(Std::new(ManualClock::new()), Tuned::new()).capacity(2).shards(1).build()?;
/// cache.insert(1, 10);
/// cache.insert(2, 20);
/// cache.get_if_present(&1);
/// cache.insert(3, 30);
/// assert!(cache.contains(&1) && !cache.contains(&2));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub trait Tuning {
    /// Which entry leaves when room is needed.
    type Policy: Policy;

    /// Hashes keys: any [`BuildHasher`](core::hash::BuildHasher), or the [`DefaultHasher`].
    type Hasher: HashKeys;

    /// Whether something beside the shard has a say in the answers of loads.
    #[doc(hidden)]
    const IS_BESIDE: bool = false;

    /// Returns the hasher, or none if it still needs a seed.
    fn into_hasher(self) -> Option<Self::Hasher>;
}

/// A [`Tuning`] of this policy and hasher.
///
/// A hasher should be seeded, or an attacker can choose keys that collide.
///
/// ```
/// use larder::{Cache, ManualClock, Tuned, parts::Std, policy::GatedFifo};
/// use std::hash::RandomState;
///
/// let tuning = Tuned::<GatedFifo, _>::with_hasher(RandomState::new());
/// let cache = Cache::builder_with(Std::new(ManualClock::new()), tuning)
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
///     .build()?;
/// # cache.insert(1, 7);
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct Tuned<P, H = DefaultHasher> {
    hasher: Option<H>,
    policy: PhantomData<fn() -> P>,
}

/// The default of caches: the policy with the best hit ratio, and a fast hasher.
///
/// ```
/// # use larder::{ManualClock, Standard, parts::Std};
/// type Pages = larder::Cache<String, String, std::io::Error, Std<ManualClock>>; // of `Standard`
/// type Same = larder::Cache<String, String, std::io::Error, Std<ManualClock>, Standard>;
/// let same: fn(Pages) -> Same = |pages| pages;
/// ```
pub type Standard = Tuned<GatedFifo>;

impl<P: Policy> Tuned<P> {
    /// Takes the default hasher, with a random seed; without std, the builder needs a hasher.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, Tuned, parts::Std, policy::Lru};
    /// let builder = Cache::builder_with(Std::new(ManualClock::new()), Tuned::<Lru>::new());
    /// # drop(builder.load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) }).build()?);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { hasher: DefaultHasher::random(), policy: PhantomData }
    }
}

impl<P: Policy, H: HashKeys> Tuned<P, H> {
    /// Takes a custom hasher.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, Tuned, parts::Std, policy::Lru};
    /// # use std::hash::RandomState;
    /// let tuning = Tuned::<Lru, _>::with_hasher(RandomState::new());
    /// let builder = Cache::builder_with(Std::new(ManualClock::new()), tuning);
    /// # drop(builder.load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) }).build()?);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    ///
    /// Keys are found by all 64 bits of their hash, so equal bits in many hashes make it slow, but never wrong.
    pub const fn with_hasher(hasher: H) -> Self {
        Self { hasher: Some(hasher), policy: PhantomData }
    }
}

impl<P: Policy> Default for Tuned<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Policy, H: HashKeys> Tuning for Tuned<P, H> {
    type Policy = P;
    type Hasher = H;

    fn into_hasher(self) -> Option<H> {
        self.hasher
    }
}
