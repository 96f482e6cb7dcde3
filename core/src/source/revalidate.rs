//! Loads that get the value that is held, and may say that it is still good.

use alloc::boxed::Box;
use core::{future::Future, num::NonZeroU64, pin::Pin};

use super::{Failed, load::Loaded};
use crate::{Cause, Generation, Instant, Ttl, sync::Arc};

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

    /// Returns its weight.
    pub const fn weight(&self) -> u64 {
        self.weight
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

/// Loads the value of a key, and gets the one that is held.
///
/// Usually a closure, see [`Builder::revalidate_fn`](crate::Builder::revalidate_fn); a custom type is for loaders with a
/// state or wrappers of their own, and may also say what to serve [instead](Failed) when it fails. What is said of a
/// [`Load`](crate::Load)'s future holds for this one, too.
///
/// ```
/// use core::time::Duration;
/// use std::io;
/// use futures_lite::future::block_on;
/// use larder::{BoxRevalidate, Cache, Failed, Loaded, ManualClock, Previous, Revalidate, Revalidated, parts::Std};
///
/// #[derive(Clone)]
/// struct Page { etag: u32, text: &'static str }
///
/// /// A server, and a copy of what it said an hour ago.
/// struct Pages;
///
/// # async fn fetch(id: u32, etag: Option<u32>) -> io::Result<Option<Page>> {
/// #     if id == 404 { return Err(io::Error::other("no route")); }
/// #     Ok((etag != Some(7)).then_some(Page { etag: 7, text: "larder" }))
/// # }
/// impl Revalidate<u32> for Pages {
///     type Value = Page;
///     type Error = io::Error;
///     type Future = BoxRevalidate<Page, io::Error>;
///
///     fn revalidate(&self, id: u32, previous: Option<Previous<Page>>) -> Self::Future {
///         Box::pin(async move {
///             match fetch(id, previous.map(|previous| previous.value().etag)).await {
///                 Ok(Some(page)) => Ok(Revalidated::from(page)),
///                 Ok(None) => Ok(Revalidated::unchanged()), // "304 Not Modified"
///                 Err(error) => {
///                     let copy = Page { etag: 1, text: "an old copy" };
///                     Err(Failed::new(error).instead(Loaded::new(copy).stale(Duration::from_secs(3600))))
///                 }
///             }
///         })
///     }
/// }
///
/// # let clock = ManualClock::new();
/// # clock.advance(Duration::from_secs(100_000));
/// let cache = Cache::builder(Std::new(clock))
///     .stale_if_error(Duration::from_secs(86_400))
///     .revalidator(Pages)
///     .build()?;
/// assert_eq!(block_on(cache.get(&1))?.text, "larder");
/// let outcome = block_on(cache.lookup(&404))?;
/// assert_eq!(outcome.value().text, "an old copy");
/// assert_eq!(outcome.status().stale(), Some(Duration::from_secs(3600)));
/// assert!(outcome.error().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Revalidate<K> {
    /// What is cached.
    type Value: Clone;

    /// The error of a failed load; all waiting callers share it.
    type Error;

    /// The load of one key.
    type Future: Future<Output = Result<Revalidated<Self::Value>, Failed<Self::Value, Self::Error>>>;

    /// Begins the load of `key`, whose value is `previous` if one is held.
    fn revalidate(&self, key: K, previous: Option<Previous<Self::Value>>) -> Self::Future;

    /// Begins the load of `key` for [`Cache::refresh`](crate::Cache::refresh), or for a call with
    /// [`LookupOptions::reload`](crate::LookupOptions::reload).
    ///
    /// By default it is a load like any other. For a loader that asks another cache first, which is of no use then. See
    /// also [`AnswerSink::is_reload`](crate::AnswerSink::is_reload).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{BoxRevalidate, Cache, ManualClock, Previous, Revalidate, parts::Std};
    /// # use std::io;
    /// struct Pages;
    ///
    /// impl Revalidate<u32> for Pages {
    ///     type Value = &'static str;
    ///     type Error = io::Error;
    ///     type Future = BoxRevalidate<&'static str, io::Error>;
    ///
    ///     fn revalidate(&self, _: u32, _: Option<Previous<&'static str>>) -> Self::Future {
    ///         Box::pin(async { Ok("from a copy".into()) })
    ///     }
    ///
    ///     fn reload(&self, _: u32, _: Option<Previous<&'static str>>) -> Self::Future {
    ///         Box::pin(async { Ok("from the source".into()) })
    ///     }
    /// }
    ///
    /// let cache = Cache::builder(Std::new(ManualClock::new())).revalidator(Pages).build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "from a copy");
    /// assert_eq!(block_on(cache.refresh(&1))?.into_value(), "from the source");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn reload(&self, key: K, previous: Option<Previous<Self::Value>>) -> Self::Future {
        self.revalidate(key, previous)
    }
}

/// What a load of one value is begun with, beside its key.
pub struct Asked<V> {
    /// What is held, if the load uses it.
    pub(crate) previous: Option<Previous<V>>,
    /// Its caller wants it to be loaded in any case.
    pub(crate) reload: bool,
}

impl<V> Default for Asked<V> {
    fn default() -> Self {
        Self { previous: None, reload: false }
    }
}

/// A boxed load of a [`Revalidate`] that may move between threads.
///
/// ```
/// let load: larder::BoxRevalidate<u32, String> = Box::pin(async { Ok(7.into()) });
/// assert_eq!(futures_lite::future::block_on(load), Ok(7.into()));
/// ```
pub type BoxRevalidate<V, E> = Pin<Box<dyn Future<Output = Result<Revalidated<V>, Failed<V, E>>> + Send>>;

/// A boxed load of a [`Revalidate`] that stays on its thread.
///
/// ```
/// let value = std::rc::Rc::new(7);
/// let load: larder::LocalBoxRevalidate<u32, String> = Box::pin(async move { Ok((*value).into()) });
/// assert_eq!(futures_lite::future::block_on(load), Ok(7.into()));
/// ```
pub type LocalBoxRevalidate<V, E> = Pin<Box<dyn Future<Output = Result<Revalidated<V>, Failed<V, E>>>>>;

/// What a load of any kind has returned.
#[doc(hidden)]
pub enum Answered<V, E> {
    /// A value; if it was there before and is still good, also its generation and when it was published.
    Value(Loaded<V>, Option<(u32, Instant)>),
    /// Nothing usable.
    Nothing(Lack),
    /// It has failed, and this may be served instead.
    Instead(Box<(Option<Loaded<V>>, Cause<E>)>),
}

impl<V: Clone, E> Clone for Answered<V, E> {
    fn clone(&self) -> Self {
        match self {
            Self::Value(loaded, former) => Self::Value(loaded.clone(), *former),
            Self::Nothing(lack) => Self::Nothing(*lack),
            Self::Instead(failed) => Self::Instead(failed.clone()),
        }
    }
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

impl<V, E> From<V> for Answered<V, E> {
    fn from(value: V) -> Self {
        Self::new(Loaded::new(value))
    }
}

impl<V, E> Answered<V, E> {
    /// A new value.
    #[inline]
    pub(crate) const fn new(loaded: Loaded<V>) -> Self {
        Self::Value(loaded, None)
    }

    /// A failure, and what may be served instead.
    pub(crate) fn failed(failed: Failed<V, E>) -> Result<Self, E> {
        match failed.into_parts() {
            (error, None) => Err(error),
            (error, instead) => Ok(Self::Instead(Box::new((instead, Cause::Error(Arc::new(error)))))),
        }
    }
}

/// Turns what a load that got this value has returned into the engine's terms.
pub(crate) fn kept<V, E>(answer: Revalidated<V>, previous: Option<Previous<V>>) -> Answered<V, E> {
    match (answer, previous) {
        (Revalidated::New(loaded), _) => Answered::new(loaded),
        (Revalidated::Unchanged(ttl), Some(previous)) => {
            let Previous { value, generation, published, weight, .. } = previous;
            let loaded = Loaded { value, ttl, weight: NonZeroU64::new(weight), age: 0 };
            Answered::Value(loaded, Some((generation, published)))
        }
        (Revalidated::Unchanged(_), None) => Answered::Nothing(Lack::Previous),
    }
}
