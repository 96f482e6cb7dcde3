//! What can go wrong.

use std::{error, fmt, sync::Arc, time::Duration};

use larder::ConfigError;

/// Why a value could not be had.
///
/// It is the error of the cache: a lookup's [`LoadError`](larder::LoadError) has it inside. That the second tier is slow
/// or gone is none: then each process loads by itself.
#[derive(Debug)]
#[non_exhaustive]
pub enum TierError<E> {
    /// The load failed, in this process.
    Load(Arc<E>),
    /// The load failed in another process, and is not to be tried again for this long.
    ///
    /// See [`TierBuilder::cool_down`](crate::TierBuilder::cool_down).
    Elsewhere(Duration),
    /// The load of many keys, asked for this one, did not answer it.
    Missing,
}

impl<E> TierError<E> {
    /// Returns the error of the load, if it was one of this process.
    pub fn error(&self) -> Option<&E> {
        match self {
            Self::Load(error) => Some(error),
            Self::Elsewhere(_) | Self::Missing => None,
        }
    }

    /// Returns how long nobody tries again, if that is so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Elsewhere(left) => Some(*left),
            Self::Load(_) | Self::Missing => None,
        }
    }
}

impl<E> Clone for TierError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Load(error) => Self::Load(Arc::clone(error)),
            Self::Elsewhere(left) => Self::Elsewhere(*left),
            Self::Missing => Self::Missing,
        }
    }
}

impl<E: fmt::Display> fmt::Display for TierError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::Elsewhere(left) => write!(f, "the load failed in another process; to be tried again in {left:?}"),
            Self::Missing => f.write_str("the load of many keys did not answer this one"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> error::Error for TierError<E> {}

/// Why a second tier is refused.
///
/// The variant says which setting is wrong, and its message what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TierConfigError {
    /// No load could be begun without the second tier: at least 1 is needed.
    Alone,
    /// The first tier's configuration is refused.
    Cache(ConfigError),
    /// No call could be answered in time: the deadline has to be a millisecond or more.
    Deadline,
    /// An epoch would be forgotten before its lease has ended: remember it for longer than a lease.
    EpochMemory,
    /// The codec has no fingerprint: values written in another way could not be told from its own.
    Fingerprint,
    /// The process would never be known to hear: the hearing limit has to be longer than the time between two pings.
    HearingLimit,
    /// No lease would last: it has to be a millisecond or more.
    Lease,
    /// The namespace is empty or contains a brace, which would spread the keys of one value over a cluster.
    Namespace,
    /// Pings would be asked without a pause: a millisecond or more has to lie between two.
    PingEvery,
    /// Waiting calls would look without a pause: a millisecond or more has to lie between two looks.
    PollEvery,
    /// No runtime is at hand to keep the connection: attach the tier where tasks can be spawned.
    ///
    /// Runtimes other than tokio need this crate's feature `smol`.
    Runtime,
    /// No value would live: the lifetime has to be a millisecond or more.
    Ttl,
    /// This is not the address of a server, such as `redis://127.0.0.1/`.
    Url(String),
}

impl fmt::Display for TierConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "alone: no load could be begun without the second tier; allow at least 1",
            Self::Cache(error) => return error.fmt(f),
            Self::Deadline => "deadline: no call could be answered in time; allow a millisecond or more",
            Self::EpochMemory => "epoch_memory: shorter than a lease; remember epochs for longer",
            Self::Fingerprint => "codec: its fingerprint must not be empty",
            Self::HearingLimit => "hearing_limit: has to be longer than ping_every, or no process ever hears",
            Self::Lease => "lease: has to last a millisecond or more",
            Self::Namespace => "namespace: must not be empty, nor contain a brace",
            Self::PingEvery => "ping_every: a millisecond or more has to lie between two pings",
            Self::PollEvery => "poll_every: a millisecond or more has to lie between two looks",
            Self::Runtime => {
                "no runtime is at hand to keep the connection; attach the tier where tasks can be spawned, and turn on the \
                 feature `smol` for runtimes other than tokio"
            }
            Self::Ttl => "ttl: a value has to live for a millisecond or more",
            Self::Url(why) => return write!(f, "not the address of a server: {why}"),
        })
    }
}

impl error::Error for TierConfigError {}

impl From<ConfigError> for TierConfigError {
    fn from(error: ConfigError) -> Self {
        Self::Cache(error)
    }
}
