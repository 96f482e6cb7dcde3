//! Notification by `event-listener`.

use alloc::vec::Vec;
use core::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Waker},
};

use event_listener::{Event, EventListener, Listener as _};

use super::OwnLock;
use crate::{
    Lock, Notify,
    contain::each,
    sync::{Arc, wakes},
};

/// Wakes its listeners through an [`event_listener::Event`].
///
/// Two allocations for each listener. The event calls wakers under its own lock, and stops at one that panics; so what it
/// gets are wakers that only note whom to wake, and that is done when its lock is released. Without `std` that lock spins; if
/// an interrupt may wake a load, turn on the feature `critical-section` of `event-listener` as well.
///
/// ```
/// use larder::{Notify, parts::EventNotify};
/// use std::task::Waker;
///
/// let (event, mut listener) = (EventNotify::default(), None);
/// event.listen(&mut listener, Waker::noop());
/// event.notify_all();
/// event.withdraw(&mut listener);
/// ```
pub struct EventNotify {
    event: Event,
    due: Arc<OwnLock<Due>>,
}

/// A listener of an [`EventNotify`].
///
/// It keeps its turn for as long as it listens.
///
/// ```
/// use larder::{Notify, parts::{EventNotify, Listening}};
///
/// let mut listener: Option<Listening> = None;
/// assert!(EventNotify::default().withdraw(&mut listener).is_none()); // it has never listened
/// ```
pub struct Listening {
    listener: Option<EventListener>,
    relay: Arc<Relay>,
}

/// Whom the event has notified.
#[derive(Default)]
struct Due {
    issued: u64,
    wakers: Vec<(u64, Waker)>,
}

/// What the event calls.
struct Relay {
    /// In which order it has first listened.
    number: u64,
    waker: OwnLock<Option<Waker>>,
    due: Arc<OwnLock<Due>>,
}

wakes!([] Relay);

impl Default for EventNotify {
    fn default() -> Self {
        Self { event: Event::new(), due: Arc::new(OwnLock::new(Due::default())) }
    }
}

impl fmt::Debug for EventNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventNotify").field("event", &self.event).finish_non_exhaustive()
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("number", &self.relay.number).finish_non_exhaustive()
    }
}

impl Relay {
    /// Notes whom to wake.
    fn woken(&self) {
        if let Some(waker) = self.waker.with(Option::take) {
            self.due.with(|due| due.wakers.push((self.number, waker)));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // As it has not withdrawn, it is woken with the next notification; that is also when its waker is dropped.
        self.relay.woken();
        if let Some(listener) = self.listener.take() {
            listener.discard();
        }
    }
}

impl Listening {
    /// Waits for the next notification; true if it has come already.
    fn is_notified(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.relay));
        self.listener
            .as_mut()
            .is_some_and(|listener| Pin::new(listener).poll(&mut Context::from_waker(&waker)).is_ready())
    }
}

impl Notify for EventNotify {
    type Listener = Option<Listening>;

    fn listen(&self, listener: &mut Self::Listener, waker: &Waker) -> Option<Waker> {
        let listening = listener.get_or_insert_with(|| {
            let number = self.due.with(|due| {
                due.issued += 1;
                due.issued
            });
            let relay = Relay { number, waker: OwnLock::new(None), due: Arc::clone(&self.due) };
            Listening { listener: Some(self.event.listen()), relay: Arc::new(relay) }
        });
        let waker = waker.clone();
        let displaced = listening.relay.waker.with(|present| present.replace(waker));
        while listening.is_notified() {
            // It was notified since, so it has to queue again.
            listening.listener = Some(self.event.listen());
        }
        displaced
    }

    fn withdraw(&self, listener: &mut Self::Listener) -> Option<Waker> {
        let mut listening = listener.take()?;
        let waker = listening.relay.waker.with(Option::take);
        // All listeners are notified at once, so a notification never has to be passed on.
        if let Some(listener) = listening.listener.take() {
            listener.discard();
        }
        waker
    }

    fn notify_all(&self) {
        self.event.notify(usize::MAX);
        let mut wakers = self.due.with(|due| mem::take(&mut due.wakers));
        wakers.sort_by_key(|(number, _)| *number);
        each(wakers.into_iter().map(|(_, waker)| waker), Waker::wake);
    }
}

#[cfg(test)]
mod tests;
