//! A caller waits: what it drives, what it is told, and what it does when a deadline passes.

use core::task::Waker;

use super::{At, Call, Carries, Effects, OnTimeout, Part, Rules, Seat, Shard, SharedLoad, arrive::AsKey};
use crate::{
    Failure, Instant, LoadError, Notify, Outcome, Status,
    flight::{PolledBy, Registration, Start, Work},
    store::policy::Policy,
};

/// One caller who waits for a key.
pub(crate) struct Waiting<N: Notify> {
    pub(crate) hash: u64,
    pub(crate) seat: Seat<N>,
    /// Since its first poll.
    pub(crate) started: Instant,
    /// Whether this is a lookup, whose end is counted.
    pub(crate) is_counted: bool,
    /// Its status if the load is its own: `Miss` or `Expired`.
    pub(super) found_expired: bool,
    /// Its lock timeout has not passed.
    pub(super) is_patient: bool,
    /// It loads for itself, unnumbered and unshared.
    pub(crate) is_alone: bool,
    /// It has been served, and polls somebody's refresh once.
    pub(crate) is_visitor: bool,
    /// The load that it leaves behind may be finished by a spawner.
    pub(crate) may_hand_over: bool,
}

/// What a caller comes with, each time it looks.
pub(crate) struct Visit<'a, K, B> {
    /// The key, where the caller has it; a ticket has not.
    pub(crate) key: Option<&'a dyn AsKey<K>>,
    pub(crate) waker: &'a Waker,
    pub(crate) rules: &'a Rules,
    pub(crate) call: &'a Call,
    /// What it can begin a load with; none if it can not.
    pub(crate) start: Option<Start>,
    /// That is the cache's loader, so anybody can make the load.
    pub(crate) is_by_loader: bool,
    /// What makes the load of many keys that its load is a part of.
    pub(crate) batch: Option<&'a dyn Fn(bool) -> B>,
    /// What the call is polled with, to find calls from inside a load.
    pub(crate) inside: &'a Waker,
    /// A time that has surely come.
    pub(crate) reached: Instant,
    /// Whether that is the present time.
    pub(crate) is_present: bool,
    /// It takes its seat and polls nothing yet.
    pub(crate) arrives_only: bool,
    /// Its first look in this poll.
    pub(crate) is_first: bool,
    /// The last attempt that it drove in this poll.
    pub(crate) after: u32,
}

/// What a caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Leave with what it is told.
    Told,
    /// Make its own load, and poll it.
    Make,
    /// Make the load that a ticket stands for, and poll it.
    MakeShared,
    /// Poll the load that it was handed.
    Poll,
    /// Poll the load that it has lent.
    Lent,
    /// Drive the load of many keys that it was handed.
    Batch,
    /// Its load is a part of one that its call begins.
    Gathered,
    /// Wait until woken, or until a deadline.
    Wait,
    /// Look again: something has been settled.
    Again,
    /// Look again with the present time.
    ReadClock,
    /// Leave with what it is told, and with a ticket whose load is yet to be made.
    Ticket,
    /// The same, but its load is the caller's and is made at once.
    MakeTicket,
}

impl<N: Notify> Waiting<N> {
    /// A caller at its first poll.
    #[inline]
    pub(crate) fn new(hash: u64, now: Instant) -> Self {
        Self {
            hash,
            seat: Seat::default(),
            started: now,
            is_counted: true,
            found_expired: false,
            is_patient: true,
            is_alone: false,
            is_visitor: false,
            may_hand_over: false,
        }
    }

    /// Its status if it leads.
    pub(crate) const fn first(&self) -> Status {
        if self.found_expired { Status::Expired } else { Status::Miss }
    }

    /// Whose end is not counted, and who has all the time in the world: a ticket, a spawner's task.
    pub(crate) const fn make_quiet(&mut self) {
        (self.is_counted, self.is_patient) = (false, false);
    }

    /// When its patience ends, and what it does then.
    fn patience(&self, call: &Call) -> Option<(Instant, OnTimeout)> {
        let bounds_all = |then: OnTimeout| matches!(then, OnTimeout::Stale | OnTimeout::Fail);
        let (patience, then) = call.lock_timeout.filter(|_| self.is_patient && !self.is_alone)?;
        (bounds_all(then) || self.seat.began == 0).then(|| (self.started.saturating_add(patience), then))
    }

    /// Tells of this wait in an outcome that ends it now.
    pub(super) const fn tell_wait<V, E>(&self, outcome: &mut Outcome<V, E>, now: Instant) {
        outcome.led = self.seat.began != 0;
        outcome.waited = now.saturating_since(self.started);
    }
}

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// The outcome, if it is there and others are still to hear of it: the quick way out for most who joined.
    #[inline]
    pub(crate) fn collect(&mut self, waiting: &mut Waiting<C::Notify>) -> Option<Outcome<V, E>> {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        if !slot.flight.is_over() || slot.flight.seats() < 2 {
            return None;
        }
        let Some(Ok(answer)) = &slot.verdict else { return None };
        let answer = answer.clone();
        slot.flight.leave(0);
        self.flights.seats -= 1;
        let outcome = self.outcome_of(waiting, answer);
        waiting.seat = Seat::default();
        Some(outcome)
    }

    /// What a waiting caller does next.
    #[inline(never)]
    pub(crate) fn visit(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        if slot.flight.is_over() {
            return self.tell(waiting, visit, effects);
        }
        let own = waiting.seat.began;
        if own != 0 && slot.flight.has_failed(own) {
            return self.tell_own_failure(waiting, visit, effects);
        }
        let mut old = None;
        effects.is_unwoken = slot.flight.wait(&mut waiting.seat.registration, visit.waker, visit.is_first, &mut old);
        effects.keep_waker(old);
        // (Where the call drives its own load as a whole, it hears of that by itself.)
        let led = if visit.batch.is_some() { own } else { 0 };
        self.listen_to_batches(place, led, visit.waker, effects);
        if visit.arrives_only {
            return Step::Again;
        }
        if let Some(step) = self.check_out(place, own, visit, effects) {
            return step;
        }
        if self.flights.at(place).flight.live() == 0 {
            return self.lead(waiting, visit, effects);
        }
        let next = self.next_deadline(waiting, visit);
        if next.reached(visit.reached) {
            // An answer that is there beats every deadline: each load is polled before one counts, woken or not.
            self.flights.at(place).flight.all_due(visit.after);
            if let Some(step) = self.check_out(place, own, visit, effects) {
                return step;
            }
            if !visit.is_present {
                return Step::ReadClock;
            }
            if let Some(step) = self.on_deadline(waiting, visit, effects) {
                return step;
            }
        }
        effects.until = self.next_deadline(waiting, visit);
        Step::Wait
    }

    /// Hands the caller a load to drive, if there is one.
    pub(super) fn check_out(
        &mut self,
        place: u32,
        own: u32,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Step> {
        let slot = self.flights.at(place);
        let waker = slot.flight.waits.waker();
        let by = PolledBy::here(waker.as_ref().unwrap_or(visit.waker));
        // (A batch of its call's own is driven by the call, as a whole.)
        let led = if visit.batch.is_some() { own } else { 0 };
        let work = slot.flight.check_out(own, led, visit.is_first, visit.after, visit.rules.has_loader, by);
        let Some(work) = work else {
            effects.keep_waker(waker);
            return None;
        };
        effects.waker = waker;
        Some(match work {
            Work::Make(number) => {
                effects.number = number;
                self.flights.counts.begun += 1;
                Step::MakeShared
            }
            Work::Poll(number) => {
                effects.number = number;
                effects.load = self.flights.take_load(place, number);
                Step::Poll
            }
            Work::Lent(number) => {
                effects.number = number;
                // Its caller alone polls it.
                let waker = effects.waker.take();
                effects.keep_waker(waker);
                self.flights.at(place).flight.polled_with(number, PolledBy::here(visit.waker));
                Step::Lent
            }
            Work::Batch(number) => {
                effects.number = number;
                let parts = &self.flights.at(place).parts;
                effects.batch = parts.iter().find(|part| part.number == number).map(|part| part.batch.clone());
                Step::Batch
            }
        })
    }

    /// A load that was polled, and is not ready; none if it was lent.
    #[inline(never)]
    pub(crate) fn check_in(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        load: Option<C::Load>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        let number = effects.number;
        slot.flight.set_begun(waiting.seat.began, waiting.started);
        let checked = slot.flight.check_in(number);
        if checked.wakes_all {
            // It was woken while it was polled. Some of those whom that woke have looked since, in vain, and this caller need
            // not have been among them; nor need it be there for the next poll.
            effects.wake(slot.flight.waits.all());
        }
        match load {
            Some(load) if checked.is_wanted => slot.loads.push((number, load)),
            Some(load) => effects.rest().loads.push(load),
            None => {}
        }
        if waiting.is_visitor {
            if checked.again && !checked.wakes_all {
                effects.wake(slot.flight.waits.all());
            }
            return Step::Told;
        }
        let after = if checked.again { number - 1 } else { number };
        self.visit(waiting, &Visit { is_first: false, after, ..*visit }, effects)
    }

    /// A load that was made and not polled yet; none if it could not be made.
    pub(crate) fn put_to_rest(
        &mut self,
        seat: &Seat<C::Notify>,
        number: u32,
        load: Option<C::Load>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        let slot = self.flights.slot(seat);
        match load {
            Some(load) if slot.flight.check_in(number).is_wanted => {
                slot.flight.all_due(0);
                slot.loads.push((number, load));
            }
            load => effects.rest().loads.extend(load),
        }
    }

    /// The load went with the caller that brought it; who is polled first leads from now on.
    fn lead(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        if !visit.is_present {
            return Step::ReadClock;
        }
        let Some(start) = visit.start else {
            self.refuse(waiting, LoadError::NoLoader, effects);
            return Step::Told;
        };
        self.begin(waiting, start, visit, effects)
    }

    /// The caller begins a further attempt.
    pub(super) fn begin(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        start: Start,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let place = self.flights.place(&waiting.seat);
        let slot = self.flights.at(place);
        let waker = if start == Start::Made { slot.flight.waits.waker() } else { None };
        let batch = visit.batch.filter(|_| start == Start::Batch).map(|batch| batch(waiting.is_alone));
        let by = match &batch {
            Some(batch) => batch.polled_by(),
            None => PolledBy::here(waker.as_ref().unwrap_or(visit.waker)),
        };
        let before = waiting.seat.began;
        effects.keep_error(slot.take_failure(before));
        let is_lent = slot.flight.release(before);
        let was_anothers = slot.flight.begin(&mut waiting.seat.began, visit.reached, visit.call.terms, start, by);
        if was_anothers {
            effects.wake(slot.flight.waits.all());
        }
        (effects.number, effects.waker) = (waiting.seat.began, waker);
        let counts = &mut self.flights.counts;
        (counts.begun, counts.dropped) = (counts.begun + 1, counts.dropped + u64::from(is_lent));
        match start {
            Start::Lent => Step::Lent,
            Start::Batch => {
                let (slot, mut old) = (self.flights.at(place), None);
                slot.flight.wait(&mut waiting.seat.registration, visit.waker, false, &mut old);
                effects.keep_waker(old);
                let number = waiting.seat.began;
                let part = batch.map(|batch| Part { number, batch, registration: Registration::default() });
                part.into_iter().for_each(|part| slot.parts.push(part));
                // The others need not look before the load is woken.
                self.listen_to_batches(place, number, visit.waker, effects);
                Step::Gathered
            }
            _ => Step::Make,
        }
    }

    /// A deadline of this caller's, or of a load, has passed: the budget first, then its patience, then the lock age.
    fn on_deadline(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Option<Step> {
        let at = At { now: visit.reached, rules: visit.rules };
        if self.end_overdue(waiting, at, effects) {
            return Some(Step::Again);
        }
        if let Some((_, then)) = waiting.patience(visit.call).filter(|(end, _)| end.reached(visit.reached)) {
            return Some(self.run_out_of_patience(waiting, then, visit, effects));
        }
        let place = self.flights.place(&waiting.seat);
        if self.may_take_over(waiting, visit) && self.is_over_age(place, visit.reached, visit.rules) {
            self.flights.counts.takeovers += 1;
            let start = visit.start?;
            return Some(self.begin(waiting, start, visit, effects));
        }
        None
    }

    /// What a caller does whose lock timeout has passed.
    fn run_out_of_patience(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        then: OnTimeout,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        waiting.is_patient = false;
        self.counts.timeouts += 1;
        match then {
            OnTimeout::Load => {
                let live = self.flights.slot(&waiting.seat).flight.live();
                if let Some(start) = visit.start.filter(|_| live < visit.rules.attempts) {
                    return self.begin(waiting, start, visit, effects);
                }
            }
            OnTimeout::LoadAlone => {
                if visit.start.is_some() {
                    self.rise(waiting, effects);
                    return self.load_alone(waiting, visit, effects);
                }
            }
            OnTimeout::Stale | OnTimeout::Fail => {
                let place = self.value_of(waiting, visit.key);
                let limit = visit.call.stale_while_refresh.filter(|_| then == OnTimeout::Stale);
                let is_stale = then == OnTimeout::Stale || visit.call.is_ahead();
                if let Some(mut outcome) = self.instead(place, visit.reached, is_stale, limit, None) {
                    waiting.tell_wait(&mut outcome, visit.reached);
                    self.rise(waiting, effects);
                    effects.told = Some(Ok(outcome));
                    return Step::Told;
                }
            }
        }
        self.refuse(waiting, LoadError::LockTimeout, effects);
        Step::Told
    }

    /// The caller leaves with an error.
    pub(super) fn refuse(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        error: LoadError<E>,
        effects: &mut Effects<K, V, E, C>,
    ) {
        self.counts.errors += u64::from(waiting.is_counted);
        if waiting.seat.is_taken() {
            self.rise(waiting, effects);
        }
        effects.told = Some(Err(error));
    }

    /// Where the value of the caller's key is.
    pub(super) fn value_of(&mut self, waiting: &Waiting<C::Notify>, key: Option<&dyn AsKey<K>>) -> Option<u32> {
        let key = key?;
        self.values.find(waiting.hash, |k| key.is(k))
    }

    fn may_take_over(&mut self, waiting: &Waiting<C::Notify>, visit: &Visit<'_, K, C::Batch>) -> bool {
        let Rules { lock_age, over_age_alone, attempts, .. } = *visit.rules;
        let flight = &self.flights.slot(&waiting.seat).flight;
        lock_age.is_some()
            && visit.start.is_some()
            && !over_age_alone
            && !waiting.is_alone
            && flight.live() < attempts
            && flight.newest() != waiting.seat.began
    }

    fn next_deadline(&mut self, waiting: &Waiting<C::Notify>, visit: &Visit<'_, K, C::Batch>) -> Instant {
        let Rules { lock_age, budget, .. } = *visit.rules;
        let patience = waiting.patience(visit.call).map(|(deadline, _)| deadline);
        if lock_age.is_none() && budget.is_none() {
            return patience.unwrap_or(Instant::NEVER);
        }
        let may_take_over = self.may_take_over(waiting, visit);
        let flight = &self.flights.slot(&waiting.seat).flight;
        let overdue = budget.zip(flight.oldest_begun()).map(|(budget, begun)| begun.saturating_add(budget));
        let age = lock_age.filter(|_| may_take_over).map(|age| flight.newest_begun().saturating_add(age));
        [patience, overdue, age].into_iter().flatten().min().unwrap_or(Instant::NEVER)
    }

    /// The caller's own attempt failed, and another is in flight.
    fn tell_own_failure(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        if visit.call.softens() && !visit.is_present {
            return Step::ReadClock;
        }
        let own = waiting.seat.began;
        let slot = self.flights.slot(&waiting.seat);
        let failure = slot.take_failure(own);
        slot.flight.forget(own);
        match failure {
            Some(failure) => self.leave_with_failure(waiting, failure, visit, effects),
            None => Step::Again,
        }
    }

    /// The outcome is there: the caller takes it and leaves.
    fn tell(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let slot = self.flights.slot(&waiting.seat);
        let is_last = slot.flight.seats() == 1;
        let answer = match &slot.verdict {
            Some(Ok(answer)) if !is_last => answer.clone(),
            Some(Ok(_)) => match slot.verdict.take() {
                Some(Ok(answer)) => answer,
                _ => return Step::Wait,
            },
            Some(Err(failure)) => {
                if visit.call.softens() && !visit.is_present {
                    return Step::ReadClock;
                }
                let failure = failure.clone();
                return self.leave_with_failure(waiting, failure, visit, effects);
            }
            None => return Step::Wait,
        };
        let outcome = self.outcome_of(waiting, answer);
        self.rise(waiting, effects);
        effects.told = Some(Ok(outcome));
        Step::Told
    }

    /// The caller leaves with a failure, or with a value that softens it.
    pub(super) fn leave_with_failure(
        &mut self,
        waiting: &mut Waiting<C::Notify>,
        failure: Failure<E>,
        visit: &Visit<'_, K, C::Batch>,
        effects: &mut Effects<K, V, E, C>,
    ) -> Step {
        let told = self.soften(waiting, failure, visit);
        self.rise(waiting, effects);
        effects.told = Some(told);
        Step::Told
    }
}
