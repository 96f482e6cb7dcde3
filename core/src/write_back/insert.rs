//! Storing an entry without loading it.

use alloc::vec;
use core::future::{Future, poll_fn};

use super::{
    Pinned, Room, WriteBack, WriteBackError,
    place::{Wait, Waiting},
    settle::{Kept, Settled, Settling},
    shared::Pin,
};
use crate::{Cause, Failure, Key, LoadError, Lock, Runtime, share::Once, sync::Arc};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Stores a value as a dirty entry without a load; returns it pinned.
    ///
    /// It replaces what was stored under the key, written or not, and ends the wait of callers for a load of the key: they
    /// get this value. `room` says what happens if all entries are pinned.
    ///
    /// # Errors
    ///
    /// [`WriteBackError::Pinned`] if the key is pinned: changes through its handle would be lost.
    /// [`WriteBackError::Full`] if there is no room, [`WriteBackError::Failed`] with the reason why none could be made,
    /// and [`WriteBackError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the value is not stored. If it unwinds, because a flush panics that is
    /// to make room, it goes on when it is polled again.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let page = block_on(cache.insert(3, "three", Room::Wait))?;
    /// assert!(page.is_dirty());
    /// let refused = block_on(cache.insert(3, "drei", Room::Wait));
    /// assert!(matches!(refused, Err(WriteBackError::Pinned(keys)) if keys == [3]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(
        &self,
        key: K,
        value: V,
        room: Room,
    ) -> impl Future<Output = Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> + Unpin {
        let brought = Arc::new((key, Kept::new(Some(value))));
        Once::new(move || {
            let brought = Arc::clone(&brought);
            // (A poll that has unwound with the value in its hands has dropped it.)
            let is_there = brought.1.with(|value| value.is_some());
            is_there.then_some(async move { self.store(&brought.0, &brought.1, room).await })
        })
    }

    /// The value is where it was brought, except for single steps.
    async fn store(&self, key: &K, brought: &Kept<V>, room: Room) -> Result<Pinned<K, V, E, R>, WriteBackError<K, E>> {
        let (shared, hash) = (&self.shared, self.shared.hash(key));
        let now = || shared.now();
        let patience = room.patience(now);
        let mut waiting = Waiting::new(Arc::clone(shared), hash, patience);
        loop {
            if let Some(handle) = self.supersede(key, brought)? {
                return Ok(handle);
            }
            let place = match (&mut waiting).await {
                Wait::For(place) => place,
                Wait::Called => continue,
                Wait::Over => return Err(WriteBackError::Full),
            };
            let mut settling = Settling::new(self.wraps.flush, patience, place);
            loop {
                if self.is_closed() {
                    return Err(WriteBackError::Closed);
                }
                let own = key.clone();
                match settling.place(key, brought, now()) {
                    Settled::At(pin) => {
                        let handle = Pinned::new(pin, own);
                        drop(settling);
                        return Ok(handle);
                    }
                    // It has come meanwhile, and this value is the newer one.
                    Settled::Present => break,
                    Settled::Not => {}
                    Settled::Void => return Err(WriteBackError::Closed),
                }
                if let Err(fault) = poll_fn(|cx| settling.make_room(hash, None, cx)).await {
                    return Err(WriteBackError::of(LoadError::Failed(Failure::new(Cause::Error(Arc::new(fault))))));
                }
            }
        }
    }

    /// Sets the value of an entry that is there and not pinned; leaves it where it is if there is none.
    fn supersede(&self, key: &K, brought: &Kept<V>) -> Result<Option<Pinned<K, V, E, R>>, WriteBackError<K, E>> {
        let shared = &self.shared;
        let (hash, own) = (shared.hash(key), key.clone());
        // The time is needed only if there is an entry, and there is no step between the look at it and the change.
        let now = shared.with(|book| book.ledger.find(hash, |k| k == key)).map(|_there| shared.now());
        // Left here if it is not needed, because no value may be dropped under the lock.
        let mut new = brought.with(Option::take);
        let found = shared.with(|book| {
            if book.is_closed {
                return Err(WriteBackError::Closed);
            }
            let Some(place) = book.ledger.find(hash, |k| k == key) else { return Ok(None) };
            let entry = book.ledger.entry(place);
            if entry.pins > 0 {
                return Err(WriteBackError::Pinned(vec![entry.key.clone()]));
            }
            // If it has come just now, it will be found where this value would take its place.
            let Some((value, now)) = now.and_then(|now| Some((new.take()?, now))) else { return Ok(None) };
            book.ledger.pin(place);
            Ok(Some((place, book.ledger.change(place, value, now))))
        });
        brought.with(|value| *value = new);
        let Some((place, old)) = found? else { return Ok(None) };
        let handle = Pinned::new(Pin::new(shared, place), own);
        drop(old);
        Ok(Some(handle))
    }
}
