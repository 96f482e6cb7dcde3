//! Getting an entry.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Pinned, Room, WriteBack, WriteBackError, lookup::PinLookup, room::Patience, shared::Pin as Pinning};
use crate::{Key, Runtime};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Returns the entry of `key`, pinned, loading it if needed.
    ///
    /// Callers of one key share one load. If all entries are pinned, this waits until one is not. Room is made before
    /// the load, and nothing leaves before the load has succeeded.
    ///
    /// # Errors
    ///
    /// [`WriteBackError::Failed`] with the failure that all callers get that waited for the same load, or with the
    /// reason why no room could be made; [`WriteBackError::Closed`], and [`WriteBackError::Reentrant`] for a load that
    /// asks for its own key.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the load goes on with the other waiting callers; if there are none, it is dropped, and
    /// room that was made for it is given back.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let page = block_on(cache.get_or_load(&1))?;
    /// assert_eq!(page.value(), "one");
    /// assert_eq!(cache.pinned(), 1);
    /// drop(page);
    /// assert_eq!(cache.pinned(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_load<'a>(
        &'a self,
        key: &'a K,
    ) -> impl Future<Output = Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> + Unpin {
        self.get_or_load_with(key, Room::Wait)
    }

    /// Returns the entry of `key`, pinned, loading it if needed.
    ///
    /// `room` says what happens if all entries are pinned.
    ///
    /// # Errors
    ///
    /// As [`get_or_load`](Self::get_or_load), and [`WriteBackError::Full`] if there is no room.
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_load`](Self::get_or_load).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// let cache = WriteBack::builder(Std::new(ManualClock::new()), disk).capacity(1).build()?;
    /// let page = block_on(cache.get_or_load(&1))?;
    /// let refused = block_on(cache.get_or_load_with(&2, Room::Try));
    /// assert!(matches!(refused, Err(WriteBackError::Full)));
    /// drop(page);
    /// assert!(block_on(cache.get_or_load_with(&2, Room::Try)).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_load_with<'a>(
        &'a self,
        key: &'a K,
        room: Room,
    ) -> impl Future<Output = Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> + Unpin {
        Getting { cache: self, key, room, patience: None, asking: None, is_over: false }
    }

    /// Returns the entry of `key`, pinned, if it is there; loads nothing.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
    /// # let disk = Memory::from([(1, "one"), (2, "two")]);
    /// # let cache = WriteBack::builder(Std::new(ManualClock::new()), disk.clone()).build()?;
    /// assert!(cache.try_get(&1).is_none());
    /// block_on(cache.get_or_load(&1))?;
    /// assert!(cache.try_get(&1).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_get(&self, key: &K) -> Option<Pinned<K, V, E, R>> {
        let own = key.clone();
        Pinning::of(&self.shared, key).map(|pin| Pinned::new(pin, own))
    }
}

/// The future of a call that gets an entry.
struct Getting<'a, K: Key, V: Clone, E, R: Runtime> {
    cache: &'a WriteBack<K, V, E, R>,
    key: &'a K,
    room: Room,
    /// Set once it is known.
    patience: Option<Patience>,
    /// Set while it waits.
    asking: Option<Box<PinLookup<'a, K, V, E, R>>>,
    is_over: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Getting<'_, K, V, E, R> {
    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pinned<K, V, E, R>, WriteBackError<K, E>>> {
        // Out of its place while it is polled: should that unwind, it asks again from the start.
        if let Some(mut asking) = self.asking.take() {
            let poll = asking.poll(cx);
            if poll.is_pending() {
                self.asking = Some(asking);
            } else {
                // Gone before anything is returned: a result would be forgotten, pin and all, if this panicked.
                drop(asking);
            }
            return poll;
        }
        let (cache, key) = (self.cache, self.key);
        if let Room::Within(_) = self.room {
            // A hit does not need the time.
            if let Some(handle) = cache.try_get(key).filter(|_| !cache.is_closed()) {
                return Poll::Ready(Ok(handle));
            }
        }
        let patience = *self.patience.get_or_insert_with(|| self.room.patience(|| cache.shared.now()));
        let mut asking = PinLookup::new(&cache.shared, cache.wraps, key, patience);
        let poll = asking.poll(cx);
        if poll.is_pending() {
            self.asking = Some(Box::new(asking));
        } else {
            drop(asking);
        }
        poll
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for Getting<'_, K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Future for Getting<'_, K, V, E, R> {
    type Output = Result<Pinned<K, V, E, R>, WriteBackError<K, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_over {
            return Poll::Pending;
        }
        let poll = self.go_on(cx);
        self.is_over = poll.is_ready();
        poll
    }
}
