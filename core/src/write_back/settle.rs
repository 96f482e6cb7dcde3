//! Making room for a value, and storing it there.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Fault, Pinned, WriteBackError,
    place::{Wait, Waiting},
    room::{Deadline, Patience},
    share::{Comes, Flushing, WrapFlush},
    shared::{Brought, Done, Pin as Pinning, Place, Resume, Shared},
};
use crate::{
    Instant, Key, LoadError, Lock, Runtime,
    contain::each,
    dirty::{Origin, Placed, Ticket, Victim},
    parts::OwnLock,
    shard::{Answer, Seat, Step},
    share::After,
    sync::Arc,
};

/// A value on its way into the cache, with a reserved place.
pub(super) struct Settling<K: Key, V: Clone, E, R: Runtime> {
    shared: Arc<Shared<K, V, E, R>>,
    flushes: WrapFlush<K, V, E, R>,
    deadline: Deadline<R>,
    /// `None` while it waits for another one.
    place: Option<Place<K, V, E, R>>,
    waiting: Option<Waiting<K, V, E, R>>,
    /// Its turn among those that wait for another one.
    again: Option<Ticket>,
    /// The flush of what has to leave, which is dirty since this change.
    flushing: Option<(u64, Box<Flushing<K, V, E, R>>)>,
    /// By what it is taken back that this is woken when something else leaves.
    noted: Option<u64>,
    /// When that has failed just now.
    failed_at: Option<Instant>,
    /// The flushes that this is asked from inside of, by the change since which their entries are dirty, and the answer
    /// to that.
    inside: BTreeSet<u64>,
    reentrant: Option<Fault<K, E>>,
}

/// The result of making room.
pub(super) enum Cleared<K: Key, V: Clone, E, R: Runtime> {
    /// There is room.
    Room,
    /// There may be no room yet, and it may not be needed any more, because the key may have come: look, and go on.
    Look,
    /// The key came before its load began.
    There(Pinning<K, V, E, R>),
    /// The load does not begin: its key was written, and another load has loaded it since, or the cache was closed.
    Elsewhere,
}

/// What a call has, kept where it is found again if a poll of it unwinds.
pub(super) type Kept<T> = OwnLock<Option<T>>;

/// Whether room was made.
type Makes<K, V, E, R> = Poll<Result<Cleared<K, V, E, R>, Fault<K, E>>>;

/// What an insertion brings.
pub(super) struct Bringing<K: Key, V: Clone, E, R: Runtime> {
    /// Set until it is stored.
    pub(super) new: Kept<(K, V)>,
    /// Set once it is.
    pub(super) handle: Kept<Pinned<K, V, E, R>>,
}

impl<K: Key, V: Clone, E, R: Runtime> Bringing<K, V, E, R> {
    /// It is stored, and this is to be returned, whatever panics before that.
    pub(super) fn keep(&self, handle: Pinned<K, V, E, R>) {
        self.handle.with(|kept| *kept = Some(handle));
    }
}

/// What happened to a value.
pub(super) enum Settled {
    /// It has its place, and its handle is kept.
    There,
    /// Another value came before it.
    Present,
    /// Room has to be made first.
    Not,
    /// The cache was closed.
    Void,
}

/// What a look for something that can leave finds.
enum Next<F> {
    Room,
    There(u32),
    Elsewhere,
    /// The entry that is dirty since this change has to be flushed; that goes on from this step.
    Flush(u64, Step),
    /// The flush under way is still needed.
    Flushing,
    NoneLeft,
    Failed(F),
    Ask,
}

impl<K: Key, V: Clone, E, R: Runtime> Settling<K, V, E, R> {
    pub(super) fn new(flushes: WrapFlush<K, V, E, R>, patience: Patience, place: Place<K, V, E, R>) -> Self {
        let shared = Arc::clone(&place.shared);
        let deadline = Deadline::new(patience);
        let (place, waiting, again, flushing, failed_at) = (Some(place), None, None, None, None);
        let (noted, inside, reentrant) = (None, BTreeSet::new(), None);
        Self { shared, flushes, deadline, place, waiting, again, flushing, noted, failed_at, inside, reentrant }
    }

    /// It may have waited for another place before.
    pub(super) fn again(mut self, again: Option<Ticket>) -> Self {
        self.again = again;
        self
    }

    /// Returns whether the value may finish: it has its place, and waits for no flush.
    pub(super) const fn may_finish(&self) -> bool {
        self.place.is_some() && self.flushing.is_none()
    }

    /// Takes out the place, for a value that may be stored there, with what goes on from there if it cannot.
    pub(super) fn bring(&mut self, hash: u64, new: (K, V), resume: Resume<K, V, E, R>) -> Option<Brought<K, V, E, R>> {
        let place = self.place.take()?;
        Some(Brought {
            hash,
            new: Some(new),
            place,
            patience: self.deadline.patience,
            again: self.again,
            left: None,
            resume,
        })
    }

    /// Flushes what has to leave, and waits if everything is pinned; `hash` is that of the key that is to come.
    ///
    /// `load` is that key and the seat of its load, if that has not begun: it begins in the step that finds room.
    pub(super) fn make_room(
        &mut self,
        hash: u64,
        load: Option<(&K, &Seat<R::Notify>)>,
        cx: &mut Context<'_>,
    ) -> Makes<K, V, E, R> {
        let mut now = self.failed_at.take();
        let has_failed = now.is_some();
        loop {
            if let Some(waiting) = &mut self.waiting {
                match ready!(Pin::new(waiting).poll(cx)) {
                    Wait::For(place) => self.place = Some(place),
                    Wait::Called if load.is_some() && self.shared.with(|book| book.is_closed) => {
                        return Poll::Ready(Ok(Cleared::Elsewhere));
                    }
                    Wait::Called => {
                        // (With a value in hand, the caller looks.)
                        let pin = load.and_then(|(key, _)| Pinning::of(&self.shared, key));
                        return Poll::Ready(Ok(pin.map_or(Cleared::Look, Cleared::There)));
                    }
                    Wait::Over => return Poll::Ready(Err(Fault::Full)),
                }
                self.waiting = None;
            }
            let Some(held) = &mut self.place else { return Poll::Ready(Err(Fault::Full)) };
            let shared = Arc::clone(&self.shared);
            let mut after = After::new(&shared.engine);
            // Made under the lock, and left here if something panics there.
            let (mut flush, mut wake, mut _displaced) = (None, Vec::new(), None);
            let mut waits = self.flushing.as_ref().map(|_| cx.waker().clone());
            let next = shared.with_flights(|flights, book| {
                let note = self.noted.take();
                _displaced = note.and_then(|note| book.cleaning.remove(&note));
                if let Some((key, seat)) = load {
                    if let Some(place) = book.ledger.find(hash, |k| k == key) {
                        book.ledger.pin(place);
                        return Next::There(place);
                    }
                    if !flights.flights.reattach(seat) {
                        return Next::Elsewhere;
                    }
                }
                // (A failure is told all the same.)
                let is_late = load.is_some() && book.is_closed;
                let begins = load.filter(|_| !is_late).map(|_| hash);
                let clear = book.ledger.clear(held.is_clear, &self.inside, now, begins);
                let is_out = has_failed && book.ledger.health.is_out();
                match clear.map_err(|victim| if is_out { Victim::Failed } else { victim }) {
                    Ok(called) => {
                        (held.is_clear, wake) = (true, called);
                        if is_late { Next::Elsewhere } else { Next::Room }
                    }
                    Err(_) if waits.is_some() => {
                        self.noted = waits.take().map(|waker| book.note_cleaning(note, waker));
                        Next::Flushing
                    }
                    Err(Victim::Ask) => Next::Ask,
                    Err(Victim::Failed) => book.failure.clone().map_or(Next::NoneLeft, Next::Failed),
                    Err(_) if is_late => Next::Elsewhere,
                    Err(Victim::None | Victim::NoneLeft) => Next::NoneLeft,
                    Err(Victim::At(place, since)) => {
                        let entry = book.ledger.entry(place);
                        let (key, round, waker) = (entry.key.clone(), entry.round, cx.waker().clone());
                        let flush = flush.insert(Flushing::new(&shared, self.flushes, key, round));
                        let step = flush.arrive(place, (flights, book), cx.waker(), after.effects());
                        self.noted = Some(book.note_cleaning(note, waker));
                        Next::Flush(since, step)
                    }
                }
            });
            match (next, flush) {
                (Next::Room, _) => {
                    each(wake.into_iter(), Waker::wake);
                    // Whichever is clean first serves.
                    self.flushing = None;
                    return Poll::Ready(Ok(Cleared::Room));
                }
                (Next::There(place), _) => return Poll::Ready(Ok(Cleared::There(Pinning::new(&shared, place)))),
                (Next::Elsewhere, _) => return Poll::Ready(Ok(Cleared::Elsewhere)),
                (Next::Flush(since, step), Some(flush)) => {
                    let (_, flush) = self.flushing.insert((since, Box::new(flush)));
                    let end = flush.go_on(step, &mut after, cx);
                    drop(after);
                    return self.flushed(end, cx);
                }
                (Next::Flushing, _) => {
                    let end = self.flushing.as_mut().map_or(Poll::Ready(None), |(_, flush)| flush.poll(cx));
                    return self.flushed(end, cx);
                }
                (Next::Ask, _) => now = Some(shared.now()),
                (Next::Failed((key, error)), _) => return Poll::Ready(Err(Fault::Victim(key, Box::new(error)))),
                (Next::NoneLeft | Next::Flush(..), _) => match self.reentrant.take() {
                    Some(fault) => return Poll::Ready(Err(fault)),
                    None => self.wait(hash),
                },
            }
        }
    }

    /// The flush of what is to leave has ended, or takes time: this waits no longer than it may wait for room.
    fn flushed(&mut self, end: Poll<Comes<K, V, E, R>>, cx: &mut Context<'_>) -> Makes<K, V, E, R> {
        let Poll::Ready(end) = end else {
            if !self.deadline.is_over(&self.shared.runtime, cx) {
                return Poll::Pending;
            }
            self.flushing = None;
            return Poll::Ready(Err(Fault::Full));
        };
        if let (Some((since, flush)), Some(Err(error))) = (self.flushing.take(), end) {
            let (key, round) = flush.task();
            if matches!(error, LoadError::Reentrant) {
                self.inside.insert(since);
                self.reentrant = Some(Fault::Victim(key.clone(), Box::new(WriteBackError::of(error))));
            } else {
                let (mut why, now) = (Some((key.clone(), WriteBackError::of(error))), self.shared.now());
                self.shared.with(|book| book.fail((since, round), &mut why, now));
                self.failed_at = Some(now);
            }
        }
        Poll::Ready(Ok(Cleared::Look))
    }

    /// Stores a value that was changed at this time in its place, pinned, or leaves it where it is.
    pub(super) fn place(&mut self, key: &K, brought: &Bringing<K, V, E, R>, now: Instant) -> Settled {
        let Some(held) = &self.place else {
            // The caller waits for another one, unless the key has come meanwhile.
            let is_there = Pinning::of(&self.shared, key).is_some();
            return if is_there { Settled::Present } else { Settled::Not };
        };
        let (is_clear, hash, own) = (held.is_clear, self.shared.hash(key), key.clone());
        let shared = Arc::clone(&self.shared);
        let (mut after, mut _waker) = (After::new(&shared.engine), None);
        let (placed, wake) = shared.with_flights(|flights, book| {
            _waker = self.noted.take().and_then(|note| book.cleaning.remove(&note));
            // Closing has not seen it, so it must not be stored after that.
            if book.is_closed {
                return (Placed::Void, Vec::new());
            }
            let load = flights.flights.find(hash, |task| task.is_load_of(key));
            let end = brought.new.with(|new| book.ledger.place(hash, new, Origin::Changed(now), is_clear));
            if let (Placed::At(..), Some(load)) = (&end.0, load) {
                // What it brings is older: who waits for it looks again, and finds this.
                flights.note_write();
                flights.end_wait(load, Answer::bare(Done::Elsewhere, now), after.effects());
            }
            end
        });
        // Kept or held, and the place spent, before any other user code runs. What had to leave is dropped when everything
        // else is done.
        let (mut _gone, mut _pin) = (None, None);
        let settled = match placed {
            Placed::At(place, left) => {
                brought.keep(Pinned::new(Pinning::new(&self.shared, place), own));
                _gone = left;
                Settled::There
            }
            Placed::Present(place) => {
                _pin = Some(Pinning::new(&self.shared, place));
                Settled::Present
            }
            Placed::Full => {
                self.wait(hash);
                Settled::Not
            }
            Placed::Dirty => Settled::Not,
            Placed::Void => Settled::Void,
        };
        if let Some(mut place) = self.place.take_if(|_| matches!(settled, Settled::There | Settled::Present)) {
            place.spend();
        }
        each(wake.into_iter(), Waker::wake);
        after.run();
        settled
    }

    /// Gives the place back and waits for another one, because everything is pinned.
    pub(super) fn wait(&mut self, hash: u64) {
        let (patience, again) = (self.deadline.patience, &mut self.again);
        self.waiting = self.place.take().map(|place| Waiting::instead_of(place, hash, patience, again));
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Drop for Settling<K, V, E, R> {
    fn drop(&mut self) {
        if let Some(note) = self.noted {
            let _waker = self.shared.with(|book| book.cleaning.remove(&note));
        }
    }
}
