//! Flushing what is dirty.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    FlushError, WriteBack, WriteBackError,
    needs::AT_ONCE,
    running::Running,
    share::{Flushing, WrapFlush},
    shared::Shared,
};
use crate::{Instant, Key, Runtime, contain::drop_each, sync::Arc};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Writes everything dirty, and what has to be on disk before it.
    ///
    /// That is everything that is dirty when this is first polled; it is ready once all of that is on disk in that
    /// state or a later one. Entries are written oldest change first, several [at
    /// once](crate::WriteBackBuilder::flush_limit); callers that wait for the flush of one entry share it.
    ///
    /// # Errors
    ///
    /// All keys that could not be written, each with the reason; they stay dirty, and the others are written.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, flushes under way go on with the other callers that wait for them; entries whose flush
    /// no caller waits for are dirty again. If it unwinds, it goes on when it is polled again.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// assert_eq!((cache.dirty(), disk.get(&1)), (1, Some("one")));
    /// block_on(cache.flush())?;
    /// assert_eq!((cache.dirty(), disk.get(&1)), (0, Some("uno")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&self) -> Flush<K, V, E, R> {
        Flush::new(self, Scope::UpTo(u64::MAX))
    }

    /// Writes everything that has been dirty for at least this long.
    ///
    /// Everything changed before such an entry is included, even if a clock that has jumped back makes it look younger.
    /// Otherwise as [`flush`](Self::flush).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let clock = cache.runtime().timer().clone();
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// clock.advance(Duration::from_secs(5));
    /// block_on(cache.get_or_load(&2))?.set("due");
    /// block_on(cache.flush_older_than(Duration::from_secs(5)))?;
    /// assert_eq!((disk.get(&1), disk.get(&2)), (Some("uno"), Some("two")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_older_than(&self, age: Duration) -> Flush<K, V, E, R> {
        Flush::new(self, Scope::Older(age))
    }

    /// Writes the entry of `key` if it is dirty.
    ///
    /// What has to be on disk before it is written first. Otherwise as [`flush`](Self::flush).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// for (key, name) in [(1, "uno"), (2, "due")] {
    ///     block_on(cache.get_or_load(&key))?.set(name);
    /// }
    /// block_on(cache.flush_key(&2))?;
    /// assert_eq!((disk.get(&1), disk.get(&2)), (Some("one"), Some("due")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_key(&self, key: &K) -> Flush<K, V, E, R> {
        Flush::new(self, Scope::Key(key.clone()))
    }

    /// Returns when the oldest change is due by [`flush_after`](crate::WriteBackBuilder::flush_after).
    ///
    /// For hosts that flush by themselves; `None` if nothing is dirty.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{Instant, ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// assert_eq!(cache.next_flush(), None);
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// assert_eq!(cache.next_flush(), Some(Instant::from_nanos(5_000_000_000)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_flush(&self) -> Option<Instant> {
        let oldest = self.shared.with(|book| book.ledger.oldest_at());
        oldest.map(|at| at.saturating_add(self.shared.settings.flush_after))
    }
}

/// The future of [`WriteBack::flush`] and its variants.
///
/// It owns its share of the cache, and may be spawned.
///
/// ```
/// # use futures_lite::future::block_on;
/// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
/// # let disk = Memory::from([(1, "one")]);
/// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
/// block_on(cache.get_or_load(&1))?.set("uno");
/// let flush = cache.flush();
/// drop(cache);
/// block_on(flush)?;
/// assert_eq!(disk.get(&1), Some("uno"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is polled"]
pub struct Flush<K: Key, V: Clone, E, R: Runtime> {
    pub(super) shared: Arc<Shared<K, V, E, R>>,
    wrap: WrapFlush<K, V, E, R>,
    scope: Scope<K>,
    /// The number up to which changes are to be on disk, once it is known.
    last: Option<u64>,
    /// The number of the change up to which everything was begun.
    begun: u64,
    /// Later ones that were begun, too.
    ahead: BTreeSet<u64>,
    running: Running<K, V, E, R>,
    /// Running flushes are told apart by their wakers if there are more than this.
    together: usize,
    failed: Vec<(K, WriteBackError<K, E>)>,
    /// A poll is under way, or has unwound, maybe between taking something up and noting it.
    is_torn: bool,
    is_over: bool,
}

/// What is to be flushed.
enum Scope<K> {
    /// All changes up to this number that there are when it begins.
    UpTo(u64),
    /// Those of this age.
    Older(Duration),
    Key(K),
}

impl<K: Key, V: Clone, E, R: Runtime> Flush<K, V, E, R> {
    fn new(cache: &WriteBack<K, V, E, R>, scope: Scope<K>) -> Self {
        let (shared, wrap) = (Arc::clone(&cache.shared), cache.wraps.flush);
        let (ahead, running, failed) = (BTreeSet::new(), Running::new(), Vec::new());
        let (last, begun, together, is_torn, is_over) = (None, 0, 1, false, false);
        Self { shared, wrap, scope, last, begun, ahead, running, together, failed, is_torn, is_over }
    }

    /// Flushes all changes up to this number, on behalf of a flush of another cache.
    ///
    /// A few at once are polled with the waker of that flush, by which it is known to whatever asks for it from here.
    pub(super) fn up_to(cache: &WriteBack<K, V, E, R>, last: u64) -> Self {
        Self { together: AT_ONCE, ..Self::new(cache, Scope::UpTo(last)) }
    }

    /// Begins: what is dirty now is what has to be on disk.
    fn set_out(&mut self) -> u64 {
        let (most, older) = match self.scope {
            Scope::UpTo(last) => (last, None),
            Scope::Older(age) => (u64::MAX, Some((age, self.shared.now()))),
            Scope::Key(_) => (u64::MAX, None),
        };
        let (mut last, mut after) = (0, None);
        let dirty = loop {
            let dirty = self.shared.with(|book| {
                let (number, more) = match older {
                    Some((age, now)) => book.ledger.older_than(age, now, after),
                    None => (book.ledger.last_change().min(most), None),
                };
                (last, after) = (last.max(number), more);
                book.ledger.dirty()
            });
            if after.is_none() {
                break dirty;
            }
        };
        if !matches!(self.scope, Scope::Key(_)) {
            self.running.tell_apart(dirty.min(self.shared.settings.flush_limit), self.together);
        }
        *self.last.insert(last)
    }

    /// Begins anew with all that is still dirty and not being flushed; what has failed is tried again.
    fn set_out_again(&mut self) {
        self.begun = 0;
        self.ahead.clear();
        drop_each(&mut self.failed);
    }

    /// Begins a flush of this key, if it has such changes that are not on disk.
    fn run(&mut self, hash: u64, key: K, last: u64) {
        let due = self.shared.with(|book| {
            let place = book.ledger.find(hash, |k| *k == key)?;
            let number = book.ledger.due(place, last)?;
            Some((number, book.ledger.entry(place).round))
        });
        if let Some((number, round)) = due {
            if number > self.begun {
                self.ahead.insert(number);
            }
            let flush = Flushing::new(&self.shared, self.wrap, key.clone(), round);
            self.running.push(hash, key, flush);
        }
    }

    /// Begins as many flushes as may be under way at once.
    fn begin(&mut self, last: u64) {
        if let Scope::Key(key) = &self.scope {
            if mem::replace(&mut self.begun, u64::MAX) == 0 {
                let (hash, key) = (self.shared.hash(key), key.clone());
                if !self.running.has(hash, &key) {
                    self.run(hash, key, last);
                }
            }
            return;
        }
        while self.running.len() < self.shared.settings.flush_limit {
            let next = self.shared.with(|book| {
                let (number, place) = book.ledger.next_dirty(self.begun, last)?;
                let entry = book.ledger.entry(place);
                Some((number, entry.hash, entry.key.clone()))
            });
            let Some((number, hash, key)) = next else { return };
            self.begun = number;
            if !self.ahead.remove(&number) && !self.running.has(hash, &key) {
                self.run(hash, key, last);
            }
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for Flush<K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Future for Flush<K, V, E, R> {
    type Output = Result<(), FlushError<K, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Pending;
        }
        if mem::replace(&mut this.is_torn, true) {
            this.set_out_again();
        }
        let last = this.last.unwrap_or_else(|| this.set_out());
        let polling = this.running.begin_poll(cx.waker());
        loop {
            this.begin(last);
            match this.running.poll(cx) {
                Some((_, key, Some(Err(error)))) => this.failed.push((key, WriteBackError::of(error))),
                // It may have been one of older content.
                Some((hash, key, _)) => this.run(hash, key, last),
                None => break,
            }
        }
        if this.running.len() > 0 {
            this.running.end_poll(polling, cx.waker());
            this.is_torn = false;
            return Poll::Pending;
        }
        this.is_over = true;
        let failed = mem::take(&mut this.failed);
        Poll::Ready(if failed.is_empty() { Ok(()) } else { Err(FlushError { failed }) })
    }
}
