//! What a user may add to a source: a weigher, an expiry, and whatever else is asked or told of each value.

use alloc::vec::Vec;

use super::{
    load::{HasLoader, Judgement, Source, Touched, sealed::Sealed},
    revalidate::Previous,
};
use crate::{RemovalCause, Ttl};

/// A source to which a user has added something. Each addition is an `Extra`.
pub struct With<L, X> {
    pub(crate) source: L,
    pub(crate) extra: X,
}

/// One thing that a user adds to a source. Public only as a part of the sources' types.
pub trait Extra<K, V> {
    /// Whether [`judge`](Self::judge) says anything.
    const JUDGES: bool = false;

    /// Whether [`left`](Self::left) tells anybody.
    const LISTENS: bool = false;

    /// Whether [`touched`](Self::touched) tells anybody.
    const WATCHES: bool = false;

    /// Says what it has to say of a value.
    fn judge(&self, key: &K, value: &V, judgement: &mut Judgement) {
        let _ = (key, value, judgement);
    }

    /// Draws a number between 0 and 1, if that is what it is for.
    fn random(&self) -> Option<f64> {
        None
    }

    /// Hears that a value has left.
    fn left(&self, key: &K, value: &V, cause: RemovalCause) {
        let _ = (key, value, cause);
    }

    /// Hears that a value is there that was not, or the other way round.
    fn touched(&self, _: Touched) {}
}

impl<L, X> Sealed for With<L, X> {}
impl<L: HasLoader, X> HasLoader for With<L, X> {}

impl<K, L: Source<K>, X: Extra<K, L::Value>> Source<K> for With<L, X> {
    type Value = L::Value;
    type Error = L::Error;
    type Answer = L::Answer;
    type Future = L::Future;
    type Batch = L::Batch;

    const IS_READY: bool = L::IS_READY;
    const LOADS: bool = L::LOADS;
    const BATCHES: bool = L::BATCHES;
    const REVALIDATES: bool = L::REVALIDATES;
    const JUDGES: bool = L::JUDGES || X::JUDGES;
    const LISTENS: bool = L::LISTENS || X::LISTENS;
    const WATCHES: bool = L::WATCHES || X::WATCHES;

    fn begin(&self, key: K, previous: Option<Previous<L::Value>>) -> Option<Self::Future> {
        self.source.begin(key, previous)
    }

    fn begin_many(&self, keys: Vec<K>) -> Option<Self::Batch> {
        self.source.begin_many(keys)
    }

    fn judge(&self, key: &K, value: &L::Value) -> Judgement {
        let mut judgement = self.source.judge(key, value);
        self.extra.judge(key, value, &mut judgement);
        judgement
    }

    fn random(&self) -> Option<f64> {
        self.extra.random().or_else(|| self.source.random())
    }

    fn left(&self, key: &K, value: &L::Value, cause: RemovalCause) {
        self.source.left(key, value, cause);
        self.extra.left(key, value, cause);
    }

    fn touched(&self, what: Touched) {
        self.source.touched(what);
        self.extra.touched(what);
    }
}

/// A source whose values are weighed by a closure.
///
/// Made by [`Builder::weigher`](crate::Builder::weigher). A function pointer makes it a type that can be written down:
///
/// ```
/// use larder::{Cache, ManualClock, PerCall, Weighed, parts::Std};
/// use std::io;
///
/// type Weigher = fn(&String, &String) -> u64;
/// type Pages = Cache<String, Weighed<PerCall<String, io::Error>, Weigher>, Std<ManualClock>>;
///
/// let pages: Pages = Cache::builder(Std::new(ManualClock::new()))
///     .per_call()
///     .weigher((|_, page| page.len() as u64) as Weigher)
///     .build()?;
/// # pages.insert(String::from("a"), String::from("larder"));
/// # assert_eq!(pages.weight(), 6);
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub type Weighed<L, W> = With<L, Weigher<W>>;

/// A closure that weighs values.
pub struct Weigher<W>(pub(crate) W);

impl<K, V, W: Fn(&K, &V) -> u64> Extra<K, V> for Weigher<W> {
    const JUDGES: bool = true;

    fn judge(&self, key: &K, value: &V, judgement: &mut Judgement) {
        judgement.weight = Some((self.0)(key, value));
    }
}

/// A source with a closure that hears of the values that leave.
///
/// Made by [`Builder::listener`](crate::Builder::listener). A function pointer makes it a type that can be written down:
///
/// ```
/// use larder::{Cache, Listening, ManualClock, PerCall, RemovalCause, parts::Std};
/// use std::io;
///
/// type Listener = fn(&String, &String, RemovalCause);
/// type Pages = Cache<String, Listening<PerCall<String, io::Error>, Listener>, Std<ManualClock>>;
///
/// let pages: Pages = Cache::builder(Std::new(ManualClock::new()))
///     .per_call()
///     .listener((|path, _, cause| println!("{path}: {cause}")) as Listener)
///     .build()?;
/// # pages.insert(String::from("/"), String::from("larder"));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub type Listening<L, F> = With<L, Listener<F>>;

/// A closure that hears of the values that leave.
pub struct Listener<F>(pub(crate) F);

impl<K, V, F: Fn(&K, &V, RemovalCause)> Extra<K, V> for Listener<F> {
    const LISTENS: bool = true;

    fn left(&self, key: &K, value: &V, cause: RemovalCause) {
        (self.0)(key, value, cause);
    }
}

/// A source whose values live for as long as a closure says.
///
/// Made by [`Builder::expire_after`](crate::Builder::expire_after). A function pointer makes it a type that can be
/// written down:
///
/// ```
/// use larder::{Cache, Expiring, ManualClock, PerCall, Ttl, parts::Std};
/// use std::io;
///
/// type Expiry = fn(&String, &Option<u32>) -> Ttl;
/// type Numbers = Cache<String, Expiring<PerCall<Option<u32>, io::Error>, Expiry>, Std<ManualClock>>;
///
/// let numbers: Numbers = Cache::builder(Std::new(ManualClock::new()))
///     .per_call()
///     .expire_after((|_, number| if number.is_some() { Ttl::Inherit } else { Ttl::NotStored }) as Expiry)
///     .build()?;
/// # assert!(numbers.insert(String::from("a"), Some(1)).is_some());
/// # assert!(numbers.insert(String::from("b"), None).is_none());
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub type Expiring<L, F> = With<L, Expiry<F>>;

/// A closure that says how long values live.
pub struct Expiry<F>(pub(crate) F);

impl<K, V, F: Fn(&K, &V) -> Ttl> Extra<K, V> for Expiry<F> {
    const JUDGES: bool = true;

    fn judge(&self, key: &K, value: &V, judgement: &mut Judgement) {
        judgement.ttl = (self.0)(key, value).or(judgement.ttl);
    }
}

/// A source that leaves it to chance when a fresh value is refreshed.
///
/// Made by [`Builder::refresh_early_by_chance`](crate::Builder::refresh_early_by_chance). A function pointer makes it a
/// type that can be written down:
///
/// ```
/// use larder::{Cache, ManualClock, PerCall, Refreshing, parts::Std};
/// use std::io;
///
/// type Pages = Cache<String, Refreshing<PerCall<String, io::Error>, fn() -> f64>, Std<ManualClock>>;
///
/// let pages: Pages = Cache::builder(Std::new(ManualClock::new()))
///     .per_call()
///     .refresh_early_by_chance(1.0, (|| 0.5) as fn() -> f64)
///     .build()?;
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub type Refreshing<L, F> = With<L, Chance<F>>;

/// A closure that draws numbers between 0 and 1.
pub struct Chance<F>(pub(crate) F);

impl<K, V, F: Fn() -> f64> Extra<K, V> for Chance<F> {
    fn random(&self) -> Option<f64> {
        Some((self.0)())
    }
}
