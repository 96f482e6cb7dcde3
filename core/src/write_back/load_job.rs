//! Loading one key: room is made first, then it is loaded, and only then does leave what has to.

use alloc::sync::Arc;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Fault,
    pinned::Pinned,
    settle::{Settled, Settling},
    shared::Shared,
};
use crate::{Key, Runtime, Threads, contain::each, dirty::Origin, source::Files};

/// One load of one key.
pub struct LoadJob<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    key: K,
    hash: u64,
    settling: Settling<K, V, E, R>,
    /// The last change before the load began.
    since: u64,
    load: Option<<R::Threads as Threads>::Task<Result<V, E>>>,
    value: Option<V>,
    /// There while it waits for room.
    stuck: Option<Stuck<K, V, E, R>>,
}

/// A note that the load of a key waits for room: those who share it look whether they do.
struct Stuck<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    key: K,
    /// Whether it was noted in the poll before this one, or earlier.
    is_old: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Stuck<K, V, E, R> {
    fn new(shared: &Arc<Shared<K, V, E, R>>, key: &K) -> Self {
        // Both cloned before it is noted: should that panic, nothing would take the note back.
        let (noted, key) = (key.clone(), key.clone());
        shared.with(|book| book.stuck.push(noted));
        Self { shared: Arc::clone(shared), key, is_old: false }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Stuck<K, V, E, R> {
    fn drop(&mut self) {
        let _noted = self.shared.with(|book| {
            let at = book.stuck.iter().position(|key| *key == self.key)?;
            Some(book.stuck.swap_remove(at))
        });
    }
}

impl<K: Key, V: Clone, E, R: Runtime> LoadJob<K, V, E, R> {
    /// Returns the load, which is known of from here on; `None` if the cache is closed.
    pub(super) fn new(
        shared: Arc<Shared<K, V, E, R>>,
        key: K,
        hash: u64,
        settling: Settling<K, V, E, R>,
    ) -> Option<Self> {
        let is_open = shared.with(|book| {
            let is_open = !book.is_closed;
            if is_open {
                book.ledger.announce_load(hash);
            }
            is_open
        });
        if !is_open {
            return None;
        }
        Some(Self { shared, key, hash, settling, since: 0, load: None, value: None, stuck: None })
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pinned<K, V, E, R>, Fault<K, E>>> {
        loop {
            if let Some(load) = &mut self.load {
                let result = ready!(Pin::new(load).poll(cx));
                self.load = None;
                self.value = Some(result.map_err(|error| Fault::Backend(Arc::new(error)))?);
            }
            match self.value.take() {
                Some(value) => match self.settling.place(&self.key, value, Origin::Loaded(self.since)) {
                    Settled::At(handle) => return Poll::Ready(Ok(handle)),
                    Settled::Present(handle, older) => {
                        // Before the handle is returned, which would be forgotten if that panicked.
                        drop(older);
                        return Poll::Ready(Ok(handle));
                    }
                    Settled::Not(value) => self.value = Some(value),
                    Settled::Void => {}
                },
                None => {
                    if let Some(handle) = Pinned::of(&self.shared, &self.key) {
                        return Poll::Ready(Ok(handle));
                    }
                }
            }
            if ready!(self.make_room(cx))? && self.value.is_none() {
                self.begin();
            }
        }
    }

    fn make_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Fault<K, E>>> {
        let poll = self.settling.make_room(self.hash, cx);
        // Everybody who shares the load looks whether he waits for that. Who came during the poll that notes it may not have
        // seen the note, and what that was polled with does not wake him; he is among those whom the next one wakes.
        let is_told = self.stuck.as_mut().is_some_and(|stuck| mem::replace(&mut stuck.is_old, true));
        if !self.settling.is_waiting() {
            self.stuck = None;
        } else if !is_told {
            self.stuck.get_or_insert_with(|| Stuck::new(&self.shared, &self.key));
            cx.waker().wake_by_ref();
        }
        poll
    }

    /// Begins the load. Who waits for room for the same key is told: he can wait for this load instead.
    fn begin(&mut self) {
        let (since, wake) = self.shared.with(|book| book.ledger.begin_load(self.hash));
        self.since = since;
        each(wake.into_iter(), Waker::wake);
        self.load = Some(self.shared.backend.load(self.key.clone()));
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for LoadJob<K, V, E, R> {
    fn drop(&mut self) {
        self.shared.with(|book| book.ledger.end_load(self.hash));
    }
}
