//! Making room for a value, and putting it there.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Fault, WriteBackError,
    pinned::Pinned,
    room::{Patience, Place, Waiting},
    share::Sharing,
    shared::Shared,
    threads::Threads,
};
use crate::{
    Backend, Instant, Key, LoadError, Runtime,
    contain::each,
    dirty::{Placed, Victim},
};

/// A value on its way into the cache, with a place that is spoken for.
pub(super) struct Settling<K: Key, B: Backend<K>, R: Runtime, D: Threads> {
    shared: Arc<Shared<K, B, R, D>>,
    patience: Patience,
    /// `None` while it waits for another one.
    place: Option<Place<K, B, R, D>>,
    waiting: Option<Waiting<K, B, R, D>>,
    /// The flush of what has to leave.
    flushing: Option<(K, Box<Sharing<K, B, R, D>>)>,
    /// What could not be flushed, and why the first of it could not.
    tried: Vec<K>,
    first: Option<Fault<K, B::Error>>,
}

/// What became of a value.
pub(super) enum Settled<K: Key, B: Backend<K>, R: Runtime, D: Threads> {
    /// It has its place.
    At(Pinned<K, B, R, D>),
    /// Another one has come before it.
    Present(Pinned<K, B, R, D>, B::Value),
    /// There has to be made room first.
    Not(B::Value),
    /// What it was loaded from has been invalidated.
    Void,
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> Settling<K, B, R, D> {
    pub(super) const fn new(shared: Arc<Shared<K, B, R, D>>, patience: Patience, place: Place<K, B, R, D>) -> Self {
        Self { shared, patience, place: Some(place), waiting: None, flushing: None, tried: Vec::new(), first: None }
    }

    /// Flushes what has to leave, and waits where everything is pinned.
    pub(super) fn make_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault<K, B::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                self.place = Some(ready!(Pin::new(waiting).poll(cx)).ok_or(Fault::Full)?);
                self.waiting = None;
            }
            if let Some((_, flush)) = &mut self.flushing {
                let end = ready!(flush.poll(cx));
                if let (Some((key, _)), Some(Err(error))) = (self.flushing.take(), end) {
                    self.failed(key, error);
                }
            }
            let tried = |key: &K| self.tried.contains(key);
            let victim = self.shared.with(|book| match book.ledger.victim(tried) {
                Victim::None => Ok(None),
                Victim::NoneLeft => Err(()),
                Victim::At(place) => {
                    let entry = book.ledger.entry(place);
                    Ok(Some((entry.key.clone(), entry.round)))
                }
            });
            match victim {
                Ok(None) => return Poll::Ready(Ok(())),
                Ok(Some((key, round))) => {
                    let flush = Sharing::flush(&self.shared, key.clone(), round);
                    self.flushing = Some((key, Box::new(flush)));
                }
                Err(()) => match self.first.take() {
                    Some(fault) => return Poll::Ready(Err(fault)),
                    None => self.wait(),
                },
            }
        }
    }

    /// Puts the value into its place, pinned; `changed` is when it was changed if it was not loaded, `epoch` the last
    /// invalidation before it was.
    pub(super) fn place(
        &mut self,
        key: &K,
        value: B::Value,
        changed: Option<Instant>,
        epoch: Option<u64>,
    ) -> Settled<K, B, R, D> {
        let (own, handles, hash) = (key.clone(), key.clone(), self.shared.hash(key));
        let handle = |place| Pinned::new(Arc::clone(&self.shared), handles, place);
        let tried = |key: &K| self.tried.contains(key);
        let (placed, wake) = self.shared.with(|book| {
            if epoch.is_some_and(|epoch| epoch != book.epoch) {
                return (None, Vec::new());
            }
            let (placed, wake) = book.ledger.place(hash, own, value, changed, tried);
            (Some(placed), wake)
        });
        let mut gone = None;
        let settled = match placed {
            None => Settled::Void,
            Some(Placed::At(place, left)) => {
                gone = left;
                Settled::At(handle(place))
            }
            Some(Placed::Present(place, value)) => Settled::Present(handle(place), value),
            Some(Placed::Dirty(value)) => Settled::Not(value),
            Some(Placed::Full(value)) => {
                self.wait();
                Settled::Not(value)
            }
        };
        if matches!(settled, Settled::At(_) | Settled::Present(..)) {
            if let Some(place) = self.place.take() {
                place.spend();
            }
        }
        each(wake.into_iter(), Waker::wake);
        // What had to leave is dropped when everything else is done.
        drop(gone);
        settled
    }

    /// Gives the place back and waits for another one, as everything is pinned.
    fn wait(&mut self) {
        self.waiting = self.place.take().and_then(|place| place.exchange(self.patience));
    }

    fn failed(&mut self, key: K, error: LoadError<Fault<K, B::Error>>) {
        let fault = Fault::Victim(key.clone(), Box::new(WriteBackError::of(error)));
        self.first.get_or_insert(fault);
        self.tried.push(key);
    }
}
