//! The flushes that one call has under way.

use alloc::{collections::VecDeque, vec::Vec};
use core::task::{Context, Poll, Waker};

use hashbrown::HashTable;

use super::share::{Comes, Flushing};
use crate::{Key, Notify, Runtime, share::CallWakes, sync::Arc};

/// The flushes that one call has under way, and which of them are to be polled.
pub(super) struct Running<K: Key, V: Clone, E, R: Runtime> {
    places: Vec<Option<(u64, K, Flushing<K, V, E, R>)>>,
    /// The places by the hashes of their keys.
    index: HashTable<usize>,
    free: Vec<usize>,
    due: VecDeque<usize>,
    /// The next poll has to poll all: there was none before, or it has unwound.
    asks_all: bool,
    /// `None` if they are polled with the waker of the call.
    wakes: Option<Wakes<R::Notify>>,
}

/// What tells which of them were woken.
struct Wakes<N: Notify> {
    call: Arc<CallWakes<N>>,
    /// How many bits there are; places beyond that share them.
    bits: usize,
    /// One for each bit that was needed.
    wakers: Vec<Waker>,
    listener: N::Listener,
}

/// A poll of the call, which ends even if it unwinds.
pub(super) struct Polling<N: Notify>(Option<Arc<CallWakes<N>>>);

impl<N: Notify> Drop for Polling<N> {
    fn drop(&mut self) {
        self.0.iter().for_each(|call| call.end_poll());
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Running<K, V, E, R> {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            index: HashTable::new(),
            free: Vec::new(),
            due: VecDeque::new(),
            asks_all: true,
            wakes: None,
        }
    }

    /// This many may run at once, each polled when it is woken if they are more than that.
    pub(super) fn tell_apart(&mut self, most: usize, together: usize) {
        if most > together {
            let (call, wakers) = (CallWakes::new(most), Vec::new());
            self.wakes = Some(Wakes { call, bits: most, wakers, listener: Default::default() });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn has(&self, hash: u64, key: &K) -> bool {
        let is_it = |place: &usize| matches!(&self.places[*place], Some((_, running, _)) if running == key);
        self.index.find(hash, is_it).is_some()
    }

    /// One more, of a key of this hash, which is to be polled.
    pub(super) fn push(&mut self, hash: u64, key: K, flush: Flushing<K, V, E, R>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some((hash, key, flush));
        let places = &self.places;
        let hash_at = |place: &usize| places[*place].as_ref().map_or(0, |(hash, ..)| *hash);
        self.index.insert_unique(hash, place, hash_at);
        self.due.push_back(place);
    }

    /// The call is polled with this waker: those that were woken are polled, or all if the call was polled for another
    /// reason.
    pub(super) fn begin_poll(&mut self, waker: &Waker) -> Polling<R::Notify> {
        let Some(wakes) = &mut self.wakes else {
            self.ask_all();
            return Polling(None);
        };
        let old = wakes.call.begin_poll(&mut wakes.listener, waker);
        let polling = Polling(Some(Arc::clone(&wakes.call)));
        drop(old);
        let is_woken = self.take_woken() || !self.due.is_empty();
        if self.asks_all || !is_woken {
            self.ask_all();
        }
        self.asks_all = true;
        polling
    }

    /// The call is about to wait, unless one was woken meanwhile.
    pub(super) fn end_poll(&mut self, polling: Polling<R::Notify>, waker: &Waker) {
        drop(polling);
        self.asks_all = false;
        self.take_woken();
        if !self.due.is_empty() {
            waker.wake_by_ref();
        }
    }

    fn ask_all(&mut self) {
        self.due.clear();
        self.due.extend((0..self.places.len()).filter(|place| self.places[*place].is_some()));
    }

    /// Takes those that were woken; returns whether any was, even if it has ended.
    fn take_woken(&mut self) -> bool {
        let Self { places, due, wakes, .. } = self;
        let Some(wakes) = wakes else { return false };
        let mut any = false;
        wakes.call.take(|bit| {
            any = true;
            due.extend((bit..places.len()).step_by(wakes.bits).filter(|place| places[*place].is_some()));
        });
        any
    }

    /// Polls them one after the other until one has ended; returns its hash, its key and its result.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<(u64, K, Comes<K, V, E, R>)> {
        while let Some(place) = self.due.pop_front() {
            let Some(Some((.., flush))) = self.places.get_mut(place) else { continue };
            let poll = match &mut self.wakes {
                Some(wakes) => flush.poll_for(cx.waker(), &mut Context::from_waker(wakes.waker(place))),
                None => flush.poll(cx),
            };
            if let Poll::Ready(end) = poll {
                let (hash, key, flush) = self.places[place].take()?;
                if let Ok(found) = self.index.find_entry(hash, |other| *other == place) {
                    found.remove();
                }
                self.free.push(place);
                // Gone before anything is returned: that would be forgotten if this panicked.
                drop(flush);
                return Some((hash, key, end));
            }
        }
        None
    }
}

impl<N: Notify> Wakes<N> {
    fn waker(&mut self, place: usize) -> &Waker {
        let bit = place % self.bits;
        while self.wakers.len() <= bit {
            self.wakers.push(CallWakes::waker(&self.call, self.wakers.len()));
        }
        &self.wakers[bit]
    }
}
