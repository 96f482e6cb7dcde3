//! Callers that wait for notices, by the names of their keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use event_listener::{Event, EventListener};

use crate::host::lock;

/// What is waited for, as long as anybody does.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<String, Arc<Event>>>);

/// One wait: it sees every notice from when it was begun.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    waits: &'a Waits,
    name: &'a str,
    /// That of the table, and `None` only in `drop`.
    event: Option<Arc<Event>>,
    notice: EventListener,
}

impl Waits {
    pub(crate) fn begin<'a>(&'a self, name: &'a str) -> Waiting<'a> {
        let event = Arc::clone(lock(&self.0).entry(name.into()).or_default());
        let notice = event.listen();
        Waiting { waits: self, name, event: Some(event), notice }
    }

    pub(crate) fn wake(&self, name: &str) {
        let event = lock(&self.0).get(name).cloned();
        if let Some(event) = event {
            event.notify(usize::MAX);
        }
    }

    pub(crate) fn wake_all(&self) {
        let events: Vec<_> = lock(&self.0).values().cloned().collect();
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
        self.event = None;
        let mut table = lock(&self.waits.0);
        if table.get(self.name).is_some_and(|event| Arc::strong_count(event) == 1) {
            table.remove(self.name);
        }
    }
}

#[cfg(test)]
mod tests;
