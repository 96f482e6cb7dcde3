//! Something that happens once, and can be waited for.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use event_listener::Event;

#[derive(Debug, Default)]
pub(crate) struct Flag {
    is_set: AtomicBool,
    event: Event,
}

impl Flag {
    pub(crate) fn set(&self) {
        self.is_set.store(true, SeqCst);
        self.event.notify(usize::MAX);
    }

    pub(crate) async fn wait(&self) {
        while !self.is_set.load(SeqCst) {
            let set = self.event.listen();
            if !self.is_set.load(SeqCst) {
                set.await;
            }
        }
    }
}
