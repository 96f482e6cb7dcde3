//! Flights end, and loads in flight are counted.

use super::{Attempt, Key, Ns, Plain};

impl Plain {
    /// A load is polled for the first time and counts from now on. (D85)
    pub(crate) fn is_polled(&mut self, load: usize) {
        self.loads[load].iter().for_each(|nth| self.attempts[*nth].is_polled = true);
    }

    /// How many loads are in flight, at least and at most; a load of many keys counts once for each.
    pub(crate) fn running(&self, now: Ns) -> (u64, u64) {
        // A part that served two epochs, and is of no more use for either, counts until its load of many ends.
        let running = self.attempts.iter().filter(|attempt| (attempt.is_live || attempt.is_twin) && attempt.is_polled);
        // What is over its budget fails at the next look at its key.
        let is_over =
            |attempt: &Attempt| self.rules.budget.is_some_and(|budget| attempt.at.saturating_add(budget) <= now);
        // An attempt lent in two epochs counts in the older. Once that is told, its caller is about to drop it.
        let is_lent = |attempt: &Attempt| attempt.load.is_some_and(|load| self.loads[load].len() == 1);
        let may_be_left = |attempt: &Attempt| attempt.is_twin && attempt.rounds.len() < 2 && is_lent(attempt);
        let is_sure =
            |attempt: &Attempt| attempt.is_live && !attempt.is_unsure && !is_over(attempt) && !may_be_left(attempt);
        running.fold((0, 0), |(least, most), attempt| (least + u64::from(is_sure(attempt)), most + 1))
    }

    pub(crate) fn running_story(&self) -> String {
        let running = self.attempts.iter().filter(|attempt| attempt.is_live);
        running.map(|attempt| format!("\n{attempt:?}")).collect()
    }

    /// No caller waits, as is seen from outside: what may have been forgotten was forgotten.
    pub(crate) fn nothing_flies(&mut self) {
        self.attempts.iter_mut().filter(|attempt| attempt.is_unsure).for_each(|attempt| attempt.is_live = false);
    }

    /// A load has ended in these epochs, or its answer was for its own caller alone; which is unknown.
    pub(super) fn doubt(&mut self, key: Key, rounds: &[u64]) {
        self.spot(key).doubted.extend(rounds);
        for nth in self.spots.get(&key).into_iter().flat_map(|spot| &spot.attempts) {
            let attempt = &mut self.attempts[*nth];
            attempt.is_unsure |= rounds.iter().any(|round| attempt.rounds.contains(round));
        }
    }

    /// All callers that wait in this epoch are told; no load goes on for it. (D8)
    pub(super) fn settle(&mut self, key: Key, round: u64) {
        let seq = self.tick();
        let spot = self.spots.entry(key).or_default();
        spot.settled.entry(round).or_insert((seq, spot.round != round));
        if spot.round == round {
            spot.round += 1;
        }
        for nth in &spot.attempts {
            let attempt = &mut self.attempts[*nth];
            attempt.rounds.retain(|of| *of != round);
            let serves = !attempt.rounds.is_empty() || attempt.may_serve_another;
            attempt.is_live &= serves || attempt.is_alone != Some(false);
        }
    }

    /// If no caller waits in this epoch any more, what was claimed there and not begun is forgotten.
    pub(super) fn desert(&mut self, key: Key, round: u64) {
        if self.is_awaited(key, round) {
            return;
        }
        let Some(spot) = self.spots.get(&key) else { return };
        // A spawner takes over what was begun, and with it what is claimed beside it.
        let is_begun = |nth: &usize| {
            let attempt = &self.attempts[*nth];
            attempt.is_live && attempt.load.is_some() && attempt.rounds.contains(&round)
        };
        let is_kept_fresh = self.rules.is_kept_fresh;
        let finishes = is_kept_fresh || (self.rules.finishes && spot.attempts.iter().any(is_begun));
        for nth in &spot.attempts {
            let attempt = &mut self.attempts[*nth];
            if attempt.is_live && attempt.load.is_none() && attempt.rounds.contains(&round) {
                attempt.is_unsure = finishes;
                attempt.is_live = finishes;
            }
        }
    }

    /// Moves a caller of an older epoch to the newer one, if that has a load younger than the lock age, or no room.
    /// (D11)
    pub(super) fn moves_on(&mut self, by: usize, key: Key, round: u64, now: Ns) {
        if self.goes_over(by, key, round, now) {
            let current = self.spots[&key].round;
            let may_stay = self.live(key, round, now).1 > 0;
            let seat = self.askers[by].seats.get_mut(&key).expect("it was found");
            (seat.round, seat.stayed) = (current, may_stay.then_some(round));
            if !may_stay {
                self.desert(key, round);
            }
        }
    }

    pub(super) fn goes_over(&self, by: usize, key: Key, round: u64, now: Ns) -> bool {
        let (spot, rules) = (&self.spots[&key], &self.rules);
        let current = spot.round;
        let seat = &self.askers[by].seats[&key];
        let is_told = spot.settled.contains_key(&round);
        // A load that a call has brought is used up.
        let call = self.askers[by].call;
        // The load of a ticket is made by the loader.
        let is_spent = seat.has_begun && call.brings && !call.is_for_many && !self.askers[by].is_ticket;
        if round == current || is_told || seat.is_alone || !seat.waits || is_spent {
            return false;
        }
        let is_own = spot.newest.get(&round).is_some_and(|newest| newest.1 == Some(by));
        let would_begin = self.is_over_age(key, round, now) && !is_own && !rules.over_age_alone;
        let (own, newer) = (self.live(key, round, now).0, self.live(key, current, now).0);
        let is_full = newer >= rules.attempts;
        (own == 0 || would_begin) && newer > 0 && (is_full || !self.is_over_age(key, current, now))
    }
}
