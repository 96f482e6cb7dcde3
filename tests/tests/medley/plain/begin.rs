//! Loads begin: which caller's attempt that is.

use larder::{OnTimeout, Previous, Ttl};
use larder_tests::V;

use super::{Attempt, Call, Key, Kind, Ns, Plain, Takes, askers::Served};

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
        by.into_iter().for_each(|by| self.goes_on(by, key));
        let current = self.spot(key).round;
        let seat = by.and_then(|by| self.seat(by, key));
        let own = seat.as_ref().map_or(current, |seat| seat.round);
        let (least, most) = self.live(key, current, now);
        let is_over_age = self.is_over_age(key, current, now);
        let is_first = by.is_some_and(|by| self.is_first_poll(by));
        let has_begun = seat.as_ref().is_some_and(|seat| seat.has_begun);
        // A new caller that takes over begins its own attempt first; others begin one that is already claimed.
        // Alone, there is no bound. (D25)
        let most_before = seat.as_ref().map_or(0, |seat| seat.most).max(most);
        let has_room = self.rules.over_age_alone || most_before < self.rules.attempts;
        let takes_over = is_first && !has_begun && is_over_age && most > 0 && has_room;
        let waits = seat.as_ref().is_some_and(|seat| seat.waits);
        // A caller whose patience has ended leaves its epoch for a load of its own, even if it was the last one there.
        let is_left = by.is_some_and(|by| self.timed_out(by, now) == Some(OnTimeout::LoadAlone))
            && seat.as_ref().is_some_and(|seat| !seat.has_begun && seat.beside.0 > 0);
        // A caller that finds nothing to wait for in its own epoch has gone over to the newer one before all else.
        let joins_newer = seat.is_some() && !is_left && by.is_some_and(|by| self.goes_over(by, key, own, now));
        let claimed = self.spots[&key].attempts.iter().copied().find(|nth| {
            let attempt = &self.attempts[*nth];
            by.is_some() && attempt.owner == by && attempt.is_live && attempt.load.is_none()
        });
        // A ticket that goes to a spawner asks all loads in turn, those of others first.
        let is_spawned = by.is_some_and(|by| self.call(by).spawns) && seat.as_ref().is_some_and(|seat| seat.has_ticket);
        if let Some(nth) = claimed.filter(|_| is_first && !is_spawned) {
            self.has_begun(by.expect("it has claimed this"), key);
            self.attempts[nth].load = Some(load);
            return nth;
        }
        let is_told = self.spot(key).settled.get(&own).is_some_and(|settled| !settled.1);
        let is_told = is_told && seat.as_ref().is_some_and(|seat| seat.stayed.is_none());
        if is_told && waits && by.is_some_and(|by| self.asks_for_many(by)) {
            // It had claimed several attempts, and the answer of another one has come before. (D19)
            let nth =
                self.claim_for(None, Call { ttl: Ttl::Inherit, ..self.call(by.expect("it waits")) }, key, own, now);
            self.has_begun(by.expect("it waits"), key);
            if self.knows_failures(key) {
                self.attempts[nth].is_live = false;
            } else {
                // Or the other one has failed, and this one counts: it is unknown what there was when it was claimed.
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
                // Or that attempt was forgotten, and this is a new one of the caller's own.
                let is_unsure = core::mem::take(&mut self.attempts[nth].is_unsure);
                by.into_iter().for_each(|by| self.may_have_begun(by, key, is_unsure));
                if let Some(by) = by.filter(|by| is_unsure && Some(*by) != self.attempts[nth].owner) {
                    let call = Some(self.call(by)).filter(|_| !self.is_ticket(by));
                    self.attempts[nth].or = Some(call.map_or((Ttl::Inherit, None), |call| (call.ttl, call.weight)));
                }
                by.filter(|_| by == self.attempts[nth].owner).into_iter().for_each(|by| self.has_begun(by, key));
                return nth;
            }
        }
        let is_offered = by.is_some_and(|by| self.call(by).takes == Takes::Ticket);
        assert!(waits || is_offered || !is_first, "{by:?} loads key {key} at {now}, and was told what there is");
        let call = by.map(|by| self.call(by));
        // The load of a ticket has no time limit.
        let is_ticket = |served: &Served| matches!(served, Served::Value { ticket: None | Some(true), .. });
        let is_ticket = is_first && seat.as_ref().is_some_and(|seat| seat.served.iter().any(is_ticket));
        let timed_out = by.and_then(|by| self.timed_out(by, now)).filter(|_| !has_begun && !is_ticket);
        // A caller that loads for itself has left its flight, and what it alone waited for is gone.
        // Or it went over to the newer epoch before its own was told.
        let has_moved = self.spots[&key].settled.get(&own).is_some_and(|settled| settled.1);
        let in_own = seat.as_ref().map_or((0, 0), |seat| seat.beside);
        let is_alone = match timed_out {
            _ if takes_over && !self.rules.over_age_alone => Some(false),
            Some(OnTimeout::LoadAlone) if in_own.0 > 0 || joins_newer || (has_moved && least > 0) => Some(true),
            Some(OnTimeout::LoadAlone) if in_own.1 > 0 || (has_moved && most > 0) => None,
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
            // A caller that takes the place of a load that left begins one for the newer epoch as well. (D11)
            let is_heir = own != current && in_own.1 == 0;
            let is_late = is_over_age && !is_own && (!self.rules.over_age_alone || is_heir);
            let is_impatient = timed_out == Some(OnTimeout::Load);
            assert!(
                is_late || is_impatient,
                "P1: {by:?} loads key {key} at {now} beside {least}: {newest:?} {}",
                self.story(key)
            );
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
        // What a ticket begins follows the rules of the cache.
        let call = call.filter(|_| !by.is_some_and(|by| self.is_ticket(by)));
        let (ttl, weight) = call.map_or((Ttl::Inherit, None), |call| (call.ttl, call.weight));
        let loose = self.spot(key).loose.clone();
        let nth = self.claim(Attempt {
            key,
            rounds,
            at: now,
            ttl,
            weight,
            or: None,
            owner: by,
            load: Some(load),
            is_alone,
            is_live: true,
            is_unsure: false,
            is_polled: false,
            is_twin: false,
            may_serve_another: false,
        });
        // A task that keeps a slot fresh may be from before a write, and so may a caller of unknown epoch.
        let is_kept_fresh = by.is_none() && self.rules.is_kept_fresh;
        self.attempts[nth].is_twin |= is_kept_fresh;
        self.attempts[nth].may_serve_another = seat.as_ref().is_some_and(|seat| seat.stayed.is_some());
        self.attempts[nth].is_unsure |= self.attempts[nth].may_serve_another;
        // It may be what a call that unwound has claimed, which then has no owner. (D11)
        for round in loose.into_iter().filter(|_| kind == Kind::Loader && !is_first) {
            self.spot(key).newest.entry(round).and_modify(|newest| newest.1 = None);
            self.spot(key).loose.remove(&round);
        }
        nth
    }

    /// Adds an attempt whose load a caller may begin.
    pub(super) fn claim(&mut self, attempt: Attempt) -> usize {
        let (nth, at, owner, key) = (self.attempts.len(), attempt.at, attempt.owner, attempt.key);
        let attempt = Attempt { is_twin: attempt.rounds.len() > 1, ..attempt };
        let spot = self.spot(key);
        // If it is unknown whether the flight has it, it is not known to be the newest.
        for round in attempt.rounds.iter().filter(|_| attempt.is_alone.is_some()) {
            spot.newest.insert(*round, (at, owner));
        }
        spot.attempts.push(nth);
        self.attempts.push(attempt);
        nth
    }

    /// Asserts that a load gets what was there when it began, stale or not. (D75)
    pub(crate) fn was_handed(&self, key: Key, old: &Previous<V>) {
        let handed = (**old.value(), old.published().as_nanos(), old.deadline().as_nanos());
        let held = self.spots.get(&key).and_then(|spot| spot.held);
        let held = held.unwrap_or_else(|| panic!("key {key}: a load was handed {handed:?}, and nothing is held"));
        assert_eq!(handed, (held.id, held.published, held.deadline), "key {key}: what a load was handed");
        assert!(held.generation.is_none_or(|known| known == old.generation()), "key {key}: the generation handed over");
    }

    /// A call for several keys may have claimed one of them before the failure that seemed to end its wait: then that
    /// was not the last attempt. (D9, D19)
    fn goes_on(&mut self, by: usize, key: Key) {
        let (asker, Some(spot)) = (&self.askers[by], self.spots.get_mut(&key)) else { return };
        let (Some(seat), Some((seq, round, before))) = (asker.seats.get(&key), spot.ended_by_failure) else { return };
        let is_in_this_poll = asker.began().is_some_and(|began| began < seq);
        if asker.keys.len() > 1 && seat.waits && seat.round == round && is_in_this_poll && spot.round == round + 1 {
            (spot.round, spot.failed, spot.ended_by_failure) = (round, before, None);
            spot.settled.remove(&round);
        }
    }
}
