//! What can go wrong with a write-back cache.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::{error::Error, fmt};

use crate::{Failure, LoadError, sync::Arc};

/// Why a call of a [`WriteBack`](crate::WriteBack) fails.
///
/// No data is lost by any of them: what was dirty stays dirty.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{ManualClock, WriteBack, parts::{Memory, NotThere, Std}};
/// # let disk = Memory::<u32, &str>::new();
/// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).build()?;
/// let error = block_on(cache.get_or_load(&1)).unwrap_err();
/// assert_eq!(error.error(), Some(&NotThere));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteBackError<K, E> {
    /// A load or a flush failed; all callers that waited for it get the same failure. Ask again, or see the cause.
    Failed(Failure<Fault<K, E>>),
    /// All entries are pinned, reserved by loads under way, or being flushed, and the call does not wait, or no longer.
    /// Drop handles, or wait.
    Full,
    /// These keys are pinned: later changes through their handles would be lost. Drop the handles first.
    Pinned(Vec<K>),
    /// The cache was closed.
    Closed,
    /// A load or flush asked for its own key and would have waited for itself. Fix the back end.
    Reentrant,
}

/// What made a load or a flush fail.
///
/// ```
/// use larder::{Fault, WriteBackError};
///
/// fn is_ours<K, E>(error: &WriteBackError<K, E>) -> bool {
///     let WriteBackError::Failed(failure) = error else { return false };
///     matches!(failure.error(), Some(Fault::Backend(_)))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault<K, E> {
    /// The back end returned this error.
    Backend(Arc<E>),
    /// This entry had to be flushed to make room and could not be, nor could some others. All callers that need room
    /// get this same failure until the back end is [tried again](crate::WriteBackBuilder::error_backoff).
    Victim(K, Box<WriteBackError<K, E>>),
    /// A cache that has to be flushed first could not be.
    Dependency(Unflushed),
    /// All entries were pinned by the time the value was loaded, and the caller that had asked for it did not wait.
    Full,
}

/// A cache that has to be flushed first could not be.
///
/// If that is so because of another one that has to be flushed before it, the text names both this cache and the one
/// that has failed. The [`flush`](crate::WriteBack::flush) of that returns the failure of each key.
///
/// ```
/// fn log(unflushed: &larder::Unflushed) -> String {
///     format!("{} is in the way: {unflushed}", unflushed.cache())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Unflushed {
    pub(super) cache: Arc<str>,
    /// Shared by all caches that are kept from being flushed by the same one.
    pub(super) reason: Arc<str>,
    /// The reason names that one.
    pub(super) is_behind: bool,
}

/// The keys that could not be flushed, each with the reason.
///
/// All others are on disk.
///
/// ```
/// use larder::FlushError;
///
/// fn left<K: Clone, E>(error: &FlushError<K, E>) -> Vec<K> {
///     error.failed().iter().map(|(key, _)| key.clone()).collect()
/// }
/// ```
#[derive(Debug)]
pub struct FlushError<K, E> {
    pub(super) failed: Vec<(K, WriteBackError<K, E>)>,
}

/// A dependency that would have closed a circle of caches.
///
/// None of them could ever be flushed. The dependency was not added; flush a cache of the circle and then depend on it,
/// or do without.
///
/// ```
/// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
/// # let disk = Memory::<u32, u32>::new();
/// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).name("pages").build()?;
/// let circle = cache.always_depend_on(&cache).unwrap_err();
/// assert_eq!(circle.names().collect::<Vec<_>>(), ["pages", "pages"]);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircleError {
    pub(super) names: Vec<Arc<str>>,
}

impl<K, E> WriteBackError<K, E> {
    /// Returns the back end's own error, if that was the reason.
    pub fn error(&self) -> Option<&E> {
        self.shared_error().map(|error| &**error)
    }

    /// Returns the back end's own error, shared with all callers that got it.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, NotThere, Std}};
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), Memory::<u32, u32>::new()).build()?;
    /// let error = block_on(cache.get_or_load(&7)).unwrap_err();
    /// assert_eq!(error.into_error().as_deref(), Some(&NotThere));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn into_error(self) -> Option<Arc<E>> {
        self.shared_error().cloned()
    }

    fn shared_error(&self) -> Option<&Arc<E>> {
        if let Self::Failed(failure) = self { failure.error()?.shared_error() } else { None }
    }

    pub(super) fn of(error: LoadError<Fault<K, E>>) -> Self {
        match error {
            LoadError::Failed(failure) if matches!(failure.error(), Some(Fault::Full)) => Self::Full,
            LoadError::Failed(failure) => Self::Failed(failure),
            // There is no lock timeout here, no call that blocks, and every call brings its task.
            LoadError::Reentrant | LoadError::LockTimeout | LoadError::NoLoader | LoadError::MayNotBlock => {
                Self::Reentrant
            }
        }
    }
}

impl<K, E> Fault<K, E> {
    /// Returns the back end's own error, if that was the reason.
    pub fn error(&self) -> Option<&E> {
        self.shared_error().map(|error| &**error)
    }

    fn shared_error(&self) -> Option<&Arc<E>> {
        match self {
            Self::Backend(error) => Some(error),
            Self::Victim(_, error) => error.shared_error(),
            _ => None,
        }
    }
}

impl Unflushed {
    /// Returns the name of the cache.
    pub fn cache(&self) -> &str {
        &self.cache
    }

    /// Puts this failure behind the cache that could not be flushed because of it.
    pub(super) fn before(self, cache: &Arc<str>) -> Self {
        let reason = if self.is_behind { self.reason } else { self.to_string().into() };
        Self { cache: Arc::clone(cache), reason, is_behind: true }
    }
}

impl<K, E> FlushError<K, E> {
    /// Returns the keys, each with the reason.
    pub fn failed(&self) -> &[(K, WriteBackError<K, E>)] {
        &self.failed
    }
}

impl CircleError {
    /// Returns the names of the caches along the circle, the first one again at the end.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

impl<K: Clone, E> Clone for WriteBackError<K, E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.clone()),
            Self::Full => Self::Full,
            Self::Pinned(keys) => Self::Pinned(keys.clone()),
            Self::Closed => Self::Closed,
            Self::Reentrant => Self::Reentrant,
        }
    }
}

impl<K: fmt::Debug, E: fmt::Display> fmt::Display for WriteBackError<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => match failure.error() {
                Some(fault) => fault.fmt(f),
                // Nothing else can have happened: there is no budget here.
                None => f.write_str("the back end panicked"),
            },
            Self::Full => f.write_str("all entries are pinned"),
            Self::Pinned(keys) => write!(f, "these entries are pinned: {keys:?}"),
            Self::Closed => f.write_str("the cache is closed"),
            Self::Reentrant => f.write_str("the back end asked for the key it was working on"),
        }
    }
}

impl<K: fmt::Debug, E: fmt::Display> fmt::Display for Fault<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(error) => write!(f, "the back end failed: {error:#}"),
            Self::Victim(key, error) => write!(f, "{key:?} could not be flushed to make room: {error:#}"),
            Self::Dependency(unflushed) => unflushed.fmt(f),
            Self::Full => f.write_str("all entries are pinned"),
        }
    }
}

impl fmt::Display for Unflushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the cache {:?}, which has to be flushed first, could not be flushed: {}", self.cache, self.reason)
    }
}

impl<K: fmt::Debug, E: fmt::Display> fmt::Display for FlushError<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.failed.iter().map(|(key, _)| key).collect();
        write!(f, "could not be flushed: {keys:?}")?;
        match self.failed.first() {
            Some((_, first)) => write!(f, ", the first because {first}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for CircleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flushing would never end: {}", self.names.join(" before "))
    }
}

impl<K: fmt::Debug, E: fmt::Debug + fmt::Display> Error for WriteBackError<K, E> {}

impl<K: fmt::Debug, E: fmt::Debug + fmt::Display> Error for Fault<K, E> {}

impl Error for Unflushed {}

impl<K: fmt::Debug, E: fmt::Debug + fmt::Display> Error for FlushError<K, E> {}

impl Error for CircleError {}
