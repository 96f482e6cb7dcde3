//! What can go wrong in a lookup, and how a failure is shared.

use alloc::sync::Arc;
use core::{error, fmt};

use crate::Instant;

/// Why a lookup has no value.
///
/// ```
/// # use larder::LoadError;
/// fn retry_after<E>(error: &LoadError<E>) -> bool {
///     match error {
///         LoadError::Failed(failure) => failure.is_cached(), // the load failed a while ago
///         LoadError::LockTimeout => true,                    // somebody else's load takes too long
///         _ => false,
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError<E> {
    /// When the load failed: everybody who waited for it has this same failure. Ask again, or see the cause.
    Failed(Failure<E>),
    /// When the wait for somebody else's load reached the lock timeout. Ask again later, or be more patient.
    LockTimeout,
    /// When a load asked for its own key and would have waited for itself. Mend the loader.
    Reentrant,
}

impl<E> LoadError<E> {
    /// Returns the failure of the load, if that is what ended the lookup.
    pub const fn failure(&self) -> Option<&Failure<E>> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns the loader's own error.
    pub fn error(&self) -> Option<&E> {
        self.failure().and_then(Failure::error)
    }

    /// Tells whether the load panicked.
    pub fn is_panicked(&self) -> bool {
        self.failure().is_some_and(Failure::is_panicked)
    }

    /// Tells whether the failure was not of a load just made but is kept for the error TTL.
    pub fn is_cached(&self) -> bool {
        self.failure().is_some_and(Failure::is_cached)
    }
}

impl<E> Clone for LoadError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.clone()),
            Self::LockTimeout => Self::LockTimeout,
            Self::Reentrant => Self::Reentrant,
        }
    }
}

impl<E> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::LockTimeout => f.write_str("waited longer than the lock timeout for another caller's load"),
            Self::Reentrant => f.write_str("the load asked for its own key"),
        }
    }
}

impl<E: error::Error + 'static> error::Error for LoadError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.failure().and_then(error::Error::source)
    }
}

/// A failed load, shared by all who waited for it; cloning it copies a pointer.
#[derive(Debug)]
pub struct Failure<E> {
    cause: Cause<E>,
    retry_at: Option<Instant>,
}

/// What made a load fail.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause<E> {
    /// When the load took longer than the load budget and was dropped.
    BudgetExceeded,
    /// When the loader answered with this error.
    Error(Arc<E>),
    /// When the load panicked; the panic itself went to the caller who polled it.
    Panicked,
}

impl<E> Failure<E> {
    pub(crate) const fn new(cause: Cause<E>) -> Self {
        Self { cause, retry_at: None }
    }

    /// Returns this failure as one that is kept until `retry_at`.
    pub(crate) fn cached(&self, retry_at: Instant) -> Self {
        Self { cause: self.cause.clone(), retry_at: Some(retry_at) }
    }

    /// Returns what made the load fail.
    pub const fn cause(&self) -> &Cause<E> {
        &self.cause
    }

    /// Returns the loader's own error.
    pub fn error(&self) -> Option<&E> {
        match &self.cause {
            Cause::Error(error) => Some(error),
            _ => None,
        }
    }

    /// Tells whether the load panicked.
    pub const fn is_panicked(&self) -> bool {
        matches!(self.cause, Cause::Panicked)
    }

    /// Tells whether the load took longer than its budget.
    pub const fn is_budget_exceeded(&self) -> bool {
        matches!(self.cause, Cause::BudgetExceeded)
    }

    /// Tells whether this failure is kept for the error TTL and no load was made.
    pub const fn is_cached(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Returns when the next load may be made, if this failure is a cached one.
    pub const fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }
}

impl<E> Clone for Failure<E> {
    fn clone(&self) -> Self {
        Self { cause: self.cause.clone(), retry_at: self.retry_at }
    }
}

impl<E> Clone for Cause<E> {
    fn clone(&self) -> Self {
        match self {
            Self::BudgetExceeded => Self::BudgetExceeded,
            Self::Error(error) => Self::Error(Arc::clone(error)),
            Self::Panicked => Self::Panicked,
        }
    }
}

impl<E> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::BudgetExceeded => "the load took longer than its budget",
            Cause::Error(_) => "the load failed",
            Cause::Panicked => "the load panicked",
        })
    }
}

impl<E: error::Error + 'static> error::Error for Failure<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error().map(|error| error as &(dyn error::Error + 'static))
    }
}
