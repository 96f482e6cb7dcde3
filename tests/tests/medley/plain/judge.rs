//! Judges the answers that callers got.

use larder::{Cause, Failure, LoadError, OnTimeout, Outcome, Status};
use larder_tests::*;

use super::{
    Held, Key, Ns, Plain, Seq, Takes, Why,
    askers::{Seat, Served},
    ns,
    store::ns_of,
};

/// The answer that a caller got for a key, and whether it came with a ticket.
pub(crate) type Told<'a> = Result<(&'a Outcome<V, Boom>, bool), &'a LoadError<Boom>>;

impl Plain {
    /// Judges the answers of a caller; `told` has one for each of the keys, in order.
    pub(crate) fn judge(&mut self, by: usize, told: &[(Key, Told<'_>)], now: Ns) {
        self.poll_ends(by);
        let is_one = told.iter().all(|(key, _)| *key == told[0].0);
        for (key, told) in told {
            let seat = self.seat(by, *key).expect("it has asked for this");
            let context = || format!("{by} at {now}, key {key}: {} {seat:?}", said(told));
            let is_first = self.askers[by].polls.len() == 1;
            let served = seat.served.iter().any(|served| (is_first || !is_one) && self.is_as(*key, served, told, by));
            if !served {
                assert!(seat.waits, "{}", context());
                if let Err(why) = self.is_right(by, *key, &seat, told, is_one, now) {
                    panic!("{why}: {} {}", context(), self.story(*key));
                }
            }
        }
        match told {
            [(key, Ok((_, true)))] => self.hold_ticket(by, *key, now),
            _ => self.leaves_off(by),
        }
    }

    /// Whether the answer is this one, which is given at once.
    fn is_as(&self, key: Key, served: &Served, told: &Told<'_>, by: usize) -> bool {
        let at = self.askers[by].came;
        match (served, told) {
            (Served::Value { held, failed, ticket }, Ok((outcome, has_ticket))) => {
                let is_fresh = held.is_fresh(at);
                // A hit has no error with it, nor does an answer that came expired. (D74)
                let failed = failed.filter(|failed| !is_fresh && failed.why != Why::AlreadyExpired);
                let why = outcome.error().map(|failure| (why(failure), failure.retry_at().map(|at| at.as_nanos())));
                // It is unknown when a load is over its budget. (D93)
                let is_budget = self.rules.budget.is_some() && why.is_some_and(|why| why.0 == Why::Budget);
                let is_error = why == failed.map(|failed| (failed.why, Some(failed.retry_at)))
                    || (!self.knows_failures(key) && why.map(|why| why.0) == failed.map(|failed| failed.why))
                    || is_budget;
                self.is_held(held, outcome, at)
                    && is_error
                    && ticket
                        .filter(|_| !is_budget)
                        .is_none_or(|ticket| ticket == *has_ticket || self.askers[by].call.spawns)
                    && !outcome.led()
                    && outcome.waited().is_zero()
            }
            (Served::Refused(failed), Err(LoadError::Failed(failure))) => {
                let is_it = failure.is_cached() && why(failure) == failed.why;
                let at = failure.retry_at().map_or(0, |at| at.as_nanos());
                is_it && (at == failed.retry_at || !self.knows_failures(key))
            }
            _ => false,
        }
    }

    /// Whether an outcome shows this value as it is at `now`.
    fn is_held(&self, held: &Held, outcome: &Outcome<V, Boom>, now: Ns) -> bool {
        let (id, status, times, generation) = self.told_of(held, now);
        (id, status, times) == (**outcome.value(), outcome.status(), ns_of(outcome))
            && (generation.is_none() || generation == outcome.generation())
    }

    /// The values that were there at some time in these polls, with that time.
    ///
    /// Also whether there was one at all times.
    fn versions(&self, by: usize, key: Key, all: bool) -> (Vec<(Held, Ns)>, bool) {
        let polls = &self.askers[by].polls;
        let polls = if all { &polls[..] } else { &polls[polls.len() - 1..] };
        let past = &self.spots[&key].past;
        let (mut versions, mut always) = (Vec::new(), !past.is_empty());
        for (from, to, now) in polls {
            let first = past.partition_point(|(seq, _)| seq <= from).saturating_sub(1);
            let in_it = past[first..].iter().take_while(|(seq, _)| seq <= to);
            let in_it: Vec<_> = in_it.map(|(_, held)| *held).collect();
            always &= in_it.iter().all(Option::is_some);
            versions.extend(in_it.into_iter().flatten().map(|held| (held, *now)));
        }
        (versions, always)
    }

    /// Whether this answer may end a wait.
    fn is_right(
        &self,
        by: usize,
        key: Key,
        seat: &Seat,
        told: &Told<'_>,
        is_one: bool,
        now: Ns,
    ) -> Result<(), &'static str> {
        let (call, asker) = (self.call(by), &self.askers[by]);
        // One of several waits may have ended before, by a clock that has jumped back since.
        let latest = asker.polls.iter().map(|poll| poll.2).max().filter(|_| !is_one).unwrap_or(now);
        let timed_out = |now| self.timed_out(by, latest.max(now));
        let (versions, always) = self.versions(by, key, !is_one);
        let check = |is: bool, why: &'static str| if is { Ok(()) } else { Err(why) };
        let softens = call.stale_if_error.is_some() && !call.reload;
        match told {
            Ok((outcome, has_ticket)) => {
                check(!has_ticket || call.takes == Takes::Ticket, "a ticket that was not asked for")?;
                match outcome.status() {
                    Status::Miss | Status::Expired | Status::LockHit => self.is_delivered(by, key, seat, outcome),
                    Status::Hit => {
                        let is_ahead = call.takes == Takes::Others && !call.reload;
                        let instead = match outcome.error() {
                            Some(failure) => {
                                check(softens && self.has_failed(key, seat, failure, by), "no such failure")
                            }
                            None => check(
                                call.is_inside
                                    || timed_out(now) == Some(OnTimeout::Stale)
                                    || (is_ahead && timed_out(now) == Some(OnTimeout::Fail)),
                                "a hit after a wait",
                            ),
                        };
                        instead?;
                        check(versions.iter().any(|(held, now)| self.is_held(held, outcome, *now)), "not what is held")
                    }
                    Status::Stale(age) => {
                        let is_there = |(held, now): &(Held, Ns)| self.is_held(held, outcome, *now);
                        check(versions.iter().any(is_there), "not what is held")?;
                        let limit = match outcome.error() {
                            Some(failure) => {
                                check(softens && self.has_failed(key, seat, failure, by), "no such failure")?;
                                call.stale_if_error
                            }
                            None => {
                                check(
                                    call.is_inside || timed_out(now) == Some(OnTimeout::Stale),
                                    "stale after a wait",
                                )?;
                                call.stale
                            }
                        };
                        check(limit.is_some_and(|limit| ns(age) <= limit), "too stale")
                    }
                }
            }
            Err(LoadError::Failed(failure)) => {
                check(self.has_failed(key, seat, failure, by), "no such failure")?;
                let softer = |(held, now): &(Held, Ns)| {
                    held.is_fresh(*now) || held.stale_within(*now, call.stale_if_error).is_some()
                };
                check(!(is_one && softens && always && versions.iter().all(softer)), "there was a value in its place")
            }
            Err(LoadError::LockTimeout) => match timed_out(now) {
                Some(OnTimeout::Load) => {
                    check(!is_one || seat.most >= self.rules.attempts, "there was room for a load")
                }
                Some(OnTimeout::Stale) => {
                    let usable =
                        |(held, now): &(Held, Ns)| held.is_fresh(*now) || held.stale_within(*now, call.stale).is_some();
                    check(!(is_one && always && versions.iter().all(usable)), "there was a value in its place")
                }
                Some(OnTimeout::Fail) => Ok(()),
                _ => Err("no timeout has passed"),
            },
            Err(LoadError::Reentrant) => check(call.is_inside, "not from inside a load"),
            Err(_) => Err("there is a loader"),
        }
        .map_err(|why| if asker.is_done { "told twice" } else { why })
    }

    fn is_delivered(&self, by: usize, key: Key, seat: &Seat, outcome: &Outcome<V, Boom>) -> Result<(), &'static str> {
        let status = outcome.status();
        let came = self.askers[by].came;
        let (age, left) = ns_of(outcome);
        let (id, spot) = (**outcome.value(), &self.spots[&key]);
        let mut why = "no caller has loaded this while it waited";
        // A call for several keys may have claimed an attempt that was overtaken before it was begun. (D19)
        let is_late = self.rules.lock_age.is_some() || self.askers[by].call.patience.is_some();
        let may_have_begun = seat.may_have_begun || (is_late && self.asks_for_many(by));
        for delivery in spot.deliveries.iter().filter(|delivery| delivery.id == id && delivery.seq > seat.came) {
            let is_own = delivery.owner == Some(by);
            let problems = [
                (delivery.round < seat.first, "P8: a write has voided this"),
                (delivery.is_alone && !is_own, "D25: another caller loaded that for itself"),
                (delivery.age != age, "D4, D7: not its age"),
                (
                    outcome.waited() != Duration::from_nanos(delivery.at.saturating_sub(came)),
                    "D7: not how long it waited",
                ),
                (outcome.led() == (status == Status::LockHit), "D7: status and led disagree"),
                (outcome.led() && !seat.has_begun && !may_have_begun, "D7: it has begun nothing"),
                (
                    !outcome.led() && is_own && seat.first == seat.round && delivery.round == seat.round,
                    "D7: it was its own load",
                ),
                (
                    status == Status::Expired && seat.found_expired == Some(false),
                    "D7: there was nothing that had expired",
                ),
                (
                    status == Status::Miss && seat.found_expired == Some(true),
                    "D7: there was something that had expired",
                ),
                (
                    !(delivery.left.0..=delivery.left.1).contains(&left) && (self.rules.has_room || left != 0),
                    "D7: not the time left",
                ),
            ];
            match problems.iter().find(|problem| problem.0) {
                None => return Ok(()),
                Some(problem) => why = problem.1,
            }
        }
        Err(why)
    }

    fn has_failed(&self, key: Key, seat: &Seat, failure: &Failure<Boom>, by: usize) -> bool {
        let why = why(failure);
        if why == Why::Budget {
            // It is unknown when a load is over its budget, so only the budget itself is checked.
            return self.rules.budget.is_some();
        }
        let spot = &self.spots[&key];
        let is_kept = || {
            // Kept failures are told at once, unless it is unknown which are kept.
            let first: Option<&(Seq, Seq, Ns)> = self.askers[by].polls.first();
            let may_be = !self.knows_failures(key) && first.is_some();
            may_be && spot.failings.iter().any(|failing| failing.why == why)
        };
        if failure.is_cached() {
            return is_kept();
        }
        spot.failings.iter().any(|failing| failing.why == why && failing.seq > seat.came && failing.round >= seat.first)
    }
}

fn why(failure: &Failure<Boom>) -> Why {
    match failure.cause() {
        Cause::Error(boom) => Why::Boom(boom.0),
        Cause::Panicked => Why::Panicked,
        Cause::BudgetExceeded => Why::Budget,
        Cause::Missing => Why::Missing,
        Cause::NothingToKeep => Why::NothingToKeep,
        _ => Why::AlreadyExpired,
    }
}

fn said(told: &Told<'_>) -> String {
    match told {
        Ok((outcome, ticket)) => format!("{outcome:?}, {ticket}"),
        Err(error) => format!("{error:?}"),
    }
}
