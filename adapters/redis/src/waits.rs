//! Callers that wait for notices, by the names of their keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use event_listener::{Event, EventListener};

use crate::host::lock;

/// What is waited for, as long as anybody does.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<String, Waited>>);

/// What is waited for, and by how many.
#[derive(Debug, Default)]
struct Waited {
    event: Arc<Event>,
    waits: usize,
}

/// One wait: it sees every notice from when it was begun.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    waits: &'a Waits,
    name: &'a str,
    notice: EventListener,
}

impl Waits {
    pub(crate) fn begin<'a>(&'a self, name: &'a str) -> Waiting<'a> {
        let mut table = lock(&self.0);
        let waited = table.entry(name.into()).or_default();
        waited.waits += 1;
        Waiting { waits: self, name, notice: waited.event.listen() }
    }

    pub(crate) fn wake(&self, name: &str) {
        let event = lock(&self.0).get(name).map(|waited| Arc::clone(&waited.event));
        if let Some(event) = event {
            event.notify(usize::MAX);
        }
    }

    pub(crate) fn wake_all(&self) {
        let events: Vec<_> = lock(&self.0).values().map(|waited| Arc::clone(&waited.event)).collect();
        for event in events {
            event.notify(usize::MAX);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        lock(&self.0).len()
    }
}

impl Waiting<'_> {
    /// Ends with the first notice since the wait was begun.
    pub(crate) async fn notice_heard(mut self) {
        (&mut self.notice).await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut table = lock(&self.waits.0);
        if let Some(waited) = table.get_mut(self.name) {
            waited.waits -= 1;
            if waited.waits == 0 {
                table.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests;
