//! Removing one entry, or all of them.

use alloc::{vec, vec::Vec};
use core::{
    future::{Future, poll_fn},
    task::Waker,
};

use super::{WriteBack, WriteBackError, settle::Kept, share::Flushing, shared::FlightsOf};
use crate::{Key, LoadError, Lock, Runtime, contain::each, dirty::State, share::Once, source::Files, sync::Arc};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Removes the entry of `key` and returns its value.
    ///
    /// A dirty entry is flushed first. A load of the key that is under way is made again.
    ///
    /// # Errors
    ///
    /// [`WriteBackError::Pinned`] if it is pinned, and [`WriteBackError::Failed`] if it could not be flushed: then it
    /// stays.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the entry stays.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// assert_eq!(block_on(cache.remove(&1))?, Some("uno"));
    /// assert_eq!(disk.get(&1), Some("uno")); // written first
    /// assert!(cache.try_get(&1).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&self, key: &K) -> impl Future<Output = Result<Option<V>, WriteBackError<K, E>>> + Unpin {
        let taken = Arc::new(Kept::new(None));
        Once::new(move || {
            let taken = Arc::clone(&taken);
            Some(async move {
                // (It is there already if the drop of its key has unwound.)
                if taken.with(|taken| taken.is_none()) {
                    self.take_out(key, &taken).await?;
                }
                Ok(taken.with(Option::take))
            })
        })
    }

    /// Leaves the value, if there is one, where it is found again.
    async fn take_out(&self, key: &K, taken: &Kept<V>) -> Result<(), WriteBackError<K, E>> {
        let hash = self.shared.hash(key);
        loop {
            let found = self.shared.with_flights(|flights, book| {
                let Some(place) = book.ledger.find(hash, |k| k == key) else {
                    void(flights, hash, key);
                    return Ok(Found::Nothing);
                };
                let entry = book.ledger.entry(place);
                if entry.pins > 0 {
                    return Err(WriteBackError::Pinned(vec![entry.key.clone()]));
                }
                Ok(match entry.state {
                    State::Clean => {
                        let (key, value) = book.ledger.take_out(place);
                        taken.with(|taken| *taken = Some(value));
                        // There is room where something had to leave.
                        Found::Taken(key, book.call_cleaning())
                    }
                    _ => Found::Dirty(entry.round),
                })
            })?;
            let round = match found {
                Found::Nothing => return Ok(()),
                Found::Taken(_key, wake) => {
                    each(wake, Waker::wake);
                    return Ok(());
                }
                Found::Dirty(round) => round,
            };
            let mut flush = Flushing::new(&self.shared, self.wraps.flush, key.clone(), round);
            if let Some(Err(error)) = poll_fn(|cx| flush.poll(cx)).await {
                return Err(WriteBackError::of(error));
            }
        }
    }

    /// Drops all entries without writing the dirty ones.
    ///
    /// For a back end that has changed by itself. What this cache [depends on](Self::depend_on) is forgotten, except
    /// for its permanent dependencies: nothing is left that would have to wait for it. The back end [is
    /// told](crate::Backend::discard) of each entry that was dirty. Waits for flushes under way; loads under way are
    /// made again.
    ///
    /// # Errors
    ///
    /// [`WriteBackError::Pinned`] with the pinned keys; [`WriteBackError::Reentrant`] from inside a flush that it would
    /// wait for. Nothing is dropped then.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before all entries are gone, it has done nothing; if later, some of the dirty ones go without
    /// the back end being told. The same holds if it unwinds, because a flush that it waits for or the back end panics:
    /// polled again before they are gone it goes on, and later it is never ready.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// block_on(cache.get_or_load(&1))?.set("uno");
    /// disk.put(1, "eins"); // another program has written it
    /// block_on(cache.invalidate())?;
    /// assert_eq!(block_on(cache.get_or_load(&1))?.value(), "eins");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate(&self) -> impl Future<Output = Result<(), WriteBackError<K, E>>> + Unpin {
        let due = Arc::new(Kept::new(Some(())));
        // (If it has unwound and had dropped everything, what has come since must stay.)
        Once::new(move || due.with(|due| due.is_some()).then(|| self.take_out_all(Arc::clone(&due))))
    }

    /// It is `due` until all are taken out.
    async fn take_out_all(&self, due: Arc<Kept<()>>) -> Result<(), WriteBackError<K, E>> {
        let mut first = 0;
        let (gone, _forgotten) = loop {
            let step = self.shared.with_flights(|flights, book| {
                if book.ledger.pinned() > 0 {
                    return Out::Pinned;
                }
                match book.ledger.flushing(first) {
                    Some((since, entry)) => {
                        first = since;
                        Out::Flushing(entry.key.clone(), entry.round)
                    }
                    None => {
                        due.with(Option::take);
                        flights.flights.detach_all();
                        Out::All(book.ledger.take_all(), self.shared.node.forget(false))
                    }
                }
            });
            match step {
                Out::All(gone, forgotten) => break (gone, forgotten),
                Out::Pinned => {
                    let pinned = self.pinned_keys();
                    // (If there is none any more, it tries again.)
                    if !pinned.is_empty() {
                        return Err(WriteBackError::Pinned(pinned));
                    }
                }
                Out::Flushing(key, round) => {
                    let mut flush = Flushing::new(&self.shared, self.wraps.flush, key, round);
                    match poll_fn(|cx| flush.poll(cx)).await {
                        // It is called from inside that flush.
                        Some(Err(error @ LoadError::Reentrant)) => return Err(WriteBackError::of(error)),
                        _whether_written => {}
                    }
                }
            }
        };
        let (dirty, _clean): (Vec<_>, Vec<_>) = gone.into_entries().partition(|entry| entry.state != State::Clean);
        let mut discards = Vec::with_capacity(dirty.len());
        // The back end is told of all of them, whatever happens to the first.
        each(dirty.into_iter(), |entry| discards.push(self.shared.backend.discard(entry.key, entry.value)));
        for discard in discards {
            discard.await;
        }
        Ok(())
    }

    /// The keys that are pinned, a few at a time.
    fn pinned_keys(&self) -> Vec<K> {
        let (mut pinned, mut next) = (Vec::new(), Some(0));
        while let Some(first) = next {
            let (more, rest) = self.shared.with(|book| book.ledger.pinned_keys(first));
            pinned.extend(more);
            next = rest;
        }
        pinned
    }
}

/// What a load of this key that is under way brings is older than what is done now.
fn void<K: Key, V: Clone, E, R: Runtime>(flights: &mut FlightsOf<K, V, E, R>, hash: u64, key: &K) {
    if let Some(load) = flights.flights.find(hash, |task| task.is_load_of(key)) {
        flights.note_write();
        flights.flights.detach(load);
    }
}

/// What a step finds that is to take everything out.
enum Out<K, A, F> {
    All(A, F),
    Pinned,
    /// In this round of its flushes.
    Flushing(K, u64),
}

enum Found<K, W> {
    Nothing,
    /// Its key, and the wakers to wake.
    Taken(K, W),
    /// In this round of its flushes.
    Dirty(u64),
}
