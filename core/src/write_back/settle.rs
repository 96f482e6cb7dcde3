//! Making room for a value, and putting it there.

use alloc::{boxed::Box, collections::BTreeSet, sync::Arc, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Fault, WriteBackError,
    pinned::Pinned,
    room::{Patience, Place, Wait, Waiting},
    share::Sharing,
    shared::Shared,
};
use crate::{
    Key, Runtime,
    contain::each,
    dirty::{Origin, Placed, Victim},
};

/// A value on its way into the cache, with a place that is spoken for.
pub(super) struct Settling<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    patience: Patience,
    /// `None` while it waits for another one.
    place: Option<Place<K, V, E, R>>,
    waiting: Option<Waiting<K, V, E, R>>,
    /// The flush of what has to leave, which is dirty since this change.
    flushing: Option<(K, u64, Box<Sharing<K, V, E, R>>)>,
    /// What could not be flushed, by the change since which it is dirty, and why the first of it could not.
    tried: BTreeSet<u64>,
    first: Option<Fault<K, E>>,
}

/// What became of a value.
pub(super) enum Settled<K: Key, V: Clone, E, R: Runtime> {
    /// It has its place.
    At(Pinned<K, V, E, R>),
    /// Another one has come before it.
    Present(Pinned<K, V, E, R>, V),
    /// There has to be made room first.
    Not(V),
    /// What it was loaded from has been invalidated, or the cache closed.
    Void,
}

impl<K: Key, V: Clone, E, R: Runtime> Settling<K, V, E, R> {
    pub(super) const fn new(shared: Arc<Shared<K, V, E, R>>, patience: Patience, place: Place<K, V, E, R>) -> Self {
        let tried = BTreeSet::new();
        Self { shared, patience, place: Some(place), waiting: None, flushing: None, tried, first: None }
    }

    /// Flushes what has to leave, and waits where everything is pinned; `hash` is that of the key that is to come.
    ///
    /// Ready with whether there is room. If not, it may be of no use any more, for the key has come: look, and go on.
    pub(super) fn make_room(&mut self, hash: u64, cx: &mut Context<'_>) -> Poll<Result<bool, Fault<K, E>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                match ready!(Pin::new(waiting).poll(cx)) {
                    Wait::For(place) => self.place = Some(place),
                    Wait::Called => return Poll::Ready(Ok(false)),
                    Wait::Over => return Poll::Ready(Err(Fault::Full)),
                }
                self.waiting = None;
            }
            if let Some((.., flush)) = &mut self.flushing {
                let end = ready!(flush.poll(cx));
                if let (Some((key, since, _)), Some(Err(error))) = (self.flushing.take(), end) {
                    self.tried.insert(since);
                    self.first.get_or_insert_with(|| Fault::Victim(key, Box::new(WriteBackError::of(error))));
                }
                return Poll::Ready(Ok(false));
            }
            let Some(held) = &mut self.place else { return Poll::Ready(Err(Fault::Full)) };
            let victim = self.shared.with(|book| match book.ledger.victim(held.is_clear, &self.tried) {
                Victim::None => {
                    held.is_clear = true;
                    Ok(None)
                }
                Victim::NoneLeft => Err(()),
                Victim::At(place, since) => {
                    let entry = book.ledger.entry(place);
                    Ok(Some((entry.key.clone(), entry.round, since)))
                }
            });
            match victim {
                Ok(None) => return Poll::Ready(Ok(true)),
                Ok(Some((key, round, since))) => {
                    let flush = Sharing::flush(&self.shared, key.clone(), round);
                    self.flushing = Some((key, since, Box::new(flush)));
                }
                Err(()) => match self.first.take() {
                    Some(fault) => return Poll::Ready(Err(fault)),
                    None => self.wait(hash),
                },
            }
        }
    }

    /// Tells whether it waits for a place, as everything is pinned.
    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Puts the value into its place, pinned.
    pub(super) fn place(&mut self, key: &K, value: V, origin: Origin) -> Settled<K, V, E, R> {
        let Some(held) = &self.place else {
            // He waits for another one, unless the key has come meanwhile.
            return match Pinned::of(&self.shared, key) {
                Some(handle) => Settled::Present(handle, value),
                None => Settled::Not(value),
            };
        };
        let is_clear = held.is_clear;
        let (handles, hash) = (key.clone(), self.shared.hash(key));
        // Left out here by whatever panics in there.
        let mut new = Some((key.clone(), value));
        let handle = |place| Pinned::new(Arc::clone(&self.shared), handles, place);
        let (placed, wake) = self.shared.with(|book| match origin {
            // Closing has not seen it, so it must not come after that. What is loaded is clean.
            Origin::Changed(_) if book.is_closed => (Placed::Void, Vec::new()),
            _ => book.ledger.place(hash, &mut new, origin, is_clear, &self.tried),
        });
        // Held, and passed on, before anything else of the user's runs: a key that panics as it goes keeps nothing then.
        let held = match &placed {
            Placed::At(place, _) | Placed::Present(place) => Some(handle(*place)),
            _ => None,
        };
        if let Some(place) = self.place.take_if(|_| held.is_some()) {
            place.spend();
        }
        each(wake.into_iter(), Waker::wake);
        match (placed, held, new.map(|(_, value)| value)) {
            (Placed::At(_, gone), Some(handle), _) => {
                // What had to leave is dropped when everything else is done.
                drop(gone);
                Settled::At(handle)
            }
            (Placed::Present(_), Some(handle), Some(value)) => Settled::Present(handle, value),
            (Placed::Dirty, _, Some(value)) => Settled::Not(value),
            (Placed::Full, _, Some(value)) => {
                self.wait(hash);
                Settled::Not(value)
            }
            _ => Settled::Void,
        }
    }

    /// Gives the place back and waits for another one, as everything is pinned.
    fn wait(&mut self, hash: u64) {
        self.waiting = self.place.take().and_then(|place| place.exchange(hash, self.patience));
    }
}
