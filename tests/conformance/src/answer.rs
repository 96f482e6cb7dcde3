//! The result of a call, in a form that tests compare as text.

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use alloc::rc::Rc;

use larder::{
    Cause, Failure, FlushError, Key, LoadError, Outcome, Refresh, Runtime, StaleOutcome, Status, Tuning, WriteBackError,
};

/// The values of scripted loads; not `Send`, because a cache on one thread may hold such values.
pub type V = Rc<u32>;

/// The error of scripted loads; it cannot be cloned, so a shared error is one object.
#[derive(Debug, PartialEq, Eq)]
pub struct Boom(pub u32);

impl fmt::Display for Boom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}", self.0)
    }
}

impl core::error::Error for Boom {}

/// What a call of the cache returned.
pub enum Answer<T = V> {
    /// The value alone, from a call that returns nothing else.
    Value(T),
    /// The whole outcome, with a ticket if the call returned one.
    Outcome(Outcome<T, Boom>, Option<Pin<Box<dyn Future<Output = ()>>>>),
    /// The results of a call for many keys, one for each key.
    Many(Vec<Self>),
    /// The call failed.
    Error(LoadError<Boom>),
    /// What the call reported, as text.
    Text(String),
    /// A future without a result of its own, such as a ticket.
    Done,
}

impl<T: fmt::Display> fmt::Display for Answer<T> {
    /// `V1 Miss`, `V1 Hit, V2 Miss`, `V0 Stale(20) +E1 +ticket`, `E1`, `E1 cached`, `LockTimeout`, ...
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "V{value}"),
            Self::Many(answers) => {
                let texts: Vec<_> = answers.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(", "))
            }
            Self::Outcome(outcome, ticket) => {
                write!(f, "V{} ", outcome.value())?;
                match outcome.status() {
                    Status::Stale(age) => write!(f, "Stale({})", age.as_millis())?,
                    other => write!(f, "{other:?}")?,
                }
                if let Some(failure) = outcome.error() {
                    write!(f, " +{}", cause(failure))?;
                }
                if ticket.is_some() {
                    write!(f, " +ticket")?;
                }
                Ok(())
            }
            Self::Error(LoadError::Failed(failure)) => {
                write!(f, "{}{}", cause(failure), if failure.is_cached() { " cached" } else { "" })
            }
            Self::Error(LoadError::LockTimeout) => write!(f, "LockTimeout"),
            Self::Error(LoadError::Reentrant) => write!(f, "Reentrant"),
            Self::Error(LoadError::NoLoader) => write!(f, "NoLoader"),
            Self::Error(other) => write!(f, "{other:?}"),
            Self::Text(text) => f.write_str(text),
            Self::Done => write!(f, "done"),
        }
    }
}

fn cause(failure: &Failure<Boom>) -> String {
    match failure.cause() {
        Cause::Error(boom) => boom.to_string(),
        Cause::Panicked => "Panicked".into(),
        Cause::BudgetExceeded => "BudgetExceeded".into(),
        other => format!("{other:?}"),
    }
}

impl<T> From<Result<T, LoadError<Boom>>> for Answer<T> {
    fn from(result: Result<T, LoadError<Boom>>) -> Self {
        result.map_or_else(Self::Error, Self::Value)
    }
}

impl<T> From<Result<Outcome<T, Boom>, LoadError<Boom>>> for Answer<T> {
    fn from(result: Result<Outcome<T, Boom>, LoadError<Boom>>) -> Self {
        result.map_or_else(Self::Error, |outcome| Self::Outcome(outcome, None))
    }
}

impl<K, R, S> From<Result<StaleOutcome<K, V, Boom, R, S>, LoadError<Boom>>> for Answer
where
    K: Key,
    R: Runtime,
    S: Tuning,
    Refresh<K, V, Boom, R, S>: Future<Output = ()> + 'static,
{
    fn from(result: Result<StaleOutcome<K, V, Boom, R, S>, LoadError<Boom>>) -> Self {
        match result {
            Ok(StaleOutcome { outcome, refresh, .. }) => {
                Self::Outcome(outcome, refresh.map(|ticket| Box::pin(ticket) as Pin<Box<dyn Future<Output = ()>>>))
            }
            Err(error) => Self::Error(error),
        }
    }
}

impl<T, A> From<Vec<Result<A, LoadError<Boom>>>> for Answer<T>
where
    Self: From<Result<A, LoadError<Boom>>>,
{
    fn from(results: Vec<Result<A, LoadError<Boom>>>) -> Self {
        Self::Many(results.into_iter().map(Self::from).collect())
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// Why a call of a write-back cache failed.
pub fn why(error: &WriteBackError<u32, Boom>) -> String {
    match (error, error.error()) {
        (_, Some(boom)) => boom.to_string(),
        (WriteBackError::Failed(failure), _) if failure.is_panicked() => String::from("Panicked"),
        (WriteBackError::Failed(failure), _) => {
            failure.error().map_or_else(|| format!("{failure:?}"), ToString::to_string)
        }
        (WriteBackError::Pinned(keys), _) => format!("Pinned {keys:?}"),
        (other, _) => format!("{other:?}"),
    }
}

impl From<Result<(), FlushError<u32, Boom>>> for Answer {
    fn from(result: Result<(), FlushError<u32, Boom>>) -> Self {
        let Err(error) = result else { return Self::Done };
        let failed: Vec<_> = error.failed().iter().map(|(key, error)| format!("{key}: {}", why(error))).collect();
        Self::Text(format!("[{}]", failed.join(", ")))
    }
}
