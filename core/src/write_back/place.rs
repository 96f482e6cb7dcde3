//! Waiting for a place.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    room::{Deadline, Patience},
    shared::{Place, Shared},
};
use crate::{
    Key, Runtime,
    contain::each,
    dirty::{Grant, Ledger, Spoken, Ticket},
    sync::Arc,
};

/// A wait for a place.
pub(super) struct Waiting<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    /// The hash of the key that wants it.
    hash: u64,
    deadline: Deadline<R>,
    /// Its turn, once it has come; it stays that, even if this leaves the queue for a while or gives its place back.
    ticket: Option<Ticket>,
    queues: bool,
}

/// How a wait for a place ends.
pub(super) enum Wait<K: Key, V: Clone, E, R: Runtime> {
    /// With a place.
    For(Place<K, V, E, R>),
    /// Not yet, but the key may be there by now, or being loaded: look, and then wait on.
    Called,
    /// The wait is over.
    Over,
}

impl<K: Key, V: Clone, E, R: Runtime> Waiting<K, V, E, R> {
    pub(super) const fn new(shared: Arc<Shared<K, V, E, R>>, hash: u64, patience: Patience) -> Self {
        Self { shared, hash, deadline: Deadline::new(patience), ticket: None, queues: false }
    }

    /// Waits for another place instead of this one, ahead of all callers that have not had one; `again` is its turn among
    /// those that have.
    pub(super) fn instead_of(
        mut place: Place<K, V, E, R>,
        hash: u64,
        patience: Patience,
        again: &mut Option<Ticket>,
    ) -> Self {
        let mut waiting = Self::new(Arc::clone(&place.shared), hash, patience);
        let wake = waiting.shared.with(|book| {
            let ticket = *again.get_or_insert_with(|| book.ledger.draw(false));
            (waiting.ticket, waiting.queues) = (Some(ticket), true);
            book.ledger.queue_up(hash, ticket);
            place.give_back(&mut book.ledger)
        });
        each(wake.into_iter(), Waker::wake);
        waiting
    }

    /// Stops waiting; a place that was granted meanwhile is passed on.
    pub(super) fn leave(&mut self) {
        if let Some(ticket) = self.ticket.filter(|_| mem::take(&mut self.queues)) {
            let mut _waker = None;
            self.shared.waking(|ledger| {
                let (waker, wake) = ledger.leave_queue(ticket);
                _waker = waker;
                wake
            });
        }
    }

    /// Whether it is in the queue.
    pub(super) const fn queues(&self) -> bool {
        self.queues
    }

    /// Its turn, which is now if it has not come before.
    pub(super) fn turn(&mut self, ledger: &mut Ledger<K, V, Waker>) -> Ticket {
        *self.ticket.get_or_insert_with(|| ledger.draw(true))
    }

    /// It was put in the queue.
    pub(super) const fn has_queued_up(&mut self) {
        self.queues = true;
    }

    /// Returns whether the wait is over, or sets the wake for its end.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.deadline.is_over(&self.shared.runtime, cx)
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Future for Waiting<K, V, E, R> {
    type Output = Wait<K, V, E, R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.queues {
            let shared = Arc::clone(&this.shared);
            let spoken = shared.with(|book| {
                let may_wait = !matches!(this.deadline.patience, Patience::None);
                let ticket = may_wait.then(|| this.turn(&mut book.ledger));
                book.ledger.reserve(this.hash, ticket)
            });
            match spoken {
                Spoken::Place => return Poll::Ready(Wait::For(Place::new(&this.shared))),
                Spoken::Nothing => return Poll::Ready(Wait::Over),
                Spoken::Queued => this.queues = true,
            }
        }
        let Some(ticket) = this.ticket else { return Poll::Ready(Wait::Over) };
        let waker = cx.waker().clone();
        // What is left of wakers is dropped outside the lock.
        match this.shared.with(|book| book.ledger.wait(ticket, waker)) {
            Grant::Granted(_waker) => {
                this.queues = false;
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
