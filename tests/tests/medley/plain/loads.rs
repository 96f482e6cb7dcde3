//! Loads end and are dropped.

use larder::{Generation, Ttl};

use super::{Attempt, Delivery, Failing, Id, Key, Ns, Plain, Why, store::New};

/// What begins a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The cache's loader, which any caller may call once its key is claimed.
    Loader,
    /// The load of the call itself.
    Call,
}

/// The answer of a load for a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    New {
        id: Id,
        ttl: Ttl,
        weight: Option<u64>,
    },
    /// The previous value is still good.
    Unchanged {
        id: Id,
        ttl: Ttl,
        former: (Generation, Ns),
    },
    Failed(Why),
}

impl Plain {
    /// A load has answered some of its keys, or all that were left; `says` returns its answer for each.
    pub(crate) fn answered(&mut self, load: usize, says: impl Fn(Key) -> Option<Said>, now: Ns) {
        for nth in self.loads[load].clone() {
            let Attempt { key, is_live, .. } = self.attempts[nth];
            let Some(said) = says(key) else { continue };
            self.attempts[nth].is_twin = false;
            if is_live {
                match said {
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
        let or = self.attempts[nth].or.filter(|or| *or != (call_ttl, call_weight));
        let left = match is_alone {
            Some(false) if rounds.contains(&current) => {
                let left = self.publish(key, new, now);
                let by_value = if self.rules.ends { super::end_of(id) } else { Ttl::Inherit };
                let or = or.map(|or| (self.rules.end(ttl, or.0, by_value, now), or.1));
                if let Some((Some(end), weight)) = or {
                    let other = self.make(New { weight: new.weight.or(weight), ..new }, end, now);
                    self.spot(key).maybe.push(other);
                }
                // Or it was too heavy.
                self.spot(key).may_be_gone |= matches!(or, Some((None, _))) || (or.is_some() && !self.rules.has_room);
                if or.is_some() { (0, Ns::MAX) } else { left }
            }
            None => {
                // Whether it was alone will show in whether it is stored.
                let by_value = if self.rules.ends { super::end_of(id) } else { Ttl::Inherit };
                if let Some(end) = self.rules.end(ttl, call_ttl, by_value, now) {
                    let held = self.make(new, end, now);
                    self.spot(key).maybe.push(held);
                } else {
                    self.spot(key).may_be_gone = true;
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

    /// Whether an answer is for its caller alone; none if that is unknown, or if it is over its budget, and goes on for
    /// other keys only. (D93)
    fn is_alone(&mut self, nth: usize, now: Ns) -> Option<bool> {
        self.look(now);
        let Attempt { load, is_alone, is_unsure, ref rounds, .. } = self.attempts[nth];
        let is_one_of_many = rounds.len() > 1 || load.is_some_and(|load| self.loads[load].len() > 1);
        is_alone.filter(|_| !(is_unsure && is_one_of_many && self.rules.budget.is_some()))
    }

    /// Marks what is over its budget: a look ends it, which cannot be seen from outside. (D93)
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
            if rounds.contains(&current) {
                let waits = self.spot(key).held.is_some() || self.rules.delays_empty;
                self.record(key, why, waits, now);
                self.spot(key).may_have_failed = true;
            }
            self.doubt(key, &rounds);
            rounds.clear();
        }
        self.spot(key).failings.push(Failing { why, seq, round });
        for round in rounds {
            // One of several attempts that fails ends the wait of its own caller only. (D9)
            let (least, most) = self.live(key, round, now);
            if most > 0 {
                // Or it was the last, if other claims were forgotten.
                if least == 0 && round == current && is_alone == Some(false) {
                    let waits = self.spot(key).held.is_some() || self.rules.delays_empty;
                    self.record(key, why, waits, now);
                    self.spot(key).may_have_failed = true;
                }
                continue;
            }
            let before = self.spot(key).failed;
            if round == current && is_alone == Some(false) {
                let waits = self.spot(key).held.is_some() || self.rules.delays_empty;
                self.record(key, why, waits, now);
            }
            self.settle(key, round);
            self.spot(key).ended_by_failure = Some((seq, round, before));
        }
    }

    /// A load has brought a value for a key that it was not asked for. (D60)
    pub(crate) fn surplus(&mut self, load: usize, key: Key, (id, ttl, weight): (Id, Ttl, Option<u64>), now: Ns) {
        let by_value = if self.rules.ends { super::end_of(id) } else { Ttl::Inherit };
        let writes = self.writes[load].get(&key).copied().unwrap_or_default();
        let spot = self.spot(key);
        let is_written = spot.writes != writes;
        let is_fresh = spot.held.is_some_and(|held| held.is_fresh(now));
        let round = spot.round;
        let is_awaited = self.live(key, round, now).0 > 0 && !self.ends_with(load, key, round);
        if !self.rules.surplus || is_written || (is_fresh && self.rules.has_room) || is_awaited {
            return;
        }
        // There may have been a write to another key nearby, so it is unknown whether it is stored.
        self.spot(key).may_change = true;
        self.unseen.push(key);
        if let Some(end) = self.rules.end(ttl, Ttl::Inherit, by_value, now) {
            let new = New { id, ttl, call_ttl: Ttl::Inherit, weight, former: None };
            let held = self.make(new, end, now);
            self.spot(key).maybe.push(held);
        }
    }

    /// Whether all loads of this key may end with another load, because they are awaited for one of its keys alone.
    fn ends_with(&self, load: usize, key: Key, round: u64) -> bool {
        let keys: Vec<_> = self.loads[load].iter().map(|nth| self.attempts[*nth].key).collect();
        let has_one = |load: usize| self.loads[load].iter().any(|nth| keys.contains(&self.attempts[*nth].key));
        let attempts = self.spots.get(&key).into_iter().flat_map(|spot| &spot.attempts).map(|nth| &self.attempts[*nth]);
        let mut live = attempts.filter(|attempt| attempt.is_live && attempt.rounds.contains(&round));
        live.all(|attempt| attempt.load.is_some_and(has_one))
    }

    /// A load is dropped: no caller waits for it, or something else has answered.
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
