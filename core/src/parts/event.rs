//! Notification by `event-listener`.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use event_listener::{Event, EventListener, Listener};

use crate::Notify;

/// Wakes its listeners through an [`event_listener::Event`].
///
/// One allocation for each listener. A listener that listens again after a notification goes to the end of the line.
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
#[derive(Debug, Default)]
pub struct EventNotify(Event);

impl Notify for EventNotify {
    type Listener = Option<EventListener>;

    fn listen(&self, listener: &mut Self::Listener, waker: &Waker) -> Option<Waker> {
        let mut context = Context::from_waker(waker);
        let present = listener.get_or_insert_with(|| self.0.listen());
        if Pin::new(present).poll(&mut context).is_ready() {
            // It was notified since, so it has to queue again; a new listener cannot be ready yet.
            let mut next = self.0.listen();
            let _ = Pin::new(&mut next).poll(&mut context);
            *listener = Some(next);
        }
        None
    }

    fn withdraw(&self, listener: &mut Self::Listener) -> Option<Waker> {
        // All listeners are notified at once, so a notification never has to be passed on.
        if let Some(listener) = listener.take() {
            listener.discard();
        }
        None
    }

    fn notify_all(&self) {
        self.0.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests;
