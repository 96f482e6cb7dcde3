//! What can go wrong in a lookup, and how a failure is shared.

use alloc::boxed::Box;
use core::{error, fmt, time::Duration};

use crate::{Instant, sync::Arc};

/// An error of any kind, for loads that fail in many ways; `?` converts to it.
///
/// ```
/// fn parse(text: &str) -> Result<u32, larder::BoxError> {
///     Ok(text.parse()?)
/// }
/// assert!(parse("seven").is_err());
/// ```
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// Why a lookup has no value.
///
/// `Display` includes the loader's own error once, as `{:#}` prints it. `anyhow::Error` then prints all its causes; most
/// other errors print only themselves. There is no `source()`, so to log the whole chain, walk it from
/// [`error`](Self::error):
///
/// ```
/// # use larder::LoadError;
/// use std::{error::Error, iter::successors};
///
/// fn log<E: Error + 'static>(error: &LoadError<E>) {
///     eprintln!("{error}");
///     // (Of a `BoxError`, take `&**inner as &dyn Error`.)
///     let inner = error.error().map(|inner| inner as &dyn Error);
///     successors(inner, |&error| error.source()).skip(1).for_each(|cause| eprintln!("caused by: {cause}"));
/// }
/// # log(&LoadError::<std::io::Error>::LockTimeout);
/// ```
///
/// What to do may depend on the reason:
///
/// ```
/// # use larder::LoadError;
/// fn retry_after<E>(error: &LoadError<E>) -> bool {
///     match error {
///         LoadError::Failed(failure) => failure.is_cached(), // the load failed a while ago
///         LoadError::LockTimeout => true,                    // the load takes too long
///         _ => false,
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError<E> {
    /// The load failed; all callers that waited for it get the same failure. Ask again, or see the cause.
    Failed(Failure<E>),
    /// The wait for a load, this caller's own or another's, reached the lock timeout, or no further attempt was allowed
    /// then. Ask again later, or wait longer.
    LockTimeout,
    /// A load asked for its own key and would have waited for itself. Fix the loader.
    Reentrant,
    /// A load had to begin and the cache has no loader. Give the builder one, or bring the load with the call, as
    /// [`get_or_load`](crate::Cache::get_or_load) does.
    NoLoader,
    /// A blocking call was made where tasks run, which it would hold up. Await the call that does not block.
    MayNotBlock,
}

impl<E> LoadError<E> {
    /// Returns the failure of the load, if that was the reason.
    ///
    /// ```
    /// # use larder::Failure;
    /// # use larder::{Cache, LoadError, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let error = block_on(cache.get(&1)).unwrap_err();
    /// assert!(error.failure().is_some_and(|failure| !failure.is_budget_exceeded()));
    /// assert!(LoadError::<io::Error>::LockTimeout.failure().is_none());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn failure(&self) -> Option<&Failure<E>> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns the loader's own error.
    ///
    /// ```
    /// # use larder::{Cache, LoadError, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let error = block_on(cache.get(&1)).unwrap_err();
    /// assert_eq!(error.error().map(|error| error.kind()), Some(io::ErrorKind::Other));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn error(&self) -> Option<&E> {
        self.failure().and_then(Failure::error)
    }

    /// Returns the loader's own error, shared with all callers that got it.
    ///
    /// On a target without compare-and-swap, this `Arc` is that of `portable-atomic-util`.
    ///
    /// ```
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(String::from("no route")) })
    /// #     .build()?;
    /// let error = block_on(cache.get(&1)).unwrap_err();
    /// assert_eq!(error.to_string(), "the load failed: no route");
    /// assert_eq!(error.into_error().as_deref().map(String::as_str), Some("no route"));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn into_error(self) -> Option<Arc<E>> {
        match self {
            Self::Failed(failure) => failure.into_error(),
            _ => None,
        }
    }

    /// Returns whether the load panicked.
    ///
    /// The panic unwinds through the caller that polled the load; the others get this error at once, from that one
    /// load. The key stays usable: a caller that asks later starts afresh.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, Failure, ManualClock, parts::Std};
    /// # use std::panic::{AssertUnwindSafe, catch_unwind};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let mut one = cache.get_or_load(&1, || async { yield_now().await; panic!("a bug") });
    /// let mut other = cache.get_or_load(&1, || async { Ok(7) });
    /// assert!(block_on(poll_once(&mut one)).is_none());
    /// // The caller that polls the load gets the panic, the other one an error.
    /// catch_unwind(AssertUnwindSafe(|| block_on(poll_once(&mut other)))).unwrap_err();
    /// let error = block_on(one).unwrap_err();
    /// assert!(error.is_panicked());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_panicked(&self) -> bool {
        self.failure().is_some_and(Failure::is_panicked)
    }

    /// Returns whether the failure is a kept one.
    ///
    /// Then this call made no load: see [`error_ttl`](crate::Builder::error_ttl).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .error_ttl(Duration::from_secs(5))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// assert!(!block_on(cache.get(&1)).unwrap_err().is_cached()); // has failed just now
    /// assert!(block_on(cache.get(&1)).unwrap_err().is_cached());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_cached(&self) -> bool {
        self.failure().is_some_and(Failure::is_cached)
    }

    /// Returns whether the load of many keys did not answer this one.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// # let runtime = Std::new(ManualClock::new());
    /// let cache = Cache::builder(runtime)
    ///     .load_many_fn(|_: Vec<u32>| async { io::Result::Ok(vec![(1, "one")]) })
    ///     .build()?;
    /// let found = block_on(cache.get_many(&[1, 2]));
    /// assert_eq!(found[0].as_ref().ok(), Some(&"one"));
    /// assert!(found[1].as_ref().is_err_and(|error| error.is_missing()));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_missing(&self) -> bool {
        self.failure().is_some_and(|failure| matches!(failure.cause(), Cause::Missing))
    }

    /// Returns whether the load took longer than its budget.
    pub fn is_budget_exceeded(&self) -> bool {
        self.failure().is_some_and(Failure::is_budget_exceeded)
    }

    /// Returns when the next load may begin, if the failure is a kept one.
    pub fn retry_at(&self) -> Option<Instant> {
        self.failure().and_then(Failure::retry_at)
    }
}

impl<E> Clone for LoadError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.clone()),
            Self::LockTimeout => Self::LockTimeout,
            Self::Reentrant => Self::Reentrant,
            Self::NoLoader => Self::NoLoader,
            Self::MayNotBlock => Self::MayNotBlock,
        }
    }
}

impl<E: fmt::Display> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::LockTimeout => f.write_str("the wait for the load reached the lock timeout"),
            Self::Reentrant => f.write_str("the load asked for its own key"),
            Self::NoLoader => f.write_str("the cache has no loader, and the call brought no load"),
            Self::MayNotBlock => f.write_str("the call would block a thread that runs tasks"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> error::Error for LoadError<E> {}

/// A failed load, shared by all callers that waited for it.
///
/// N waiting callers cost one load, and each of them gets the same failure; cloning it copies a pointer. A caller that
/// asks later starts afresh, unless an [`error_ttl`](crate::Builder::error_ttl) is set: then the failure itself is
/// kept, and says so. Dropping a caller is never a failure.
///
/// ```
/// use futures_lite::future::{block_on, yield_now, zip};
/// use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|_: u32| async {
///         yield_now().await;
///         Err::<u32, _>(io::Error::other("no route"))
///     })
///     .build()?;
/// let (one, other) = block_on(zip(cache.get(&1), cache.get(&1)));
/// let (one, other) = (one.unwrap_err(), other.unwrap_err());
/// assert!(std::ptr::eq(one.error().unwrap(), other.error().unwrap()));
/// # Ok::<(), larder::ConfigError>(())
/// ```
pub struct Failure<E>(State<E>);

/// Small, because each result of a lookup has room for it.
enum State<E> {
    Fresh(Cause<E>),
    Noted(Arc<Noted<E>>),
}

/// A failure, and what is known of how long it is kept.
struct Noted<E> {
    cause: Cause<E>,
    keeping: Keeping,
}

/// How long a failure is kept.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    /// For this many nanoseconds, as set for this error.
    For(u64),
    /// It is kept until then.
    Until(Instant),
}

/// What made a load fail.
///
/// ```
/// use larder::{Cause, Failure};
///
/// fn describe<E: std::fmt::Display>(failure: &Failure<E>) -> String {
///     match failure.cause() {
///         Cause::Error(error) => error.to_string(),
///         Cause::BudgetExceeded => String::from("too slow"),
///         Cause::Panicked => String::from("a bug in the loader"),
///         _ => failure.to_string(),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause<E> {
    /// The load took longer than the load budget and was dropped.
    BudgetExceeded,
    /// The loader returned this error.
    Error(Arc<E>),
    /// The load panicked; the panic itself unwound through the caller that polled it.
    Panicked,
    /// The load returned a value that had already expired, where a fresh one is needed: a lazy slot fetches again after
    /// a while.
    AlreadyExpired,
    /// The load said that the previous value is still good, but there was none.
    NothingToKeep,
    /// The load of many keys did not answer this one.
    Missing,
}

impl<E> Failure<E> {
    pub(crate) const fn new(cause: Cause<E>) -> Self {
        Self(State::Fresh(cause))
    }

    /// Returns this failure as one to be kept for this long, whatever the cache says.
    pub(crate) fn lasting(self, length: Duration) -> Self {
        self.noted(Keeping::For(Instant::ZERO.saturating_add(length).as_nanos()))
    }

    /// Returns how long it is to be kept, if that is set for this failure.
    pub(crate) fn length(&self) -> Option<Duration> {
        match self.keeping() {
            Some(Keeping::For(nanos)) => Some(Duration::from_nanos(nanos)),
            _ => None,
        }
    }

    /// Returns this failure as one that is kept until `retry_at`.
    pub(crate) fn cached(&self, retry_at: Instant) -> Self {
        self.noted(Keeping::Until(retry_at))
    }

    fn noted(&self, keeping: Keeping) -> Self {
        Self(State::Noted(Arc::new(Noted { cause: self.cause().clone(), keeping })))
    }

    fn keeping(&self) -> Option<Keeping> {
        match &self.0 {
            State::Fresh(_) => None,
            State::Noted(noted) => Some(noted.keeping),
        }
    }

    /// Returns what made the load fail.
    ///
    /// ```
    /// # use larder::Cause;
    /// # use larder::{Cache, LoadError, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let error = block_on(cache.get(&1)).unwrap_err();
    /// assert!(matches!(error.failure().map(|failure| failure.cause()), Some(Cause::Error(_))));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn cause(&self) -> &Cause<E> {
        match &self.0 {
            State::Fresh(cause) => cause,
            State::Noted(noted) => &noted.cause,
        }
    }

    /// Returns the loader's own error.
    ///
    /// ```
    /// # use larder::{Cache, LoadError, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let LoadError::Failed(failure) = block_on(cache.get(&1)).unwrap_err() else { unreachable!() };
    /// assert_eq!(failure.error().map(|error| error.kind()), Some(io::ErrorKind::Other));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn error(&self) -> Option<&E> {
        match self.cause() {
            Cause::Error(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the loader's own error, shared with all callers that got it.
    ///
    /// ```
    /// # use larder::{Cache, LoadError, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(String::from("no route")) })
    /// #     .build()?;
    /// let LoadError::Failed(failure) = block_on(cache.get(&1)).unwrap_err() else { unreachable!() };
    /// assert_eq!(failure.into_error().as_deref().map(String::as_str), Some("no route"));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn into_error(self) -> Option<Arc<E>> {
        match self.0 {
            State::Fresh(Cause::Error(error)) => Some(error),
            State::Fresh(_) => None,
            State::Noted(noted) => match &noted.cause {
                Cause::Error(error) => Some(Arc::clone(error)),
                _ => None,
            },
        }
    }

    /// Returns whether the load panicked.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, Failure, ManualClock, parts::Std};
    /// # use std::panic::{AssertUnwindSafe, catch_unwind};
    /// # let cache = Cache::<u32, u32, std::io::Error, _>::builder(Std::new(ManualClock::new())).build()?;
    /// let mut one = cache.get_or_load(&1, || async { yield_now().await; panic!("a bug") });
    /// let mut other = cache.get_or_load(&1, || async { Ok(7) });
    /// assert!(block_on(poll_once(&mut one)).is_none());
    /// // The caller that polls the load gets the panic, the other one an error.
    /// catch_unwind(AssertUnwindSafe(|| block_on(poll_once(&mut other)))).unwrap_err();
    /// let error = block_on(one).unwrap_err();
    /// assert!(error.failure().is_some_and(Failure::is_panicked));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_panicked(&self) -> bool {
        matches!(self.cause(), Cause::Panicked)
    }

    /// Returns whether the load took longer than its budget.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, pending, poll_once};
    /// # use larder::{Cache, Failure, ManualClock, parts::Std};
    /// # let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .load_budget(Duration::from_secs(10))
    ///     .load_fn(|_: u32| pending::<std::io::Result<u32>>())
    ///     .build()?;
    /// let mut get = cache.get(&1);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(10));
    /// let error = block_on(get).unwrap_err();
    /// assert!(error.failure().is_some_and(Failure::is_budget_exceeded));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_budget_exceeded(&self) -> bool {
        matches!(self.cause(), Cause::BudgetExceeded)
    }

    pub(crate) fn is_expired_answer(&self) -> bool {
        matches!(self.cause(), Cause::AlreadyExpired)
    }

    /// Returns whether this failure is a kept one.
    ///
    /// Then this call made no load: see [`error_ttl`](crate::Builder::error_ttl).
    ///
    /// ```
    /// # use larder::Failure;
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .error_ttl(Duration::from_secs(5))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let is_kept = |error: larder::LoadError<_>| error.failure().is_some_and(Failure::is_cached);
    /// assert!(!is_kept(block_on(cache.get(&1)).unwrap_err())); // has failed just now
    /// assert!(is_kept(block_on(cache.get(&1)).unwrap_err()));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn is_cached(&self) -> bool {
        matches!(self.keeping(), Some(Keeping::Until(_)))
    }

    /// Returns when the next load may begin.
    ///
    /// A point on the cache's clock; `None` unless this failure is a kept one.
    ///
    /// ```
    /// # use larder::Instant;
    /// # use core::time::Duration;
    /// # use larder::{Cache, ManualClock, parts::Std};
    /// # use futures_lite::future::block_on;
    /// # use std::io;
    /// # let cache = Cache::builder(Std::new(ManualClock::new()))
    /// #     .error_ttl(Duration::from_secs(5))
    /// #     .load_fn(|_: u32| async { Err::<u32, _>(io::Error::other("no route")) })
    /// #     .build()?;
    /// let retry_at = |error: larder::LoadError<_>| error.failure().and_then(|failure| failure.retry_at());
    /// assert_eq!(retry_at(block_on(cache.get(&1)).unwrap_err()), None); // has failed just now
    /// assert_eq!(retry_at(block_on(cache.get(&1)).unwrap_err()), Some(Instant::from_nanos(5_000_000_000)));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn retry_at(&self) -> Option<Instant> {
        match self.keeping() {
            Some(Keeping::Until(retry_at)) => Some(retry_at),
            _ => None,
        }
    }
}

impl<E> Clone for Failure<E> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            State::Fresh(cause) => State::Fresh(cause.clone()),
            State::Noted(noted) => State::Noted(Arc::clone(noted)),
        })
    }
}

impl<E> Clone for Cause<E> {
    fn clone(&self) -> Self {
        match self {
            Self::BudgetExceeded => Self::BudgetExceeded,
            Self::Error(error) => Self::Error(Arc::clone(error)),
            Self::Panicked => Self::Panicked,
            Self::AlreadyExpired => Self::AlreadyExpired,
            Self::NothingToKeep => Self::NothingToKeep,
            Self::Missing => Self::Missing,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("cause", self.cause()).field("keeping", &self.keeping()).finish()
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause() {
            Cause::Error(error) => return write!(f, "the load failed: {error:#}"),
            Cause::BudgetExceeded => "the load took longer than its budget",
            Cause::Panicked => "the load panicked",
            Cause::AlreadyExpired => "the load returned a value that had already expired",
            Cause::NothingToKeep => "the load kept the previous value, but there was none",
            Cause::Missing => "the load of many keys returned nothing for this one",
        })
    }
}

impl<E: fmt::Debug + fmt::Display> error::Error for Failure<E> {}
