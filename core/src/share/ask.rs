//! The ways in: a value, a whole outcome, an outcome and a ticket.

use alloc::{borrow::ToOwned, sync::Arc};
use core::{
    borrow::Borrow,
    hash::Hash,
    task::{Context, Poll},
};

use super::{
    After, Asked, Borrowed, CallerLoad, Engine, Owned, Stay,
    drive::{Driving, ToldOf},
    stay::State,
};
use crate::{
    Instant, Key, LoadError, Outcome, Runtime, Tuning,
    shard::{AsKey, Step},
};

/// An outcome, and the refresh that goes with it.
pub(crate) type Answered<K, V, E, R, S> = Result<(Outcome<V, E>, Option<Owned<K, V, E, R, S>>), LoadError<E>>;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Polls a caller who wants the value alone.
    #[inline(always)]
    pub(crate) fn poll_value<Q>(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        key: &Q,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<V, LoadError<E>>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if !stay.is_new() {
            return self.poll_waiting(stay, &Borrowed(key), by, cx);
        }
        let hash = self.hash(key);
        let now = self.now_if_timed();
        let mut after = None;
        let looked = self.with(hash, |shard| {
            let hit = shard.hit(hash, now.unwrap_or(Instant::ZERO), |k| k.borrow() == key);
            if hit.is_some() || (now.is_none() && self.rules.needs_time()) {
                return Ok(hit);
            }
            let after = after.insert(After::new(self));
            let asked = Asked { key: Some(&Borrowed(key)), call: &self.call, batch: None, inside: None };
            stay.begin(hash, now, self.hand_over.is_some());
            let visit = self.visit(stay.time(), &asked, by, cx, 0);
            Err(shard.arrive(&mut stay.waiting, &visit, after.effects()))
        });
        let step = match looked {
            Ok(Some(value)) => {
                stay.state = State::Over;
                return Poll::Ready(Ok(value));
            }
            Ok(None) => None,
            Err(step) => Some(step),
        };
        self.poll_missing(stay, hash, &Borrowed(key), by, step, after, cx)
    }

    /// A caller who waits is polled again.
    #[inline(never)]
    fn poll_waiting(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        key: &dyn AsKey<K>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<V, LoadError<E>>> {
        self.poll_on(stay, &Asked { key: Some(key), call: &self.call, batch: None, inside: None }, by, cx)
            .map(|told| told.map(Outcome::into_value))
    }

    /// A caller found nothing at its first look.
    #[inline(never)]
    fn poll_missing(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        hash: u64,
        key: &dyn AsKey<K>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Option<Step>,
        after: Option<After<'_, K, V, E, R, S>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<V, LoadError<E>>> {
        let mut after = after.unwrap_or_else(|| After::new(self));
        let asked = Asked { key: Some(key), call: &self.call, batch: None, inside: None };
        let step = match step {
            Some(step) => {
                stay.state = State::Waiting;
                if !stay.time().1 {
                    // Where nothing expires, the clock is read for none but those who wait. If it panics, so has the load.
                    let mut driving = Driving::new(self, &mut stay.waiting, after.effects().number, Instant::ZERO);
                    let now = driving.read_clock();
                    driving.disarm();
                    stay.know_time(|| now);
                }
                step
            }
            None => self.arrive(stay, hash, &asked, by, &mut after, cx),
        };
        let poll = self.begin(stay, &asked, by, step, &mut after, cx);
        poll.map(|answered| answered.map(|(outcome, _)| outcome.into_value()))
    }

    /// Polls a caller who wants the outcome, and a ticket if it takes one.
    pub(crate) fn poll_outcome(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        hash: u64,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<K, V, E, R, S>> {
        if !stay.is_new() {
            return self.poll_on(stay, asked, by, cx).map(|told| told.map(|outcome| (outcome, None)));
        }
        let mut after = After::new(self);
        let step = self.arrive(stay, hash, asked, by, &mut after, cx);
        self.begin(stay, asked, by, step, &mut after, cx)
    }

    /// Goes on after the first look.
    pub(super) fn begin(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<K, V, E, R, S>> {
        let ticket = match step {
            Step::Ticket | Step::MakeTicket => {
                let ticket = Owned::new(self, stay.take());
                Some(if step == Step::MakeTicket { self.make_ticket(ticket, asked, by, after) } else { ticket })
            }
            _ if stay.waiting.is_visitor => {
                self.look_after(stay, asked, by, step, after, cx);
                None
            }
            _ => {
                let poll = self.carry_on(stay, asked, by, Some(step), after, cx);
                return poll.map(|told| told.map(|outcome| (outcome, None)));
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

    /// The load that goes with a ticket is the caller's own, and made at once; whoever polls the ticket drives it.
    fn make_ticket(
        self: &Arc<Self>,
        mut ticket: Owned<K, V, E, R, S>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        after: &mut After<'_, K, V, E, R, S>,
    ) -> Owned<K, V, E, R, S> {
        let number = after.effects().number;
        let waker = after.effects().waker.take();
        after.effects().keep_waker(waker);
        let stay = ticket.stay();
        let (hash, now) = (stay.waiting.hash, stay.time().0);
        let driving = Driving::new(self, &mut stay.waiting, number, now);
        let load = asked.key.and_then(|key| by.make(&self.source, key, self.previous(hash, key)));
        self.with(hash, |shard| shard.put_to_rest(&driving.waiting().seat, number, load, after.effects()));
        driving.disarm();
        ticket
    }

    /// A caller who has been served polls somebody's refresh once, and leaves.
    fn look_after(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        step: Step,
        after: &mut After<'_, K, V, E, R, S>,
        cx: &mut Context<'_>,
    ) {
        let drive = || match (step, after.effects().batch.take()) {
            (Step::Batch, Some(batch)) => self.drive_batch(&batch, false),
            _ => drop(self.drive(stay, asked, by, step, after, cx)),
        };
        // A panic in it is the refresh's, and no affair of a caller who has been served.
        #[cfg(feature = "std")]
        let _its_own = std::panic::catch_unwind(core::panic::AssertUnwindSafe(drive));
        #[cfg(not(feature = "std"))]
        drive();
        self.with(stay.waiting.hash, |shard| shard.rise(&mut stay.waiting, after.effects()));
    }

    /// Polls a caller who waits.
    pub(super) fn poll_on(
        self: &Arc<Self>,
        stay: &mut Stay<R>,
        asked: &Asked<'_, K, V, E, R>,
        by: &mut dyn CallerLoad<K, V, E, R::Threads>,
        cx: &mut Context<'_>,
    ) -> Poll<ToldOf<V, E>> {
        if !stay.waiting.seat.is_taken() {
            return Poll::Pending;
        }
        if let Some(outcome) = self.with(stay.waiting.hash, |shard| shard.collect(&mut stay.waiting)) {
            stay.end_sleep();
            by.drop_lent();
            stay.state = State::Over;
            return Poll::Ready(Ok(outcome));
        }
        let mut after = After::new(self);
        self.carry_on(stay, asked, by, None, &mut after, cx)
    }
}
