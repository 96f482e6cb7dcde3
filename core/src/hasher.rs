//! What hashes keys by default.

use core::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
};

use foldhash::{
    SharedSeed,
    quality::{FixedState, FoldHasher},
};

/// The default hasher of a cache.
///
/// It is foldhash, with secrets of its own for each cache: drawn at random with `std`; without `std` the builder
/// requires a [`hash_seed`](crate::Builder::hash_seed). Keys that collide cannot be chosen for a cache whose seed is
/// not known.
///
/// It is not made to keep its secrets from an attacker that sees hashes, or that measures a cache's answers finely enough
/// to guess them. If such people choose keys, std's `RandomState` is safer and slower:
/// [`Tuned::with_hasher`](crate::Tuned::with_hasher).
///
/// ```
/// use larder::DefaultHasher;
///
/// let (one, same) = (DefaultHasher::with_seed(1), DefaultHasher::with_seed(1));
/// assert_eq!(one.hash_one("larder"), same.hash_one("larder"));
/// ```
// No `BuildHasher`: one of those cannot lend its secrets to the hasher that it builds.
#[derive(Clone)]
pub struct DefaultHasher {
    seed: u64,
    shared: SharedSeed,
}

impl DefaultHasher {
    /// Makes a hasher whose hashes depend on the seed alone.
    ///
    /// All secrets are derived from the seed. If keys come from strangers, the seed has to be secret and random in all
    /// of its 64 bits. Hashes differ between kinds of processors, and between versions of this crate.
    ///
    /// ```
    /// # use larder::DefaultHasher;
    /// assert_ne!(DefaultHasher::with_seed(1).hash_one(7), DefaultHasher::with_seed(2).hash_one(7));
    /// ```
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        // Stretched, or seeds that are small numbers would meet keys that are small numbers.
        Self::drawn(&FixedState::with_seed(seed))
    }

    /// Returns the hash of a key.
    ///
    /// ```
    /// # use larder::DefaultHasher;
    /// let hasher = DefaultHasher::with_seed(1);
    /// assert_eq!(hasher.hash_one("larder"), hasher.hash_one(String::from("larder")));
    /// ```
    #[inline(always)]
    pub fn hash_one<K: Hash>(&self, key: K) -> u64 {
        self.hash_key(&key)
    }

    /// Makes one with secret randomness, if there is any.
    pub(crate) fn random() -> Option<Self> {
        #[cfg(feature = "std")]
        return Some(Self::default());
        #[cfg(not(feature = "std"))]
        None
    }

    fn drawn(from: &impl BuildHasher) -> Self {
        Self { seed: from.hash_one(1), shared: SharedSeed::from_u64(from.hash_one(2)) }
    }
}

/// With its own secrets, drawn as std's `RandomState` draws them.
#[cfg(feature = "std")]
impl Default for DefaultHasher {
    fn default() -> Self {
        Self::drawn(&std::hash::RandomState::new())
    }
}

/// Without the secrets.
impl fmt::Debug for DefaultHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultHasher").finish_non_exhaustive()
    }
}

/// Hashes keys: any `BuildHasher`, or the default hasher.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hash keys",
    label = "neither a `BuildHasher` nor the `DefaultHasher`"
)]
pub trait HashKeys {
    /// Returns the hash of a key.
    fn hash_key<Q: Hash + ?Sized>(&self, key: &Q) -> u64;
}

impl<H: BuildHasher> HashKeys for H {
    #[inline(always)]
    fn hash_key<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hash_one(key)
    }
}

impl HashKeys for DefaultHasher {
    #[inline(always)]
    fn hash_key<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        let mut state = FoldHasher::with_seed(self.seed, &self.shared);
        key.hash(&mut state);
        state.finish()
    }
}
