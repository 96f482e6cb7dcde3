//! Failures that are kept for the error TTL, and how long each is kept.

use core::{ops::Range, time::Duration};

use super::table::{Row, Table};
use crate::{Failure, Instant, jitter::Jitter, time::nanos};

/// How long failures are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// How long the first failure is kept; zero keeps none.
    pub(crate) first: Duration,
    /// How much longer each further one is kept, at least 1.
    pub(crate) factor: Factor,
    /// How long a failure is kept at most.
    pub(crate) cap: Duration,
    /// How much each time is shortened.
    pub(crate) jitter: Option<Jitter>,
    /// Whether the count goes on until a load succeeds, however long ago the last failure was.
    pub(crate) endless: bool,
}

/// How much a delay grows, and the function for it, so that floating point is only linked if it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor {
    pub(crate) number: f64,
    grow: fn(u64, f64) -> u64,
}

/// A failure that is to be kept.
pub(crate) struct Failing<K, E> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) failure: Failure<E>,
    /// Whether loads have to wait until it is no longer kept.
    pub(crate) waits: bool,
}

/// What is kept for a key without a stored value.
pub(crate) enum Kept<E> {
    /// Its last load has failed.
    Failure(Failure<E>),
    /// Its loads are not shared.
    Private,
}

/// What is known of a key whose loads fail.
pub(crate) struct Trouble<E> {
    /// The last failure; `None` if there were only values that had expired already.
    pub(crate) failure: Option<Failure<E>>,
    /// How many there have been since the last success.
    pub(crate) count: u32,
    /// When the next load should be made.
    pub(crate) retry_at: Instant,
}

/// The kept failures of one shard, and the keys with unshared loads; each of weight 1.
pub(crate) struct Failures<K, E> {
    table: Table<Failed<K, E>>,
}

struct Failed<K, E> {
    hash: u64,
    key: K,
    /// None if nothing has failed, but loads of the key are not shared.
    failure: Option<Failure<E>>,
    /// Whether loads have to wait until it is no longer kept.
    waits: bool,
    count: u32,
    /// How long it is kept by its number: the next one is kept longer. Zero until there is one that does not tell itself.
    delay: Duration,
    retry_at: Instant,
    /// When it is forgotten.
    due: Instant,
}

impl<K, E> Row<K> for Failed<K, E> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn key(&self) -> &K {
        &self.key
    }
}

impl<K, E> Failures<K, E> {
    pub(crate) fn new() -> Self {
        Self { table: Table::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn keys_at(&self, places: Range<usize>) -> impl Iterator<Item = &K> {
        self.table.rows()[places].iter().map(Row::key)
    }

    /// Returns what is kept for this key at `now`; a failure is marked as cached.
    #[inline]
    pub(crate) fn find(&self, hash: u64, now: Instant, eq: impl FnMut(&K) -> bool) -> Option<Kept<E>> {
        if self.table.len() == 0 {
            return None;
        }
        let failed = &self.table.rows()[self.table.find(hash, eq)? as usize];
        if !failed.waits || failed.retry_at.reached(now) {
            return None;
        }
        Some(match &failed.failure {
            Some(failure) => Kept::Failure(failure.clone()),
            None => Kept::Private,
        })
    }

    /// Returns what is known of a key whose loads fail, even if the last failure is long ago.
    pub(crate) fn trouble(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<Trouble<E>> {
        let Failed { failure, count, retry_at, .. } = &self.table.rows()[self.place(hash, eq)? as usize];
        let failure = failure.as_ref().filter(|failure| !failure.is_expired_answer());
        Some(Trouble { failure: failure.cloned(), count: *count, retry_at: *retry_at })
    }

    /// Returns the place of this key's failure, even if it is only kept for its delay.
    pub(crate) fn place(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<u32> {
        if self.table.len() == 0 { None } else { self.table.find(hash, eq) }
    }

    /// Keeps a failure that came `now`, over the one at place `before`; returns what has to be dropped.
    pub(crate) fn record(
        &mut self,
        before: Option<u32>,
        failing: Failing<K, E>,
        now: Instant,
        backoff: &Backoff,
    ) -> Option<Gone<K, E>> {
        // The last delay counts for as long again, or it could never grow; then it counts as forgotten.
        let last = before.map(|place| &self.table.rows()[place as usize]);
        let last = last.filter(|last| last.failure.is_some() && !last.due.reached(now));
        let told = failing.failure.length();
        // One that tells itself how long it is kept does not count for the others.
        let delay = match (told, last) {
            (None, Some(last)) => backoff.after(last.delay),
            (None, None) => backoff.first,
            (Some(_), last) => last.map_or(Duration::ZERO, |last| last.delay),
        };
        let before_it = last.map_or(0, |last| last.count);
        let count = if failing.failure.is_expired_answer() { 0 } else { before_it.saturating_add(1) };
        // (Or a clock at its very end would keep it for ever.)
        let whole = now.told().saturating_add(told.unwrap_or(delay));
        let retry_at = backoff.jitter.map_or(whole, |jitter| jitter.shorten(now, whole, &now));
        let due = if backoff.endless { Instant::NEVER } else { retry_at.saturating_add(delay.max(backoff.first)) };
        let Failing { hash, key, failure, waits } = failing;
        self.put(before, Failed { hash, key, failure: Some(failure), waits, count, delay, retry_at, due })
    }

    /// Notes until `end` that loads of this key are not shared; returns what has to be dropped.
    ///
    /// This replaces what is at place `before`.
    pub(crate) fn keep_private(
        &mut self,
        before: Option<u32>,
        (hash, key): (u64, K),
        end: Instant,
    ) -> Option<Gone<K, E>> {
        let (failure, delay) = (None, Duration::ZERO);
        self.put(before, Failed { hash, key, failure, waits: true, count: 0, delay, retry_at: end, due: end })
    }

    fn put(&mut self, before: Option<u32>, mut failed: Failed<K, E>) -> Option<Gone<K, E>> {
        // Marked once, and shared by all that get it.
        failed.failure = failed.failure.map(|failure| failure.cached(failed.retry_at));
        let Some(place) = before else { return self.add(failed) };
        let due = failed.due;
        let gone = core::mem::replace(&mut self.table.rows_mut()[place as usize], failed);
        self.table.set_deadline(place, due);
        Some(Gone(gone))
    }

    /// Without memory for it, the failure is not kept.
    fn add(&mut self, failed: Failed<K, E>) -> Option<Gone<K, E>> {
        let due = failed.due;
        if !self.table.has_memory(u64::MAX, due != Instant::NEVER) {
            return Some(Gone(failed));
        }
        let place = self.table.push(failed);
        self.table.set_deadline(place, due);
        None
    }

    /// Forgets the failure at `place`; returns what has to be dropped.
    pub(crate) fn remove(&mut self, place: u32) -> Gone<K, E> {
        self.table.unlink(place);
        Gone(self.table.close_gap(place).0)
    }

    /// Forgets the failure that is due first; returns what has to be dropped.
    pub(crate) fn forget_first(&mut self) -> Option<Gone<K, E>> {
        let first = self.table.first_due().map(|(_, place)| place).or_else(|| (self.table.len() > 0).then_some(0));
        first.map(|place| self.remove(place))
    }

    /// Returns when the first failure is to be forgotten.
    pub(crate) fn first_due(&self) -> Option<Instant> {
        self.table.first_due().map(|(deadline, _)| deadline)
    }

    /// Takes out the failures whose hashes go; those for which there is no memory are forgotten.
    #[cfg(feature = "std")]
    pub(crate) fn split_off(&mut self, goes: impl Fn(u64) -> bool, mut forget: impl FnMut(Gone<K, E>)) -> Self {
        let (mut other, mut place) = (Self::new(), 0);
        while let Some(failed) = self.table.rows().get(place as usize) {
            if goes(failed.hash) {
                let Gone(failed) = self.remove(place);
                other.add(failed).into_iter().for_each(&mut forget);
            } else {
                place += 1;
            }
        }
        other
    }

    /// Forgets everything; returns what has to be dropped.
    pub(crate) fn take(&mut self) -> Self {
        Self { table: self.table.take() }
    }
}

/// A failure that is no longer kept; it is dropped outside the lock.
pub(crate) struct Gone<K, E>(Failed<K, E>);

impl Factor {
    pub(crate) const ONE: Self = Self { number: 1.0, grow: |nanos, _| nanos };
    pub(crate) const TWO: Self = Self { number: 2.0, grow: |nanos, _| nanos.saturating_mul(2) };

    pub(crate) const fn of(number: f64) -> Self {
        // A float that is too large becomes the largest integer, and then the cap.
        Self { number, grow: |nanos, factor| (nanos as f64 * factor) as u64 }
    }
}

impl Backoff {
    fn after(&self, delay: Duration) -> Duration {
        let longer = (self.factor.grow)(nanos(delay), self.factor.number);
        Duration::from_nanos(longer).min(self.cap).max(self.first.min(self.cap))
    }
}

#[cfg(test)]
mod tests;
