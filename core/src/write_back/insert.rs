//! Storing an entry without loading it.

use alloc::vec;
use core::future::{Future, pending, poll_fn};

use super::{
    Pinned, Room, WriteBack, WriteBackError,
    place::{Wait, Waiting},
    settle::{Bringing, Kept, Settled, Settling},
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
    /// If the future is dropped before it is ready, the value is not stored, unless it has unwound. Then it goes on when it
    /// is polled again, and what it has stored by then stays.
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
        let brought = Arc::new(Bringing { new: Kept::new(Some((key, value))), handle: Kept::new(None) });
        Once::new(move || {
            let brought = Arc::clone(&brought);
            Some(async move {
                self.store(&brought, room).await?;
                // (There is none if something has panicked in between, where nothing of the user's is called.)
                let handle = brought.handle.with(Option::take);
                if let Some(handle) = handle { Ok(handle) } else { pending().await }
            })
        })
    }

    /// Stores what is brought, if it is not stored yet.
    async fn store(&self, brought: &Bringing<K, V, E, R>, room: Room) -> Result<(), WriteBackError<K, E>> {
        let own = brought.new.with(|new| new.as_ref().map(|(key, _)| key.clone()));
        let Some(key) = &own else { return Ok(()) };
        let (shared, hash) = (&self.shared, self.shared.hash(key));
        let now = || shared.now();
        let patience = room.patience(now);
        let mut waiting = Waiting::new(Arc::clone(shared), hash, patience);
        loop {
            if self.supersede(hash, key, brought)? {
                return Ok(());
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
                match settling.place(key, brought, now()) {
                    Settled::There => return Ok(()),
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

    /// Sets the value of an entry that is there and not pinned, and returns whether there is one.
    fn supersede(&self, hash: u64, key: &K, brought: &Bringing<K, V, E, R>) -> Result<bool, WriteBackError<K, E>> {
        let shared = &self.shared;
        let own = key.clone();
        // The time is needed only if there is an entry, and there is no step between the look at it and the change.
        let now = shared.with(|book| book.ledger.find(hash, |k| k == key)).map(|_there| shared.now());
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
            let Some(now) = now else { return Ok(None) };
            let Some((key, value)) = brought.new.with(Option::take) else { return Ok(None) };
            book.ledger.pin(place);
            Ok(Some((place, key, book.ledger.change(place, value, now))))
        })?;
        let Some((place, _key, _old)) = found else { return Ok(false) };
        brought.keep(Pinned::new(Pin::new(shared, place), own));
        Ok(true)
    }
}
