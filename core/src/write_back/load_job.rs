//! Loading one key: room is made first, then the key is loaded, and only then the entry that makes room leaves.

use alloc::boxed::Box;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    Fault,
    settle::{Cleared, Settling},
    share::WrapFlush,
    shared::{Brought, Done, Pin as Pinning, Refused, Resume, Shared},
};
use crate::{Key, Runtime, Threads, shard::Seat, source::Files, sync::Arc};

/// One load of one key.
pub struct LoadJob<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    /// Set until it goes with the value.
    key: Option<K>,
    hash: u64,
    /// The seat of the load itself: the load must not be joined any more if its key was written meanwhile.
    seat: Seat<R::Notify>,
    settling: Settling<K, V, E, R>,
    /// The way is clear, and the load is to begin.
    begins: bool,
    load: Option<<R::Threads as Threads>::Task<Result<V, E>>>,
    value: Option<V>,
    /// Why it is not finished, although it was to be.
    refused: Option<Refused>,
    /// Makes a load of what is not finished.
    resume: Resume<K, V, E, R>,
    /// Set while it waits for room.
    stuck: Option<Stuck<K, V, E, R>>,
}

/// A note that the load of a key waits for room: callers that share it check whether they still do.
struct Stuck<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    /// The number of the note: it is taken back without a look at keys, which may panic.
    note: (u64, u64),
    /// Whether it was noted in the poll before this one, or earlier.
    is_old: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Stuck<K, V, E, R> {
    fn new(shared: &Arc<Shared<K, V, E, R>>, key: &K, hash: u64) -> Self {
        // Cloned outside the lock.
        let key = key.clone();
        let note = shared.with(|book| book.note_stuck(hash, key));
        Self { shared: Arc::clone(shared), note, is_old: false }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Stuck<K, V, E, R> {
    fn drop(&mut self) {
        let _noted = self.shared.with(|book| book.stuck.remove(&self.note));
    }
}

impl<K: Key, V: Clone, E, R: Runtime> LoadJob<K, V, E, R> {
    /// The load that has this seat.
    pub(super) fn new(
        shared: Arc<Shared<K, V, E, R>>,
        (key, hash): (Option<K>, u64),
        seat: Seat<R::Notify>,
        settling: Settling<K, V, E, R>,
        resume: Resume<K, V, E, R>,
    ) -> Self {
        let (load, value, refused, stuck) = (None, None, None, None);
        Self { shared, key, hash, seat, settling, begins: false, load, value, refused, resume, stuck }
    }

    /// There is room for it already.
    pub(super) fn begun(self) -> Self {
        Self { begins: true, ..self }
    }

    /// The same load, whose value was to be stored and had no place.
    pub(super) fn resumed(
        brought: Brought<K, V, E, R>,
        seat: Seat<R::Notify>,
        refused: Refused,
        flushes: WrapFlush<K, V, E, R>,
    ) -> Self {
        let Brought { hash, new, place, patience, again, resume, .. } = brought;
        let (key, value) = new.unzip();
        let shared = Arc::clone(&place.shared);
        let settling = Settling::new(flushes, patience, place).again(again);
        Self { value, refused: Some(refused), ..Self::new(shared, (key, hash), seat, settling, resume) }
    }

    /// The result with its value, if there is a place for it, or the key has come meanwhile.
    fn bring(&mut self) -> Option<Done<K, V, E, R>> {
        if self.settling.may_finish() {
            let new = self.key.take().zip(self.value.take())?;
            return self.settling.bring(self.hash, new, self.resume).map(|brought| Done::Brought(Box::new(brought)));
        }
        let pin = Pinning::of(&self.shared, self.key.as_ref()?)?;
        // Before the pin is returned: it would be forgotten if that panicked.
        self.value = None;
        Some(Done::Loaded(Arc::new(pin)))
    }

    fn make_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<Cleared<K, V, E, R>, Fault<K, E>>> {
        let load = self.key.as_ref().filter(|_| self.value.is_none()).map(|key| (key, &self.seat));
        let poll = self.settling.make_room(self.hash, load, cx);
        // All callers that share the load check whether it waits for room. A caller that came during the poll that
        // notes it may not have seen the note, and the waker of that poll does not reach it; the next wake does.
        let is_told = self.stuck.as_mut().is_some_and(|stuck| mem::replace(&mut stuck.is_old, true));
        if poll.is_ready() {
            self.stuck = None;
        } else if !is_told {
            let stuck = || self.key.as_ref().map(|key| Stuck::new(&self.shared, key, self.hash));
            self.stuck = self.stuck.take().or_else(stuck);
            cx.waker().wake_by_ref();
        }
        poll
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for LoadJob<K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Future for LoadJob<K, V, E, R> {
    type Output = Result<Done<K, V, E, R>, Fault<K, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if mem::take(&mut this.begins) {
                this.load = this.key.clone().map(|key| this.shared.backend.load(key));
            }
            if let Some(load) = &mut this.load {
                let result = ready!(Pin::new(load).poll(cx));
                this.load = None;
                this.value = Some(result.map_err(|error| Fault::Backend(Arc::new(error)))?);
            }
            match this.refused.take() {
                Some(Refused::Dirty) => {}
                Some(Refused::Full) => this.settling.wait(this.hash),
                Some(Refused::Void) => this.value = None,
                None => {
                    if let Some(done) = this.value.is_some().then(|| this.bring()).flatten() {
                        return Poll::Ready(Ok(done));
                    }
                }
            }
            match ready!(this.make_room(cx))? {
                Cleared::Room => this.begins = this.value.is_none(),
                Cleared::Look => {}
                Cleared::There(pin) => return Poll::Ready(Ok(Done::Loaded(Arc::new(pin)))),
                Cleared::Elsewhere => return Poll::Ready(Ok(Done::Elsewhere)),
            }
        }
    }
}
