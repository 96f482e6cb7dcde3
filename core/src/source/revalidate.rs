//! Loads that get the value that is held, and may say that it is still good.

use super::load::Loaded;
use crate::{Cause, Generation, Instant, Ttl};

/// The value that is held while its key is loaded again.
///
/// It is the one that was held, fresh or not, when the load began.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::block_on;
/// use larder::{Cache, ManualClock, Previous, Revalidated, parts::Std};
/// # use std::io;
///
/// #[derive(Clone)]
/// struct Page { etag: u32, text: &'static str }
///
/// # async fn fetch(id: u32, etag: Option<u32>) -> io::Result<Option<Page>> {
/// #     Ok((etag != Some(7)).then_some(Page { etag: 7, text: "larder" }))
/// # }
/// let clock = ManualClock::new();
/// let cache = Cache::builder(Std::new(clock.clone()))
///     .ttl(Duration::from_secs(60))
///     .revalidate_fn(|id: u32, previous: Option<Previous<Page>>| async move {
///         let etag = previous.map(|previous| previous.value().etag);
///         io::Result::Ok(match fetch(id, etag).await? {
///             Some(page) => Revalidated::from(page),
///             None => Revalidated::unchanged(), // "304 Not Modified"
///         })
///     })
///     .build()?;
/// assert_eq!(block_on(cache.get(&1))?.text, "larder");
/// let generation = cache.peek(&1).and_then(|found| found.generation());
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(block_on(cache.get(&1))?.text, "larder"); // asked again, but not sent again
/// assert_eq!(cache.peek(&1).and_then(|found| found.generation()), generation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Previous<V> {
    pub(crate) value: V,
    pub(crate) generation: u32,
    pub(crate) published: Instant,
    pub(crate) deadline: Instant,
    pub(crate) weight: u64,
}

impl<V> Previous<V> {
    /// Returns the value.
    pub const fn value(&self) -> &V {
        &self.value
    }

    /// Returns the value alone.
    pub fn into_value(self) -> V {
        self.value
    }

    /// Returns the generation of the value.
    pub const fn generation(&self) -> Generation {
        Generation(self.generation)
    }

    /// Returns when it was published, on the cache's clock.
    pub const fn published(&self) -> Instant {
        self.published
    }

    /// Returns when it expires or has expired, on the cache's clock.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Turns the value into another one: for a loader around one of other values.
    ///
    /// All else stays, so what that loader says of it holds.
    pub fn map<U>(self, f: impl FnOnce(V) -> U) -> Previous<U> {
        let Self { value, generation, published, deadline, weight } = self;
        Previous { value: f(value), generation, published, deadline, weight }
    }
}

/// What a load that got the previous value returns.
///
/// Made by [`Builder::revalidate_fn`](crate::Builder::revalidate_fn)'s closure; see [`Previous`].
///
/// ```
/// use core::time::Duration;
/// use larder::{Loaded, Revalidated};
///
/// let other: Revalidated<&str> = Loaded::new("192.0.2.1").ttl(Duration::from_secs(30)).into();
/// let same = Revalidated::<&str>::Unchanged(Duration::from_secs(30).into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revalidated<V> {
    /// There is another value.
    New(Loaded<V>),
    /// The previous value is still good, for this long.
    ///
    /// It stays, with its generation and its age; only its deadline moves. If there was no previous value, the load has
    /// failed: [`Cause::NothingToKeep`](crate::Cause::NothingToKeep).
    Unchanged(Ttl),
}

impl<V> Revalidated<V> {
    /// Says that the previous value is still good.
    ///
    /// Its lifetime is what the call or the cache says.
    ///
    /// ```
    /// # use larder::{Revalidated, Ttl};
    /// assert_eq!(Revalidated::<u32>::unchanged(), Revalidated::Unchanged(Ttl::Inherit));
    /// ```
    pub const fn unchanged() -> Self {
        Self::Unchanged(Ttl::Inherit)
    }

    /// Returns the value, if there is another one.
    ///
    /// ```
    /// # use larder::Revalidated;
    /// assert_eq!(Revalidated::from(7).value(), Some(&7));
    /// assert_eq!(Revalidated::<u32>::unchanged().value(), None);
    /// ```
    pub const fn value(&self) -> Option<&V> {
        match self {
            Self::New(loaded) => Some(loaded.value()),
            Self::Unchanged(_) => None,
        }
    }

    /// Turns the value, if there is another one, into one of another type.
    ///
    /// ```
    /// # use larder::Revalidated;
    /// assert_eq!(Revalidated::from("larder").map(str::len), Revalidated::from(6));
    /// assert_eq!(Revalidated::<&str>::unchanged().map(str::len), Revalidated::unchanged());
    /// ```
    pub fn map<U>(self, f: impl FnOnce(V) -> U) -> Revalidated<U> {
        match self {
            Self::New(loaded) => Revalidated::New(loaded.map(f)),
            Self::Unchanged(ttl) => Revalidated::Unchanged(ttl),
        }
    }
}

impl<V> From<V> for Revalidated<V> {
    fn from(value: V) -> Self {
        Self::New(Loaded::new(value))
    }
}

impl<V> From<Loaded<V>> for Revalidated<V> {
    fn from(loaded: Loaded<V>) -> Self {
        Self::New(loaded)
    }
}

/// What a load of any kind has returned.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Answered<V> {
    /// A value; if it was there before and is still good, also its generation and when it was published.
    Value(Loaded<V>, Option<(u32, Instant)>),
    /// Nothing usable.
    Nothing(Lack),
}

/// What an answer lacked.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Lack {
    /// It says that the value is still good, but there was none.
    Previous,
    /// It does not contain the key.
    Answer,
}

impl<E> From<Lack> for Cause<E> {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Previous => Self::NothingToKeep,
            Lack::Answer => Self::Missing,
        }
    }
}

impl<V> From<V> for Answered<V> {
    fn from(value: V) -> Self {
        Self::new(Loaded::new(value))
    }
}

impl<V> Answered<V> {
    /// A new value.
    #[inline]
    pub(crate) const fn new(loaded: Loaded<V>) -> Self {
        Self::Value(loaded, None)
    }
}

/// Turns what a load that got this value has returned into the engine's terms.
pub(crate) fn kept<V>(answer: Revalidated<V>, previous: Option<Previous<V>>) -> Answered<V> {
    match (answer, previous) {
        (Revalidated::New(loaded), _) => Answered::new(loaded),
        (Revalidated::Unchanged(ttl), Some(previous)) => {
            let Previous { value, generation, published, weight, .. } = previous;
            Answered::Value(Loaded { value, ttl, weight: Some(weight) }, Some((generation, published)))
        }
        (Revalidated::Unchanged(_), None) => Answered::Nothing(Lack::Previous),
    }
}
