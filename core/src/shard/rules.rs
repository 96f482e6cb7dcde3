//! The settings of the cache's user.

use core::{hash::Hash, num::NonZeroU64, time::Duration};

use super::Early;
use crate::{Failure, Instant, Loaded, Ttl, flight::Terms, jitter::Jitter, source::Judgement, store::Backoff};

/// What a caller does when its wait reaches the lock timeout.
///
/// A caller that leaves leaves the load to the others that wait for it. An answer of the same instant is still taken.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::{block_on, pending, poll_once};
/// use larder::{Cache, LoadError, ManualClock, OnTimeout, parts::Std};
///
/// let clock = ManualClock::new();
/// let cache = Cache::builder(Std::new(clock.clone()))
///     .lock_timeout(Duration::from_secs(1), OnTimeout::Fail)
///     .load_fn(|_: u32| pending::<std::io::Result<u32>>())
///     .build()?;
/// let mut get = cache.get(&1);
/// assert!(block_on(poll_once(&mut get)).is_none());
/// clock.advance(Duration::from_secs(1));
/// assert!(matches!(block_on(get), Err(LoadError::LockTimeout)));
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnTimeout {
    /// Begin an attempt of its own, whose answer is published like any other.
    ///
    /// Bounds only callers that have begun no load. Their own attempt is not bounded, so set a
    /// [`load_budget`](crate::Builder::load_budget). With all [`attempts`](crate::Builder::attempts) under way the
    /// caller fails with [`LoadError::LockTimeout`](crate::LoadError::LockTimeout).
    Load,
    /// Take what is there: a fresh value, or one within the stale limit.
    ///
    /// That is a fresh value that has come meanwhile, or one within
    /// [`stale_while_refresh`](crate::Builder::stale_while_refresh). If there is neither, the caller fails with
    /// [`LoadError::LockTimeout`](crate::LoadError::LockTimeout). This bounds the wait of every caller, also of the one
    /// that began the load. A builder without that limit is refused; the options of a call are not checked.
    Stale,
    /// Fail with [`LoadError::LockTimeout`](crate::LoadError::LockTimeout).
    ///
    /// This bounds the wait of every caller, also of the one that began the load.
    Fail,
    /// Load for itself; the answer is neither stored nor shared.
    ///
    /// The caller that began the load is not bounded. Any number of callers may load at once: they do not count as
    /// [`attempts`](crate::Builder::attempts).
    LoadAlone,
}

/// The settings of a cache that its shards decide by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) ttl: Ttl,
    pub(crate) jitter: Option<Jitter>,
    pub(crate) early: Early,
    pub(crate) lock_age: Option<Duration>,
    pub(crate) over_age_alone: bool,
    pub(crate) attempts: u32,
    pub(crate) budget: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) lock_timeout: Option<(Duration, OnTimeout)>,
    pub(crate) stale_while_refresh: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    /// How long values are held beyond their deadline; no call's own limit exceeds this.
    pub(crate) hold: Option<Duration>,
    /// Whether answers that were not asked for are stored.
    pub(crate) stores_surplus: bool,
    /// What calls take by default.
    pub(crate) takes: Takes,
    /// Whether a value that has expired when it is published is kept as a stale one.
    pub(crate) keeps_expired: bool,
    /// Whether a failure delays the next load even without a value to serve meanwhile.
    pub(crate) delays_empty: bool,
    /// Whether the cache has a loader, so that a load may be made by the caller that drives it first.
    pub(crate) has_loader: bool,
    /// How many keys one load takes.
    pub(crate) max_batch: usize,
}

/// The time, and the settings of the cache's user.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) now: Instant,
    pub(crate) rules: &'a Rules,
}

/// What one call asks for: its own options laid over the cache's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) terms: Terms,
    pub(crate) lock_timeout: Option<(Duration, OnTimeout)>,
    pub(crate) stale_while_refresh: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    /// Load although the value is fresh.
    pub(crate) reload: bool,
    pub(crate) takes: Takes,
    /// The random number by which a call that takes stale values may refresh a fresh one, if that is left to chance.
    pub(crate) random: Option<f64>,
}

/// What a call takes instead of waiting for a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: it wants a fresh value.
    Fresh,
    /// A stale value, if another caller refreshes it or that has just failed; otherwise it refreshes the value itself.
    Others,
    /// A stale value, and its refresh as a ticket.
    Ticket,
}

impl Call {
    /// Returns whether a call that waits although there is a fresh value refreshes that ahead of time.
    pub(super) fn is_ahead(&self) -> bool {
        self.takes == Takes::Others && !self.reload
    }
}

impl Call {
    /// Returns whether a value may be taken in the place of a failure.
    pub(super) const fn softens(&self) -> bool {
        self.stale_if_error.is_some() && !self.reload
    }
}

impl Rules {
    /// Returns whether this failure is kept.
    pub(super) fn keeps<E>(&self, failure: &Failure<E>) -> bool {
        !failure.length().unwrap_or(self.backoff.first).is_zero() || self.backoff.endless
    }

    /// Returns whether a load that began then is over its budget.
    pub(super) fn is_overdue(&self, begun: Instant, now: Instant) -> bool {
        self.budget.is_some_and(|budget| begun.saturating_add(budget).reached(now))
    }

    /// Returns whether a waiting caller needs the time even if nothing expires.
    #[inline]
    pub(crate) const fn needs_time(&self) -> bool {
        self.lock_age.is_some() || self.lock_timeout.is_some() || self.budget.is_some() || self.backoff.endless
    }

    /// Returns what a call without options of its own asks for.
    pub(crate) fn call(&self) -> Call {
        Call {
            terms: Terms::default(),
            lock_timeout: self.lock_timeout,
            stale_while_refresh: self.stale_while_refresh,
            stale_if_error: self.stale_if_error,
            reload: false,
            takes: self.takes,
            random: None,
        }
    }
}

impl Rules {
    /// Returns the lifetime of a value that is stored by hand.
    #[inline(always)]
    pub(super) fn lifetime<V>(&self, loaded: &Loaded<V>, judgement: Judgement, now: Instant) -> Ttl {
        let of = [&loaded.ttl, &Ttl::Inherit, &judgement.ttl, &self.ttl];
        let first = Ttl::first(of);
        if first.is_to_be_settled() { Ttl::settle(of, now, loaded.age, now) } else { first }
    }

    /// Returns when a value that is published now ends, by a lifetime that was [chosen](Ttl::first) already; `None` if
    /// it is not to be stored.
    #[inline]
    pub(super) fn end<K: Hash>(&self, ttl: Ttl, key: &K, now: Instant) -> Option<Instant> {
        let Some(end) = ttl.deadline(now, self.keeps_expired) else { return self.expired(ttl, now) };
        Some(self.jittered(end, key, now))
    }

    /// Shortens a lifetime that ends as is laid down for its key.
    #[inline]
    pub(super) fn jittered<K: Hash>(&self, end: Instant, key: &K, now: Instant) -> Instant {
        match self.jitter {
            Some(jitter) if end != Instant::NEVER => jitter.shorten(now, end, key),
            _ => end,
        }
    }

    /// Returns when a value ends, but for jitter, and what it weighs, if it is to be stored and there is not more to decide.
    #[inline(always)]
    pub(crate) fn terms_at_once(
        &self,
        (ttl, weight): (Ttl, Option<NonZeroU64>),
        judgement: Judgement,
        now: Instant,
    ) -> Option<(Instant, u64)> {
        let weight = weight.map(NonZeroU64::get).or(judgement.weight).unwrap_or(1).max(1);
        // Mostly, nobody says anything, or only the cache.
        if matches!((ttl, judgement.ttl, self.ttl), (Ttl::Inherit, Ttl::Inherit, Ttl::Inherit | Ttl::Forever)) {
            return Some((Instant::NEVER, weight));
        }
        let ttl = Ttl::first([&ttl, &Ttl::Inherit, &judgement.ttl, &self.ttl]);
        // (A value that is kept though it is over delays the next load.)
        if ttl.is_to_be_settled() || (self.keeps_expired && ttl.is_over()) {
            return None;
        }
        ttl.deadline(now, self.keeps_expired).map(|end| (end, weight))
    }

    /// Returns when a value that is stale already has ended, if it may still be of use.
    #[cold]
    #[inline(never)]
    pub(super) fn expired(&self, ttl: Ttl, now: Instant) -> Option<Instant> {
        let since = ttl.as_stale()?;
        // A value that expired before the clock began would seem less stale than it is.
        let is_of_use = self.hold.is_some_and(|hold| since <= hold) && Instant::ZERO.saturating_add(since) <= now;
        ttl.expired(now).filter(|_| is_of_use)
    }
}
