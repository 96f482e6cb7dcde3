//! Getting an entry.

use alloc::sync::Arc;

use super::{
    Pinned, Room, WriteBack, WriteBackError,
    load_job::LoadJob,
    room::{Wait, Waiting},
    settle::Settling,
    share::Sharing,
    shared::Done,
};
use crate::{Key, Runtime};

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Returns the entry of `key`, pinned, and loads it if need be.
    ///
    /// Callers of one key share one load. Where all entries are pinned, this waits until one is not. Room is made before
    /// the load, and nothing leaves before it has succeeded.
    ///
    /// # Errors
    ///
    /// [`WriteBackError::Failed`] with what everybody has who waited for the same load, or with why no room could be made;
    /// [`WriteBackError::Closed`], and [`WriteBackError::Reentrant`] for a load that asks for its own key.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the load to the others who wait for it; if there are none, it is dropped, and room that
    /// was made for it is given back.
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
    pub async fn get_or_load(&self, key: &K) -> Result<Pinned<K, V, E, R>, WriteBackError<K, E>> {
        self.get_or_load_with(key, Room::Wait).await
    }

    /// Returns the entry of `key`, pinned, and loads it if need be; `room` says what if all entries are pinned.
    ///
    /// # Errors
    ///
    /// As [`get_or_load`](Self::get_or_load), and [`WriteBackError::Full`] when there is no room.
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
    pub async fn get_or_load_with(&self, key: &K, room: Room) -> Result<Pinned<K, V, E, R>, WriteBackError<K, E>> {
        match self.look(key)? {
            Found::There(handle) => Ok(handle),
            Found::Nothing { is_loading } => self.miss(key, room, is_loading).await,
        }
    }

    async fn miss(
        &self,
        key: &K,
        room: Room,
        mut is_loading: bool,
    ) -> Result<Pinned<K, V, E, R>, WriteBackError<K, E>> {
        let (shared, hash) = (&self.shared, self.shared.hash(key));
        let patience = room.from(|| shared.now());
        let mut waiting = Waiting::new(Arc::clone(shared), hash, patience);
        loop {
            let mut end = None;
            if is_loading {
                end = waiting.beside(key, Sharing::of_load(shared, key.clone())).await?;
            }
            if end.is_none() {
                match (&mut waiting).await {
                    Wait::For(place) => {
                        let settling = Settling::new(Arc::clone(shared), patience, place);
                        let job = LoadJob::new(Arc::clone(shared), key.clone(), hash, settling);
                        let job = job.ok_or(WriteBackError::Closed)?;
                        end = waiting.beside(key, Sharing::load(shared, key.clone(), job)).await?;
                    }
                    Wait::Called => {}
                    Wait::Over => return Err(WriteBackError::Full),
                }
            }
            match end {
                Some(Ok(Done::Loaded(handle))) => return Ok(handle),
                Some(Err(error)) => match WriteBackError::of(error) {
                    // That may have been the rule of whoever began the load.
                    WriteBackError::Full if room != Room::Try => {}
                    error => return Err(error),
                },
                Some(Ok(Done::Flushed)) | None => {}
            }
            is_loading = match self.look(key)? {
                Found::There(handle) => return Ok(handle),
                Found::Nothing { is_loading } => is_loading,
            };
        }
    }

    /// Looks for a key, and pins its entry if there is one.
    fn look(&self, key: &K) -> Result<Found<K, V, E, R>, WriteBackError<K, E>> {
        let (own, hash) = (key.clone(), self.shared.hash(key));
        let found = self.shared.with(|book| {
            if book.is_closed {
                return Err(WriteBackError::Closed);
            }
            let ledger = &mut book.ledger;
            let place = ledger.find(hash, |k| k == key).inspect(|place| ledger.pin(*place));
            Ok(place.ok_or_else(|| ledger.is_loading(hash)))
        })?;
        Ok(match found {
            Ok(place) => Found::There(Pinned::new(Arc::clone(&self.shared), own, place)),
            Err(is_loading) => Found::Nothing { is_loading },
        })
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
        Pinned::of(&self.shared, key)
    }
}

/// What there is of a key.
enum Found<K: Key, V: Clone, E, R: Runtime> {
    There(Pinned<K, V, E, R>),
    /// No entry; it or a key of the same hash is being loaded, or not.
    Nothing {
        is_loading: bool,
    },
}
