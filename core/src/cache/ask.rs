//! One lookup, from its first poll to its result.

use alloc::{borrow::ToOwned, boxed::Box, sync::Arc};
use core::{
    borrow::Borrow,
    hash::Hash,
    mem,
    ops::ControlFlow,
    task::{Context, Poll, Waker},
};

use super::{
    alone::Alone,
    inner::{FlightOf, Inner},
    means::Means,
    ride::Ride,
    visit::{Driven, End, Scraps, Turn},
    waiter::Waiter,
};
use crate::{
    Failure, Instant, Key, LoadError, Outcome, Runtime, Status, Tuning,
    shard::{Arrival, Asked, Call, Wait, Waiting},
};

/// One key that is asked for, by means that are kept elsewhere.
pub(crate) struct Ask<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning> {
    state: State<'a, K, V, E, R, S>,
    pub(super) inner: &'a Arc<Inner<K, V, E, R, S>>,
    pub(super) key: &'a Q,
}

/// One key that is asked for, and the means to load it.
pub(crate) struct AskBy<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> {
    // Dropped first: whoever leads next must find the seat free before the load that is kept with the means goes.
    pub(super) ask: Ask<'a, K, Q, V, E, R, S>,
    pub(super) means: M,
}

enum State<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    New,
    Waiting(Seat<'a, K, V, E, R, S>),
    Alone(Alone<'a, K, V, E, R, S>),
}

/// What a lookup comes to: an outcome, and the seat of the refresh that it may have to begin.
pub(crate) type Asks<K, V, E, R, S> = Result<(Outcome<V, E>, Option<Ticket<K, V, E, R, S>>), LoadError<E>>;

/// The seat of a lookup, which borrows the cache.
type Seat<'a, K, V, E, R, S> = Waiter<K, V, E, R, S, &'a Arc<Inner<K, V, E, R, S>>>;

/// A seat that owns its share of the cache. Boxed, as most lookups have none and would only carry its size around.
pub(crate) type Ticket<K, V, E, R, S> = Box<Waiter<K, V, E, R, S, Arc<Inner<K, V, E, R, S>>>>;

/// What the first poll comes to, unless it ends the lookup.
type FirstTurn<K, V, E, R> = Option<Turn<Ride<K, V, E, R>, V, E, <R as Runtime>::Notify>>;

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> AskBy<'a, K, Q, V, E, R, S, M> {
    pub(crate) const fn new(inner: &'a Arc<Inner<K, V, E, R, S>>, key: &'a Q, means: M) -> Self {
        Self { ask: Ask::new(inner, key), means }
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> AskBy<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, V, E, R::Threads>,
{
    /// Carries the lookup on, for its value alone: a hit is found before anything else is set up.
    #[inline(always)]
    pub(crate) fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Result<V, LoadError<E>>> {
        let Ask { inner, key, .. } = self.ask;
        let hash = inner.hash(key);
        let mut now = None;
        if self.ask.is_new() {
            now = inner.now_if_timed();
            if let Some(value) = inner.hit(hash, now.unwrap_or(Instant::ZERO), key) {
                return Poll::Ready(Ok(value));
            }
        }
        self.poll_slowly(cx, hash, now)
    }

    #[inline(never)]
    fn poll_slowly(&mut self, cx: &mut Context<'_>, hash: u64, now: Option<Instant>) -> Poll<Result<V, LoadError<E>>> {
        let inner = self.ask.inner;
        self.poll(cx, &inner.call, hash, now).map(|result| result.map(|(outcome, _)| outcome.value))
    }

    /// Carries the lookup on; `now` is given if the clock was read already.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        call: &Call,
        hash: u64,
        now: Option<Instant>,
    ) -> Poll<Asks<K, V, E, R, S>> {
        self.ask.poll(cx, call, hash, now, &mut self.means)
    }
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning> Ask<'a, K, Q, V, E, R, S> {
    pub(crate) const fn new(inner: &'a Arc<Inner<K, V, E, R, S>>, key: &'a Q) -> Self {
        Self { state: State::New, inner, key }
    }

    /// Notes that the load which is kept for this caller has panicked, and tells who waits for it.
    pub(crate) fn panicked(&mut self) {
        match &mut self.state {
            State::New => {}
            State::Waiting(waiter) => waiter.panicked(),
            State::Alone(alone) => alone.panicked(),
        }
    }

    /// Returns this caller's seat, if he waits.
    pub(crate) fn waiter(&mut self) -> Option<&mut Seat<'a, K, V, E, R, S>> {
        match &mut self.state {
            State::Waiting(waiter) => Some(waiter),
            _ => None,
        }
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning> Ask<'_, K, Q, V, E, R, S>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    /// Tells whether nothing has been polled yet.
    #[inline]
    pub(crate) const fn is_new(&self) -> bool {
        matches!(self.state, State::New)
    }

    /// Carries the lookup on; `now` is given if the clock was read already.
    pub(crate) fn poll<M: Means<K, V, E, R::Threads>>(
        &mut self,
        cx: &mut Context<'_>,
        call: &Call,
        hash: u64,
        now: Option<Instant>,
        means: &mut M,
    ) -> Poll<Asks<K, V, E, R, S>> {
        let mut turn = None;
        if self.is_new() {
            match self.arrive(cx.waker(), call, hash, now, means) {
                ControlFlow::Continue(first) => turn = first,
                ControlFlow::Break(result) => return Poll::Ready(result),
            }
        }
        loop {
            let poll = match &mut self.state {
                State::New => return Poll::Pending,
                State::Waiting(waiter) => waiter.poll(cx, turn.take(), means, |_| Some(self.key.to_owned())),
                State::Alone(alone) => alone.poll(cx, means),
            };
            let Poll::Ready(end) = poll else { return Poll::Pending };
            let result = match end {
                End::Told(result) => result.map(|outcome| (outcome, None)),
                End::Failed(failure, wait) => self.fail(call, hash, failure, wait),
                End::Alone(..) if !means.can_load(&self.inner.source) => Err(self.no_loader(hash)),
                End::Alone(status, since) => {
                    self.state = State::Alone(Alone::new(self.inner, hash, status, since));
                    self.start_alone(hash, means);
                    continue;
                }
            };
            self.state = State::New;
            means.drop_own();
            return Poll::Ready(result);
        }
    }

    /// The first poll: the look at the store and the claim of a load are one step, and so is the first visit to a flight.
    ///
    /// Breaks with what ends the lookup at once.
    fn arrive<M: Means<K, V, E, R::Threads>>(
        &mut self,
        waker: &Waker,
        call: &Call,
        hash: u64,
        now: Option<Instant>,
        means: &mut M,
    ) -> ControlFlow<Asks<K, V, E, R, S>, FirstTurn<K, V, E, R>> {
        let (inner, key) = (self.inner, self.key);
        let now = now.unwrap_or_else(|| inner.runtime.now());
        let asked = Asked { hash, now, rules: &inner.rules, call };
        let (first, can_load) = (FirstPoll(&mut self.state), means.can_load(&inner.source));
        let result;
        {
            let mut scraps = Scraps::new(&inner.source);
            result = inner.with(hash, |shard| {
                let start = || means.start(&inner.source).map(|start| start.map(Ride::Own));
                let polls_itself = |flight: &FlightOf<K, V, E, R>| polls_itself::<K, V, E, R>(flight, waker);
                let effects = scraps.deferred.effects();
                let arrival =
                    shard.arrive(&asked, || key.to_owned(), |k| k.borrow() == key, start, polls_itself, effects);
                let wait = |seat, status| Waiting::new(hash, seat, call, status, now);
                match arrival {
                    Arrival::Served(outcome, seat) => {
                        let ticket = seat.map(|seat| {
                            scraps.deferred.nudge(shard.flights.seated(&seat));
                            let waiting = wait(seat, Status::Expired).uncounted();
                            Box::new(Waiter::new(Arc::clone(inner), waiting, now, false))
                        });
                        ControlFlow::Break(Ok((outcome, ticket)))
                    }
                    Arrival::Refused(error) => ControlFlow::Break(Err(error)),
                    Arrival::Alone(_) if !can_load => {
                        shard.counts.errors += 1;
                        ControlFlow::Break(Err(LoadError::NoLoader))
                    }
                    Arrival::Alone(status) => {
                        *first.0 = State::Alone(Alone::new(inner, hash, status, now));
                        ControlFlow::Continue(None)
                    }
                    Arrival::Seated(seat, status) => {
                        // Whatever happens from here on, the seat is given up with this state.
                        let is_first = seat.began() == Some(1);
                        *first.0 = State::Waiting(Waiter::new(inner, wait(seat, status), now, true));
                        let State::Waiting(waiter) = first.0 else { return ControlFlow::Continue(None) };
                        ControlFlow::Continue(Some(if is_first {
                            waiter.stay.set_out::<K, V, E, R, S::Policy>(shard, waker)
                        } else {
                            waiter.stay.visit(shard, inner, (Driven::Nothing, 0), waker, means, &mut scraps)
                        }))
                    }
                }
            });
        }
        // He drives the load that he may have been given in what is left of this poll.
        mem::forget(first);
        let mut result = result;
        if let ControlFlow::Break(Ok((_, Some(ticket)))) = &mut result {
            ticket.make(means);
        }
        if matches!(self.state, State::Alone(_)) {
            self.start_alone(hash, means);
        }
        result
    }

    /// Refuses a lookup that has nothing to load by, and counts it.
    fn no_loader(&self, hash: u64) -> LoadError<E> {
        self.inner.with(hash, |shard| shard.counts.errors += 1);
        LoadError::NoLoader
    }

    fn start_alone<M: Means<K, V, E, R::Threads>>(&self, hash: u64, means: &mut M) {
        let previous = self.inner.previous(hash, self.key);
        means.start_alone(&self.inner.source, self.key.to_owned(), previous);
    }

    /// Softens a failure by a stale value, if there is one within the limit.
    fn fail(&self, call: &Call, hash: u64, failure: Failure<E>, wait: Wait) -> Asks<K, V, E, R, S> {
        let softens = call.stale_if_error.is_some() && !call.reload;
        let now = softens.then(|| self.inner.runtime.now());
        let key = self.key;
        self.inner.with(hash, |shard| {
            let now = now.map(|now| (now, call));
            shard.soften(hash, now, failure, wait, |k| k.borrow() == key).map(|outcome| (outcome, None))
        })
    }
}

/// The first poll, until all is done but driving. Should the stack unwind, a load that was given out to be driven has panicked.
struct FirstPoll<'s, 'a, K: Key, V: Clone, E, R: Runtime, S: Tuning>(&'s mut State<'a, K, V, E, R, S>);

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Drop for FirstPoll<'_, '_, K, V, E, R, S> {
    fn drop(&mut self) {
        if let State::Waiting(waiter) = self.0 {
            waiter.contain_panic();
        }
    }
}

/// Tells whether a flight is being polled right now by whoever is polled with this waker.
pub(super) fn polls_itself<K: Key, V: Clone, E, R: Runtime>(flight: &FlightOf<K, V, E, R>, waker: &Waker) -> bool {
    let polled = flight.polled(|poller| poller.is_here(waker));
    polled.own || flight.crowd.is_inside(waker) || (polled.shared && flight.crowd.is_hub(waker))
}
