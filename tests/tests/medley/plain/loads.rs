//! Loads begin, end and are dropped; flights end.

use larder::{Generation, OnTimeout, Previous, Ttl};
use larder_tests::V;

use super::{Attempt, Call, Delivery, Failing, Id, Key, Ns, Plain, Takes, Why, askers::Served, store::New};

/// What begins a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The cache's loader, which anybody may call whose key somebody has claimed.
    Loader,
    /// The call's own.
    Call,
}

/// What a load says of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    New {
        id: Id,
        ttl: Ttl,
        weight: Option<u64>,
    },
    /// The value that was handed over is still good.
    Unchanged {
        id: Id,
        ttl: Ttl,
        former: (Generation, Ns),
    },
    Failed(Why),
}

impl Plain {
    /// A load of these keys begins, while `by` is polled.
    pub(crate) fn begin(&mut self, by: Option<usize>, keys: &[Key], kind: Kind, now: Ns) -> usize {
        self.tick();
        let load = self.loads.len();
        let attempts = keys.iter().map(|key| self.attempt(by, *key, kind, load, now)).collect();
        self.loads.push(attempts);
        self.writes.push(self.spots.iter().map(|(key, spot)| (*key, spot.writes)).collect());
        load
    }

    fn attempt(&mut self, by: Option<usize>, key: Key, kind: Kind, load: usize, now: Ns) -> usize {
        let current = self.spot(key).round;
        let seat = by.and_then(|by| self.seat(by, key));
        let own = seat.as_ref().map_or(current, |seat| seat.round);
        let (least, most) = self.live(key, current, now);
        let is_over_age = self.is_over_age(key, current, now);
        let is_first = by.is_some_and(|by| self.is_first_poll(by));
        let has_begun = seat.as_ref().is_some_and(|seat| seat.has_begun);
        // Who comes and takes over begins the own one first; others begin what somebody has claimed.
        // (Alone, there is no bound. D25)
        let has_room = self.rules.over_age_alone || most < self.rules.attempts;
        let takes_over = is_first && !has_begun && is_over_age && most > 0 && has_room;
        let waits = seat.as_ref().is_some_and(|seat| seat.waits);
        // Who finds nothing to wait for in its own epoch any more has gone over to the newer one before it does anything.
        let joins_newer = seat.is_some() && by.is_some_and(|by| self.goes_over(by, key, own, now));
        let claimed = self.spots[&key].attempts.iter().copied().find(|nth| {
            let attempt = &self.attempts[*nth];
            by.is_some() && attempt.owner == by && attempt.is_live && attempt.load.is_none()
        });
        if let Some(nth) = claimed.filter(|_| is_first) {
            self.has_begun(by.expect("it has claimed this"), key);
            self.attempts[nth].load = Some(load);
            return nth;
        }
        let is_told = self.spot(key).settled.get(&own).is_some_and(|settled| !settled.1);
        if is_told && waits && by.is_some_and(|by| self.asks_for_many(by)) {
            // One of several that it had claimed, and another's answer has come before. (D19)
            let nth =
                self.claim_for(None, Call { ttl: Ttl::Inherit, ..self.call(by.expect("it waits")) }, key, own, now);
            self.has_begun(by.expect("it waits"), key);
            if self.rules.knows_failures() {
                self.attempts[nth].is_live = false;
            } else {
                // Or the other's has failed, and this one counts: nobody can tell what there was when it was claimed.
                (self.attempts[nth].rounds, self.attempts[nth].is_alone) = (vec![current], None);
            }
            self.attempts[nth].load = Some(load);
            return nth;
        }
        if kind == Kind::Loader && !(takes_over && waits) {
            let spot = self.spots.get(&key);
            let claimed = |round: u64| {
                let mut of_it = spot.iter().flat_map(|spot| &spot.attempts).copied();
                of_it.find(|nth| {
                    let attempt = &self.attempts[*nth];
                    attempt.is_live && attempt.load.is_none() && attempt.rounds.contains(&round)
                })
            };
            if let Some(nth) =
                claimed(own).or_else(|| if seat.is_none() || joins_newer { claimed(current) } else { None })
            {
                self.attempts[nth].load = Some(load);
                self.attempts[nth].is_unsure = false;
                by.into_iter().for_each(|by| self.may_have_begun(by, key));
                return nth;
            }
        }
        let is_offered = by.is_some_and(|by| self.call(by).takes == Takes::Ticket);
        assert!(waits || is_offered || !is_first, "{by:?} loads key {key} at {now}, and was told what there is");
        let call = by.map(|by| self.call(by));
        // (The load of a ticket has all the time in the world.)
        let is_ticket = |served: &Served| matches!(served, Served::Value { ticket: None | Some(true), .. });
        let is_ticket = is_first && seat.as_ref().is_some_and(|seat| seat.served.iter().any(is_ticket));
        let timed_out = by.and_then(|by| self.timed_out(by, now)).filter(|_| !has_begun && !is_ticket);
        // (Who loads for itself has left its flight, and what it alone waited for is gone.)
        let in_own = seat.as_ref().map_or((0, 0), |seat| seat.beside);
        let is_alone = match timed_out {
            _ if takes_over && !self.rules.over_age_alone => Some(false),
            Some(OnTimeout::LoadAlone) if in_own.0 > 0 || joins_newer => Some(true),
            Some(OnTimeout::LoadAlone) if in_own.1 > 0 => None,
            _ if self.rules.over_age_alone && is_first && is_over_age => match (least, most) {
                (1.., _) => Some(true),
                (0, 1..) => None,
                _ => Some(false),
            },
            _ => Some(false),
        };
        if is_alone == Some(false) && least > 0 {
            let newest = self.spots[&key].newest.get(&current).copied();
            let is_own = newest.is_some_and(|newest| newest.1.is_some() && newest.1 == by && own == current);
            // (The heir of a load that left begins one for the newer epoch as well. D11)
            let is_heir = own != current && in_own.1 == 0;
            let is_late = is_over_age && !is_own && (!self.rules.over_age_alone || is_heir);
            let is_impatient = timed_out == Some(OnTimeout::Load);
            assert!(is_late || is_impatient, "P1: {by:?} loads key {key} at {now} beside {least}: {newest:?}");
            assert!(least < self.rules.attempts, "P6: {by:?} begins one more load of key {key} at {now}");
        }
        let mut rounds = Vec::new();
        if is_alone != Some(true) {
            rounds.push(current);
            if own != current && waits && !self.spots[&key].settled.contains_key(&own) {
                rounds.push(own);
            }
        }
        if let Some(by) = by {
            self.has_begun(by, key);
            if is_alone != Some(false) {
                self.loads_alone(by, key);
            }
        }
        // (What a ticket begins is by the rules of the cache.)
        let call = call.filter(|_| !by.is_some_and(|by| self.is_ticket(by)));
        let (ttl, weight) = call.map_or((Ttl::Inherit, None), |call| (call.ttl, call.weight));
        self.claim(Attempt {
            key,
            rounds,
            at: now,
            ttl,
            weight,
            owner: by,
            load: Some(load),
            is_alone,
            is_live: true,
            is_unsure: false,
            is_polled: false,
            is_twin: false,
        })
    }

    /// Somebody has a right to begin a load.
    pub(super) fn claim(&mut self, attempt: Attempt) -> usize {
        let (nth, at, owner, key) = (self.attempts.len(), attempt.at, attempt.owner, attempt.key);
        let attempt = Attempt { is_twin: attempt.rounds.len() > 1, ..attempt };
        let spot = self.spot(key);
        // (Where it cannot be told whether the flight knows of it, it is not the newest for sure.)
        for round in attempt.rounds.iter().filter(|_| attempt.is_alone.is_some()) {
            spot.newest.insert(*round, (at, owner));
        }
        spot.attempts.push(nth);
        self.attempts.push(attempt);
        nth
    }

    /// What a load is handed is what was there when it began, stale or not. (D75)
    pub(crate) fn was_handed(&self, key: Key, old: &Previous<V>) {
        let handed = (**old.value(), old.published().as_nanos(), old.deadline().as_nanos());
        let held = self.spots.get(&key).and_then(|spot| spot.held);
        let held = held.unwrap_or_else(|| panic!("key {key}: a load was handed {handed:?}, and nothing is held"));
        assert_eq!(handed, (held.id, held.published, held.deadline), "key {key}: what a load was handed");
        assert!(held.generation.is_none_or(|known| known == old.generation()), "key {key}: the generation handed over");
    }

    /// A load has ended; `says` tells what it says of each key.
    pub(crate) fn ended(&mut self, load: usize, says: impl Fn(Key) -> Said, now: Ns) {
        for nth in self.loads[load].clone() {
            let Attempt { key, is_live, .. } = self.attempts[nth];
            self.attempts[nth].is_twin = false;
            if is_live {
                match says(key) {
                    Said::Failed(why) => self.failed(nth, why, now),
                    Said::New { id, ttl, weight } => self.succeeded(nth, id, ttl, weight, None, now),
                    Said::Unchanged { id, ttl, former } => self.succeeded(nth, id, ttl, None, Some(former), now),
                }
            }
        }
    }

    fn succeeded(
        &mut self,
        nth: usize,
        id: Id,
        ttl: Ttl,
        weight: Option<u64>,
        former: Option<(Generation, Ns)>,
        now: Ns,
    ) {
        let Attempt { key, ttl: call_ttl, weight: call_weight, owner, .. } = self.attempts[nth];
        let is_alone = self.is_alone(nth, now);
        let mut rounds = core::mem::take(&mut self.attempts[nth].rounds);
        self.attempts[nth].is_live = false;
        let current = self.spot(key).round;
        let new = New { id, ttl, call_ttl, weight: weight.or(call_weight), former };
        let seq = self.tick();
        let left = match is_alone {
            Some(false) if rounds.contains(&current) => self.publish(key, new, now),
            None => {
                // Whether it was alone is seen by whether it is there.
                let by_value = if self.rules.ends { super::end_of(id) } else { Ttl::Inherit };
                if let Some(end) = self.rules.end(ttl, call_ttl, by_value, now) {
                    let held = self.make(new, end, now);
                    self.spot(key).maybe.push(held);
                }
                self.spot(key).may_change = true;
                self.unseen.push(key);
                (0, Ns::MAX)
            }
            _ => (0, 0),
        };
        let round = rounds.iter().copied().max().unwrap_or(current);
        let age = former.map_or(0, |former| now.saturating_sub(former.1));
        if is_alone.is_none() {
            self.doubt(key, &rounds);
            rounds.clear();
        }
        let is_alone = is_alone == Some(true);
        self.spot(key).deliveries.push(Delivery { id, seq, at: now, age, left, round, owner, is_alone });
        rounds.iter().for_each(|round| self.settle(key, *round));
    }

    /// Whether an answer is its caller's alone; none if that cannot be told, or if it has failed by its budget before, and goes
    /// on for other keys only. (D93)
    fn is_alone(&mut self, nth: usize, now: Ns) -> Option<bool> {
        self.look(now);
        let Attempt { load, is_alone, is_unsure, ref rounds, .. } = self.attempts[nth];
        let is_one_of_many = rounds.len() > 1 || load.is_some_and(|load| self.loads[load].len() > 1);
        is_alone.filter(|_| !(is_unsure && is_one_of_many && self.rules.budget.is_some()))
    }

    /// A look ends what is over its budget, which cannot be told from outside. (D93)
    pub(super) fn look(&mut self, now: Ns) {
        let Some(budget) = self.rules.budget else { return };
        let is_over = |attempt: &&mut Attempt| attempt.is_live && attempt.at.saturating_add(budget) <= now;
        self.attempts.iter_mut().filter(is_over).for_each(|attempt| attempt.is_unsure = true);
    }

    fn failed(&mut self, nth: usize, why: Why, now: Ns) {
        let (key, is_alone) = (self.attempts[nth].key, self.is_alone(nth, now));
        let mut rounds = core::mem::take(&mut self.attempts[nth].rounds);
        self.attempts[nth].is_live = false;
        let seq = self.tick();
        let current = self.spot(key).round;
        let round = rounds.iter().copied().max().unwrap_or(current);
        if is_alone.is_none() {
            self.doubt(key, &rounds);
            rounds.clear();
        }
        self.spot(key).failings.push(Failing { why, seq, round });
        for round in rounds {
            // One of several that fails ends the wait of nobody but its own caller. (D9)
            if self.live(key, round, now).1 > 0 {
                continue;
            }
            if round == current && is_alone == Some(false) {
                let waits = self.spot(key).held.is_some() || self.rules.delays_empty;
                self.record(key, why, waits, now);
            }
            self.settle(key, round);
        }
    }

    /// A load has told of a key that it was not asked for. (D60)
    pub(crate) fn surplus(&mut self, load: usize, key: Key, (id, ttl, weight): (Id, Ttl, Option<u64>), now: Ns) {
        let by_value = if self.rules.ends { super::end_of(id) } else { Ttl::Inherit };
        let writes = self.writes[load].get(&key).copied().unwrap_or_default();
        let spot = self.spot(key);
        let is_written = spot.writes != writes;
        let is_fresh = spot.held.is_some_and(|held| held.is_fresh(now));
        let round = spot.round;
        if !self.rules.surplus || is_written || (is_fresh && self.rules.has_room) || self.live(key, round, now).0 > 0 {
            return;
        }
        // There may have been a write to another key nearby, so nobody can tell whether it is stored.
        self.spot(key).may_change = true;
        self.unseen.push(key);
        if let Some(end) = self.rules.end(ttl, Ttl::Inherit, by_value, now) {
            let new = New { id, ttl, call_ttl: Ttl::Inherit, weight, former: None };
            let held = self.make(new, end, now);
            self.spot(key).maybe.push(held);
        }
    }

    /// A load is dropped: nobody waits for it, or something else has answered.
    pub(crate) fn dropped(&mut self, load: usize, is_polled: bool, now: Ns) {
        for nth in self.loads[load].clone() {
            let Attempt { at, is_live, .. } = self.attempts[nth];
            self.attempts[nth].is_twin = false;
            if is_live && is_polled && self.rules.budget.is_some_and(|budget| at.saturating_add(budget) <= now) {
                self.failed(nth, Why::Budget, now);
            } else {
                self.attempts[nth].is_live = false;
            }
        }
    }
}
