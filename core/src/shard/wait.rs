//! A caller waits: what he is told, what he drives, and what he does when a deadline passes.

use core::time::Duration;

use super::{At, Call, Effects, OnTimeout, Rules, Shard};
use crate::{
    Failure, Instant, LoadError, Outcome, Status, TimeLeft,
    flight::{Answer, Job, Seat, Start, Terms},
    store::policy::Policy,
};

/// One caller who waits in a flight.
pub(crate) struct Waiting {
    pub(crate) hash: u64,
    pub(crate) seat: Seat,
    terms: Terms,
    /// Whether this is a lookup, whose end is counted.
    pub(crate) counted: bool,
    /// His status, if the load is his: `Miss` or `Expired`.
    found_expired: bool,
    started: Instant,
    /// When his patience ends, unless it has ended before.
    timeout: Option<(Instant, OnTimeout)>,
    /// Up to which age a value is good enough for him then.
    stale: Option<Duration>,
    /// Whether a fresh value is good enough for him then: he refreshes it ahead of time.
    is_ahead: bool,
    /// Whether he could begin an attempt, as far as is known.
    has_means: bool,
}

/// What an outcome tells of a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) led: bool,
    pub(crate) since: Instant,
}

impl Wait {
    /// Tells of this wait in an outcome that ends it now.
    pub(crate) const fn told<V, E>(self, outcome: &mut Outcome<V, E>, now: Instant) {
        outcome.led = self.led;
        outcome.waited = now.saturating_since(self.since);
    }
}

/// What a caller is told in the end; a failure may yet be softened by a stale value.
pub(crate) type Told<V, E> = Result<Outcome<V, E>, Failure<E>>;

/// What a waiting caller does next.
pub(crate) enum Next<V, E, F> {
    /// Drive this load.
    Drive(Job<F>),
    /// Take this and leave.
    Leave(Result<Outcome<V, E>, LoadError<E>>),
    /// Leave, and load alone, having waited since then.
    Alone(Status, Instant),
    /// Ask again: something has been settled.
    Again,
    /// Ask again with the present time.
    ReadClock,
    /// Wait until woken, or until this deadline.
    Sleep(Instant),
}

/// How far a caller has come in one poll.
pub(crate) struct AtPoll {
    /// The last attempt that he has driven.
    pub(crate) after: u32,
    /// Whether loads are polled with the waker of all.
    pub(crate) shared: bool,
    /// A time that has surely come.
    pub(crate) reached: Instant,
    /// Whether that is the present time.
    pub(crate) is_present: bool,
}

impl Waiting {
    pub(crate) fn new(hash: u64, seat: Seat, call: &Call, first: Status, now: Instant) -> Self {
        let timeout = call.lock_timeout.map(|(patience, then)| (now.saturating_add(patience), then));
        Self {
            hash,
            seat,
            terms: call.terms,
            counted: true,
            found_expired: matches!(first, Status::Expired),
            started: now,
            timeout,
            stale: call.stale_while_refresh,
            is_ahead: call.is_ahead(),
            has_means: true,
        }
    }

    /// Returns his status, if the load is his.
    const fn first(&self) -> Status {
        if self.found_expired { Status::Expired } else { Status::Miss }
    }

    /// Returns what there is to tell of his wait.
    pub(crate) const fn so_far(&self) -> Wait {
        Wait { led: self.seat.began().is_some(), since: self.started }
    }

    /// Makes this a refresh that nobody waits for, instead of a lookup.
    pub(crate) fn uncounted(self) -> Self {
        Self { counted: false, timeout: None, ..self }
    }

    /// Returns the end of his patience, as far as it applies: who began a load is patient, unless he asked for a bound.
    fn patience(&self) -> Option<(Instant, OnTimeout)> {
        let bounds_all = |then: OnTimeout| matches!(then, OnTimeout::Stale | OnTimeout::Fail);
        self.timeout.filter(|(_, then)| bounds_all(*then) || self.seat.began().is_none())
    }
}

impl<K: Eq, V: Clone, E, F, W, C: Default, P: Policy> Shard<K, V, E, F, W, C, P> {
    /// Returns what a waiting caller is told, if his wait is over; he must leave then.
    pub(crate) fn told(&mut self, waiting: &Waiting) -> Option<Told<V, E>> {
        let flight = self.flights.seated(&waiting.seat);
        let last = flight.seats() == 1;
        let answer = match flight.verdict(&waiting.seat)? {
            Ok(Ok(answer)) if !last => answer.clone(),
            Ok(Ok(_)) => flight.take_answer()?,
            Ok(Err(failure)) => return Some(Err(failure.clone())),
            Err(failure) => return Some(Err(failure)),
        };
        Some(Ok(self.tell(waiting, answer)))
    }

    /// Puts an answer into the words of a caller who has waited for it, and counts his lookup.
    pub(super) fn tell(&mut self, waiting: &Waiting, answer: Answer<V>) -> Outcome<V, E> {
        let Answer { value, attempt, published, since, deadline, generation } = answer;
        let led = waiting.seat.began().is_some();
        let status = if led { waiting.first() } else { Status::LockHit };
        if waiting.counted {
            self.count(status);
        }
        Outcome {
            value,
            status,
            age: published.saturating_since(since),
            time_left: TimeLeft::until(deadline, published),
            led,
            attempt,
            waited: published.saturating_since(waiting.started),
            generation,
            error: None,
        }
    }

    /// Decides what a caller does who has not been told anything.
    ///
    /// `own` is what he is polled with, should it be his turn to drive.
    pub(crate) fn proceed(
        &mut self,
        waiting: &mut Waiting,
        at: &AtPoll,
        rules: &Rules,
        means: impl FnOnce() -> Option<Start<F>>,
        own: impl FnOnce() -> W,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Next<V, E, F> {
        let AtPoll { after, shared, reached, is_present } = *at;
        let flight = self.flights.seated(&waiting.seat);
        if flight.live() == 0 {
            // The load went with the caller who brought it; whoever comes first leads, from now on.
            if !is_present {
                return Next::ReadClock;
            }
            let Some(start) = means() else {
                // Whoever else waits may be able to lead. For a spawner's task, nothing is left that it could finish.
                self.counts.errors += u64::from(waiting.counted);
                return Next::Leave(Err(LoadError::NoLoader));
            };
            self.flights.begin(&mut waiting.seat, reached, waiting.terms, start);
            return Next::Again;
        } else if let Some(job) = self.flights.check_out(&waiting.seat, after, shared, own) {
            return Next::Drive(job);
        } else if !is_present && self.next_deadline(waiting, rules).reached(reached) {
            // The clock may have jumped back since he read it.
            return Next::ReadClock;
        } else if self.end_overdue(waiting, At { now: reached, rules }, effects) {
            return Next::Again;
        } else if let Some((_, then)) = waiting.patience().filter(|(deadline, _)| deadline.reached(reached)) {
            return self.run_out_of_patience(waiting, then, At { now: reached, rules }, means, effects);
        } else if self.may_take_over(waiting, rules) && self.is_over_age(waiting.seat.place(), reached, rules) {
            if let Some(start) = means() {
                effects.nudge |= self.flights.begin(&mut waiting.seat, reached, waiting.terms, start);
                self.flights.counts.takeovers += 1;
                return Next::Again;
            }
            waiting.has_means = false;
        }
        Next::Sleep(self.next_deadline(waiting, rules))
    }

    /// Fails the attempts that have used up their budget; tells whether there were any.
    fn end_overdue(&mut self, waiting: &Waiting, at: At<'_>, effects: &mut Effects<K, V, E, F, C>) -> bool {
        let Some(budget) = at.rules.budget else { return false };
        let is_overdue = |begun: Instant| begun.saturating_add(budget).reached(at.now);
        let any = self.flights.seated(&waiting.seat).oldest_begun().is_some_and(is_overdue);
        if any {
            self.settle_overdue(&waiting.seat, is_overdue, at, effects);
        }
        any
    }

    fn run_out_of_patience(
        &mut self,
        waiting: &mut Waiting,
        then: OnTimeout,
        At { now, rules }: At<'_>,
        means: impl FnOnce() -> Option<Start<F>>,
        effects: &mut Effects<K, V, E, F, C>,
    ) -> Next<V, E, F> {
        waiting.timeout = None;
        let refusal = match then {
            OnTimeout::Load if self.flights.seated(&waiting.seat).live() < rules.attempts => match means() {
                Some(start) => {
                    self.counts.timeouts += 1;
                    effects.nudge |= self.flights.begin(&mut waiting.seat, now, waiting.terms, start);
                    return Next::Again;
                }
                None => LoadError::NoLoader,
            },
            OnTimeout::LoadAlone => {
                self.counts.timeouts += 1;
                return Next::Alone(waiting.first(), waiting.started);
            }
            OnTimeout::Stale | OnTimeout::Fail => {
                let key = self.flights.seated(&waiting.seat).key();
                let place = key.and_then(|key| self.values.find(waiting.hash, |k| k == key));
                let limit = waiting.stale.filter(|_| then == OnTimeout::Stale);
                match self.instead(place, now, waiting.is_ahead, limit, None) {
                    Some(mut outcome) => {
                        self.counts.timeouts += 1;
                        waiting.so_far().told(&mut outcome, now);
                        return Next::Leave(Ok(outcome));
                    }
                    None => LoadError::LockTimeout,
                }
            }
            OnTimeout::Load => LoadError::LockTimeout,
        };
        self.counts.timeouts += 1;
        self.counts.errors += 1;
        Next::Leave(Err(refusal))
    }

    /// Tells whether a caller may begin an attempt once the newest is over its age; nobody takes over from himself.
    fn may_take_over(&mut self, waiting: &Waiting, rules: &Rules) -> bool {
        let flight = self.flights.seated(&waiting.seat);
        rules.lock_age.is_some()
            && waiting.has_means
            && !rules.over_age_alone
            && flight.live() < rules.attempts
            && !flight.is_newest(&waiting.seat)
    }

    /// Returns the earliest deadline at which this caller has something to decide.
    fn next_deadline(&mut self, waiting: &Waiting, rules: &Rules) -> Instant {
        let may_take_over = self.may_take_over(waiting, rules);
        let flight = self.flights.seated(&waiting.seat);
        let patience = waiting.patience().map(|(deadline, _)| deadline);
        let overdue = rules.budget.zip(flight.oldest_begun()).map(|(budget, begun)| begun.saturating_add(budget));
        let age = rules.lock_age.filter(|_| may_take_over).map(|age| flight.newest_begun().saturating_add(age));
        [patience, overdue, age].into_iter().flatten().min().unwrap_or(Instant::NEVER)
    }
}
