//! Waiting for a place.

use alloc::sync::Arc;
use core::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    WriteBackError,
    share::{Shares, Sharing},
    shared::Shared,
};
use crate::{
    Instant, Key, Runtime,
    contain::each,
    dirty::{Grant, Spoken, Ticket},
};

/// What a call does when all entries are pinned and it needs a place.
///
/// A place that a load under way has spoken for is as good as pinned.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::{block_on, poll_once};
/// use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::{Memory, Std}};
///
/// let (clock, disk) = (ManualClock::new(), Memory::from([(1, "one"), (2, "two")]));
/// let cache = WriteBack::builder(Std::new(clock.clone()), disk).capacity(1).build()?;
/// let page = block_on(cache.get_or_load(&1))?;
/// let mut get = Box::pin(cache.get_or_load_with(&2, Room::Within(Duration::from_secs(1))));
/// assert!(block_on(poll_once(&mut get)).is_none());
/// clock.advance(Duration::from_secs(1));
/// assert!(matches!(block_on(get), Err(WriteBackError::Full)));
/// # drop(page);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// When it waits until a handle is dropped, after those who have waited for longer; the default.
    Wait,
    /// When it fails at once.
    Try,
    /// When it waits, and fails after so long.
    Within(Duration),
}

/// Until when a call waits for room.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    Endless,
    None,
    Until(Instant),
}

impl Room {
    pub(super) fn from(self, now: impl FnOnce() -> Instant) -> Patience {
        match self {
            Self::Wait => Patience::Endless,
            Self::Try => Patience::None,
            Self::Within(time) => Patience::Until(now().saturating_add(time)),
        }
    }
}

/// A place that is spoken for; dropping it passes it on.
pub(super) struct Place<K: Key, V: Clone, E, R: Runtime> {
    shared: Option<Arc<Shared<K, V, E, R>>>,
    /// Whether the way to it is clear.
    pub(super) is_clear: bool,
}

impl<K: Key, V: Clone, E, R: Runtime> Place<K, V, E, R> {
    fn new(shared: &Arc<Shared<K, V, E, R>>) -> Self {
        Self { shared: Some(Arc::clone(shared)), is_clear: false }
    }

    /// Notes that the place is taken now, or has been given back.
    pub(super) fn spend(mut self) {
        self.shared = None;
    }

    /// Waits for another place instead, before all who have not had one.
    pub(super) fn exchange(mut self, hash: u64, patience: Patience) -> Option<Waiting<K, V, E, R>> {
        let mut waiting = Waiting::new(self.shared.take()?, hash, patience);
        let (ticket, wake) =
            waiting.shared.with(|book| (book.ledger.queue_up(hash, false), book.ledger.give_back(self.is_clear)));
        // Held from here on, though a waker panics.
        waiting.ticket = Some(ticket);
        each(wake.into_iter(), Waker::wake);
        Some(waiting)
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Place<K, V, E, R> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.waking(|ledger| ledger.give_back(self.is_clear));
        }
    }
}

/// A wait for a place.
pub(super) struct Waiting<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    /// Of the key that wants it.
    hash: u64,
    patience: Patience,
    /// His place in the queue, while he has one.
    ticket: Option<Ticket>,
    sleep: Option<R::Sleep>,
}

/// How a wait for a place ends.
pub(super) enum Wait<K: Key, V: Clone, E, R: Runtime> {
    /// With a place.
    For(Place<K, V, E, R>),
    /// Not yet, but the key may be there by now, or on its way: see to that, and then wait on.
    Called,
    /// When the patience is over.
    Over,
}

impl<K: Key, V: Clone, E, R: Runtime> Waiting<K, V, E, R> {
    pub(super) const fn new(shared: Arc<Shared<K, V, E, R>>, hash: u64, patience: Patience) -> Self {
        Self { shared, hash, patience, ticket: None, sleep: None }
    }

    /// Waits no longer; a place that was granted meanwhile is passed on.
    pub(super) fn leave(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let mut _waker = None;
            self.shared.waking(|ledger| {
                let (waker, wake) = ledger.leave_queue(ticket);
                _waker = waker;
                wake
            });
        }
    }

    /// Waits for a load, which may be that of another caller: his own room is of no use meanwhile. But if the load waits for
    /// room, he waits for it only for as long as he would for his own.
    pub(super) async fn beside(
        &mut self,
        key: &K,
        mut load: Sharing<K, V, E, R>,
    ) -> Result<Shares<K, V, E, R>, WriteBackError<K, E>> {
        let end = poll_fn(|cx| {
            if let Poll::Ready(end) = load.poll(cx) {
                return Poll::Ready(Ok(end));
            }
            self.leave();
            let may_end = !matches!(self.patience, Patience::Endless);
            if may_end && self.shared.with(|book| book.stuck.contains(key)) && self.is_over(cx) {
                return Poll::Ready(Err(WriteBackError::Full));
            }
            Poll::Pending
        })
        .await;
        // Gone before anything is returned: what is being returned would be forgotten, pin and all, if that panicked.
        drop(load);
        end
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = match self.patience {
            Patience::Endless => return false,
            Patience::None => return true,
            Patience::Until(deadline) => deadline,
        };
        let sleep = self.sleep.get_or_insert_with(|| self.shared.runtime.sleep_until(deadline));
        Pin::new(sleep).poll(cx).is_ready()
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Future for Waiting<K, V, E, R> {
    type Output = Wait<K, V, E, R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let ticket = match this.ticket {
            Some(ticket) => ticket,
            None => {
                let may_wait = !matches!(this.patience, Patience::None);
                match this.shared.with(|book| book.ledger.reserve(this.hash, may_wait)) {
                    Spoken::Place => return Poll::Ready(Wait::For(Place::new(&this.shared))),
                    Spoken::Nothing => return Poll::Ready(Wait::Over),
                    Spoken::Ticket(ticket) => *this.ticket.insert(ticket),
                }
            }
        };
        let waker = cx.waker().clone();
        // What is left of wakers is dropped outside the lock.
        match this.shared.with(|book| book.ledger.wait(ticket, waker)) {
            Grant::Granted(_waker) => {
                this.ticket = None;
                Poll::Ready(Wait::For(Place::new(&this.shared)))
            }
            Grant::Called(_waker) => Poll::Ready(Wait::Called),
            Grant::Waits(_displaced) => {
                if this.is_over(cx) {
                    this.leave();
                    return Poll::Ready(Wait::Over);
                }
                Poll::Pending
            }
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for Waiting<K, V, E, R> {}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Waiting<K, V, E, R> {
    fn drop(&mut self) {
        self.leave();
    }
}
