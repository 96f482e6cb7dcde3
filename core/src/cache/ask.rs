//! One lookup, from its first poll to its result.

use alloc::{borrow::ToOwned, sync::Arc};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    alone::Alone,
    inner::{Deferred, Inner},
    means::Means,
    visit::End,
    waiter::Waiter,
};
use crate::{
    Cause, Failure, Instant, Key, LoadError, Outcome, Runtime, Source, Status, TimeLeft,
    flight::{Flight, Seat},
    policy::Policy,
    shard::{Arrival, Asked, Call, Waiting},
};

/// A lookup that was not a plain hit.
pub(crate) struct Ask<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> {
    // Dropped first: whoever leads next must find the seat free before the load that is kept here goes.
    state: State<'a, K, L, R, P, H>,
    pub(super) means: M,
    pub(super) inner: &'a Arc<Inner<K, L, R, P, H>>,
    pub(super) key: &'a Q,
}

enum State<'a, K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher> {
    New,
    Waiting(Waiter<K, L, R, P, H, &'a Arc<Inner<K, L, R, P, H>>>),
    Alone(Alone<'a, K, L, R, P, H>),
}

/// What a lookup comes to: an outcome, and a seat for the refresh that it may have to begin.
pub(crate) type Asks<V, E> = Result<(Outcome<V, E>, Option<(Waiting, Instant)>), LoadError<E>>;

impl<'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> Ask<'a, K, Q, L, R, P, H, M> {
    pub(crate) const fn new(inner: &'a Arc<Inner<K, L, R, P, H>>, key: &'a Q, means: M) -> Self {
        Self { state: State::New, means, inner, key }
    }
}

impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, M> Ask<'_, K, Q, L, R, P, H, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Means<K, L>,
{
    /// Tells whether nothing has been polled yet.
    #[inline]
    pub(crate) const fn is_new(&self) -> bool {
        matches!(self.state, State::New)
    }

    /// Carries the lookup on, for its value alone: a hit is found before anything else is set up.
    #[inline(always)]
    pub(crate) fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Result<L::Value, LoadError<L::Error>>> {
        let hash = self.inner.hash(self.key);
        let mut now = None;
        if self.is_new() {
            now = self.inner.now_if_timed();
            if let Some(value) = self.inner.hit(hash, now.unwrap_or(Instant::ZERO), self.key) {
                return Poll::Ready(Ok(value));
            }
        }
        self.poll_slowly(cx, hash, now)
    }

    #[inline(never)]
    fn poll_slowly(
        &mut self,
        cx: &mut Context<'_>,
        hash: u64,
        now: Option<Instant>,
    ) -> Poll<Result<L::Value, LoadError<L::Error>>> {
        let call = self.inner.rules.call();
        self.poll(cx, &call, hash, now).map(|result| result.map(|(outcome, _)| outcome.value))
    }

    /// Carries the lookup on; `now` is given if the clock was read already.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        call: &Call,
        hash: u64,
        now: Option<Instant>,
    ) -> Poll<Asks<L::Value, L::Error>> {
        if self.is_new() {
            if let Some(result) = self.arrive(cx.waker(), call, hash, now) {
                return Poll::Ready(result);
            }
        }
        loop {
            let (end, status) = match &mut self.state {
                State::New => return Poll::Pending,
                State::Waiting(waiter) => match waiter.poll(cx, &mut self.means) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(end) => (end, None),
                },
                State::Alone(alone) => match alone.poll(cx, &mut self.means) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready((Ok(loaded), status, waited)) => {
                        (End::Told(Ok(unstored(loaded.value, status, waited))), Some(status))
                    }
                    Poll::Ready((Err(error), status, _)) => {
                        (End::Failed(Failure::new(Cause::Error(Arc::new(error)))), Some(status))
                    }
                },
            };
            if let (End::Told(Ok(_)), Some(status)) = (&end, status) {
                self.inner.with(hash, |shard| shard.count(status));
            }
            let result = match end {
                End::Told(result) => result.map(|outcome| (outcome, None)),
                End::Failed(failure) => self.fail(call, hash, failure),
                End::Alone(status) => {
                    self.state = State::Alone(Alone::new(self.inner, hash, status));
                    self.means.start_alone(&self.inner.source, self.key.to_owned());
                    continue;
                }
            };
            self.state = State::New;
            self.means.drop_own();
            return Poll::Ready(result);
        }
    }

    /// The first poll: the look at the store and the claim of a load are one step.
    fn arrive(
        &mut self,
        waker: &Waker,
        call: &Call,
        hash: u64,
        now: Option<Instant>,
    ) -> Option<Asks<L::Value, L::Error>> {
        let (inner, key) = (self.inner, self.key);
        let now = now.unwrap_or_else(|| inner.runtime.now());
        let asked = Asked { hash, now, rules: &inner.rules, call };
        let mut effects = Deferred::<K, L, R>::new();
        let arrival = inner.with(hash, |shard| {
            let polls_itself = |flight: &Flight<_, _, _, _, Waker, super::crowd::Crowd<R::Notify>>| {
                let polled = flight.polled(|own| own.will_wake(waker));
                polled.own
                    || (polled.shared && flight.crowd.is_hub(waker))
                    || (polled.alone && flight.crowd.is_alone_with(waker))
            };
            let means = || self.means.start();
            shard.arrive(&asked, || key.to_owned(), |k| k.borrow() == key, means, polls_itself, &mut effects.0)
        });
        let wait = |seat: Seat, first| Waiting::new(hash, seat, call, first, now);
        match arrival {
            Arrival::Served(outcome, seat) => {
                let ticket = seat.map(|seat| (wait(seat, Status::Expired).uncounted(), now));
                Some(Ok((outcome, ticket)))
            }
            Arrival::Refused(error) => Some(Err(error)),
            Arrival::Seated(seat, first) => {
                self.state = State::Waiting(Waiter::new(inner, wait(seat, first), now, true));
                None
            }
            Arrival::Alone(status) => {
                self.state = State::Alone(Alone::new(inner, hash, status));
                self.means.start_alone(&inner.source, key.to_owned());
                None
            }
        }
    }

    /// Softens a failure by a stale value, if there is one within the limit.
    fn fail(&self, call: &Call, hash: u64, failure: Failure<L::Error>) -> Asks<L::Value, L::Error> {
        let softens = call.stale_if_error.is_some() && !call.reload;
        let now = softens.then(|| self.inner.runtime.now());
        let key = self.key;
        self.inner.with(hash, |shard| {
            let now = now.map(|now| (now, call.stale_if_error));
            shard.soften(hash, now, failure, |k| k.borrow() == key).map(|outcome| (outcome, None))
        })
    }
}

/// Describes a value that was loaded for this caller alone.
fn unstored<V, E>(value: V, status: Status, waited: Duration) -> Outcome<V, E> {
    Outcome {
        value,
        status,
        age: Duration::ZERO,
        time_left: TimeLeft::For(Duration::ZERO),
        led: true,
        attempt: None,
        waited,
        generation: None,
        error: None,
    }
}
