//! The ways in: for a value, for a whole outcome, for an outcome and a ticket.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    hash::Hash,
    task::{Context, Poll, Waker},
};

#[cfg(feature = "std")]
use super::COPIED;
use super::{
    After, Borrowed, CallerLoad, Engine, Owned, ShardOf, Stay, VisitOf,
    at_once::AtOnce,
    engine::LinksOf,
    guard::Driving,
    stay::{Caller, State},
};
use crate::{
    Instant, Key, LoadError, Lock, Outcome, Runtime, Tuning,
    contain::aside,
    shard::{AsKey, Call, LookupResult, Step},
    sync::Arc,
};

/// An outcome, and the refresh that goes with it.
pub(crate) type Answered<K, V, E, R, S> = Result<(Outcome<V, E>, Option<Owned<K, V, E, R, S>>), LoadError<E>>;

/// What a caller needs that was not served at its first look.
pub(crate) struct Missing<'a, K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    visit: VisitOf<'a, K, V, E, R, S>,
    after: After<'a, K, V, E, R, S>,
    /// The step after the first look; none if the time is needed first, or the key has just moved to another shard.
    step: Option<Step>,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Polls a caller that only wants the value, and returns it if it is there at once; all else comes to `rest`.
    #[inline(always)]
    pub(crate) fn poll_value<Q>(
        this: &Arc<Self>,
        caller: &mut Caller<R>,
        key: &Q,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
        rest: &mut Poll<Result<V, LoadError<E>>>,
    ) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let borrowed = Borrowed(key);
        match caller {
            Caller::Stays(stay) if !stay.is_new() => return Self::poll_waiting(this, stay, &borrowed, by, cx, rest),
            Caller::Served => return None,
            _ => {}
        }
        let hash = this.hash(key);
        let (needs, mut now) = (this.needs(), None);
        if needs != 0 {
            now = this.now_for(needs);
            #[cfg(feature = "std")]
            if needs & COPIED != 0 {
                let copy = this.look_near(hash, now.unwrap_or(Instant::ZERO), key);
                if copy.is_some() {
                    *caller = Caller::Served;
                    return copy;
                }
            }
        }
        let (mut missing, mut lead) = (None, None);
        let lock = this.likely_shard(hash, needs);
        let hit = lock.with(|shard| match shard.look_for(hash, now.unwrap_or(Instant::ZERO), |k| k.borrow() == key) {
            Ok(value) => Some(value),
            Err(place) => {
                let reached = now.unwrap_or(Instant::ZERO);
                if Self::HAS_SHORT_WAYS && shard.may_lead_at_once(hash, place, reached) && this.leads_at_once(now, by) {
                    lead = Some(shard.lead_at_once(hash, &borrowed, place, reached, cx.waker()));
                } else {
                    let looks = (place, hash, now, &mut *caller);
                    this.look_closer(shard, looks, &borrowed, &*by, cx.waker(), &mut missing);
                }
                None
            }
        });
        if hit.is_some() {
            *caller = Caller::Served;
            return hit;
        }
        if let Some(lead) = lead {
            return AtOnce::new(this, caller, (hash, lock), lead).load(now, &borrowed, by, cx, rest);
        }
        if let (Caller::Stays(stay), Some(present)) = (&mut *caller, &mut missing) {
            let value = Self::poll_missing(this, stay, hash, by, present, cx, rest);
            if present.after.effects().is_spent() {
                // Mostly nothing is left in it, and one check is enough.
                core::mem::forget(missing);
            }
            return value;
        }
        None
    }

    /// A caller found nothing that it can have at once: it takes its seat in the same step.
    #[inline(never)]
    fn look_closer<'a>(
        &'a self,
        shard: &mut ShardOf<K, V, E, R, S>,
        (place, hash, now, caller): (Option<u32>, u64, Option<Instant>, &mut Caller<R>),
        key: &'a dyn AsKey<K>,
        by: &dyn CallerLoad<K, V, E, R::Threads>,
        waker: &'a Waker,
        missing: &mut Option<Missing<'a, K, V, E, R, S>>,
    ) {
        let visit = self.visit(Some(key), &self.call, by, waker);
        let Missing { visit, after, step } = missing.insert(Missing { visit, after: After::new(self), step: None });
        let reached = now.unwrap_or(Instant::ZERO);
        let Some(stay) = caller.begin(hash, reached, self.hand_over.is_some()) else { return };
        if (now.is_none() && self.rules.needs_time()) || shard.home.elsewhere(hash).is_some() {
            return;
        }
        visit.wants_value = true;
        (visit.reached, visit.is_present) = (reached, now.is_some());
        *step = Some(shard.arrive_at(place, &mut stay.waiting, visit, after.effects()));
    }

    /// A caller that waits is polled again; all but its value comes to `rest`.
    #[inline(never)]
    fn poll_waiting(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        key: &dyn AsKey<K>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
        rest: &mut Poll<Result<V, LoadError<E>>>,
    ) -> Option<V> {
        match Self::poll_on(this, stay, Some(key), &this.call, by, cx) {
            Poll::Ready(Ok(outcome)) => return Some(outcome.into_value()),
            Poll::Ready(Err(error)) => *rest = Poll::Ready(Err(error)),
            Poll::Pending => {}
        }
        None
    }

    /// A caller found nothing at its first look; all but its value comes to `rest`.
    #[inline(never)]
    fn poll_missing(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        hash: u64,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        Missing { visit, after, step }: &mut Missing<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
        rest: &mut Poll<Result<V, LoadError<E>>>,
    ) -> Option<V> {
        let step = match *step {
            Some(step) => {
                stay.state = State::Waiting;
                if !visit.is_present && step != Step::Told {
                    // If nothing expires, only callers that wait read the clock. If the clock panics, so has the load.
                    let mut driving = Driving::new(this, &mut stay.waiting, after.effects().number, Instant::ZERO);
                    let now = driving.read_clock().told();
                    driving.disarm();
                    (visit.reached, visit.is_present, stay.waiting.started) = (now, true, now);
                }
                step
            }
            None => this.arrive(stay, hash, visit, after, |_| {}),
        };
        if stay.waiting.is_visitor {
            Self::look_after(this, stay, visit, by, step, after, cx);
            stay.state = State::Over;
        } else if Self::carry_on(this, stay, visit, by, Some(step), after, cx).is_pending() {
            return None;
        }
        after.told_value(rest)
    }

    /// Polls a caller that wants the outcome, and a ticket if it takes one.
    pub(crate) fn poll_outcome(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        hash: u64,
        key: &dyn AsKey<K>,
        call: &Call,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<K, V, E, R, S>> {
        if !stay.is_new() {
            return Self::poll_on(this, stay, Some(key), call, by, cx).map(|told| told.map(|outcome| (outcome, None)));
        }
        let mut after = After::new(this);
        let mut visit = this.visit(Some(key), call, by, cx.waker());
        let step = this.arrive(stay, hash, &mut visit, &mut after, LinksOf::heed_options);
        Self::begin(this, stay, &mut visit, by, step, &mut after, cx)
    }

    /// Goes on after the first look.
    fn begin(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<K, V, E, R, S>> {
        let ticket = match step {
            Step::Ticket | Step::MakeTicket => {
                let ticket = Owned::new(this, stay.take());
                Some(if step == Step::MakeTicket { Self::make_ticket(this, ticket, visit, by, after) } else { ticket })
            }
            _ if stay.waiting.is_visitor => {
                Self::look_after(this, stay, visit, by, step, after, cx);
                None
            }
            _ => {
                if Self::carry_on(this, stay, visit, by, Some(step), after, cx).is_pending() {
                    return Poll::Pending;
                }
                None
            }
        };
        let told = after.effects().told.take();
        after.run();
        stay.state = State::Over;
        match told {
            Some(told) => Poll::Ready(told.map(|outcome| (outcome, ticket))),
            None => Poll::Pending,
        }
    }

    /// Makes the load of a ticket, the caller's own, at once; the caller that polls the ticket drives it.
    fn make_ticket(
        this: &Arc<Self>,
        mut ticket: Owned<K, V, E, R, S>,
        visit: &VisitOf<'_, K, V, E, R, S>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Owned<K, V, E, R, S> {
        let number = after.effects().number;
        let waker = after.effects().waker.take();
        after.effects().keep_waker(waker);
        let stay = ticket.stay();
        let hash = stay.waiting.hash;
        // A panic in it is the refresh's, and does not concern the caller that is served.
        aside(|| {
            let driving = Driving::new(this, &mut stay.waiting, number, visit.reached);
            let load = visit.key.and_then(|key| by.make(&this.source, key, this.asked(hash, key, visit.call)));
            this.with(hash, |shard| shard.put_to_rest(&driving.waiting.seat, number, load, after.effects()));
            driving.disarm();
        });
        ticket
    }

    /// A caller that was served polls another caller's refresh once, and leaves.
    #[inline(never)]
    fn look_after(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        visit: &mut VisitOf<'_, K, V, E, R, S>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) {
        // A panic in it concerns the refresh, not a caller that was served.
        aside(|| match (step, after.effects().batch.take()) {
            (Step::Batch, Some(batch)) => (batch.drive)(this, &batch, false),
            _ => _ = Self::carry_on(this, stay, visit, by, Some(step), after, cx),
        });
        this.with_room(stay.waiting.hash, visit.reached, after, |shard, effects| {
            shard.leave_refresh(&mut stay.waiting, visit, effects);
        });
        aside(|| {
            Self::hand_over_abandoned(this, stay, after);
            after.run();
        });
    }

    /// Polls a caller that waits.
    pub(crate) fn poll_on(
        this: &Arc<Self>,
        stay: &mut Stay<R>,
        key: Option<&dyn AsKey<K>>,
        call: &Call,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<LookupResult<V, E>> {
        if let Some(told) = this.collect(stay, by) {
            return told;
        }
        let mut visit = this.visit(key, call, by, cx.waker());
        visit.reached = stay.reached;
        let mut after = After::new(this);
        let poll = Self::carry_on(this, stay, &mut visit, by, None, &mut after, cx);
        after.told(poll)
    }

    /// Takes the outcome on the fast path, if it is there; a wait that is over stays pending.
    pub(super) fn collect(
        &self,
        stay: &mut Stay<R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
    ) -> Option<Poll<LookupResult<V, E>>> {
        if !stay.waiting.seat.is_taken() {
            return Some(Poll::Pending);
        }
        // Where something is to be dropped, whose drop may panic, the outcome is kept meanwhile: not here.
        if by.is_lending() || stay.sleeps() {
            return None;
        }
        let outcome = self.with(stay.waiting.hash, |shard| shard.collect(&mut stay.waiting))?;
        stay.state = State::Over;
        Some(Poll::Ready(Ok(outcome)))
    }
}
