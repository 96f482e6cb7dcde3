//! What is known of callers, and the tickets that they hold.

use larder::OnTimeout;

use super::{
    Attempt, Call, Key, Ns, Plain,
    askers::{Asker, Seat},
};

impl Plain {
    /// A caller has a ticket from now on.
    pub(super) fn hold_ticket(&mut self, by: usize, key: Key, now: Ns) {
        let asker = &mut self.askers[by];
        asker.is_ticket = true;
        let (call, seat) = (asker.call, asker.seats.get_mut(&key).expect("it has asked for this"));
        seat.waits = true;
        let (round, has_claimed) = (seat.round, seat.has_begun || seat.has_ticket);
        if !has_claimed {
            // It would have none if there were other attempts. (D14)
            if !self.is_over_age(key, round, now) || self.rules.over_age_alone {
                let of_it = |attempt: &&mut Attempt| attempt.key == key && attempt.rounds.contains(&round);
                let unsure = self.attempts.iter_mut().filter(of_it).filter(|attempt| attempt.is_unsure);
                unsure.for_each(|attempt| attempt.is_live = false);
            }
            self.claim_for(Some(by), call, key, round, now);
        }
    }

    pub(super) fn claim_for(&mut self, owner: Option<usize>, call: Call, key: Key, round: u64, now: Ns) -> usize {
        self.claim(Attempt {
            key,
            rounds: vec![round],
            at: now,
            ttl: call.ttl,
            weight: call.weight,
            or: None,
            owner,
            load: None,
            is_alone: Some(false),
            is_live: true,
            is_unsure: false,
            is_polled: false,
            is_twin: false,
            may_serve_another: false,
        })
    }

    pub(super) fn is_awaited(&self, key: Key, round: u64) -> bool {
        let waits = |asker: &Asker| {
            !asker.is_done && asker.seats.get(&key).is_some_and(|s| s.waits && !s.is_alone && s.round == round)
        };
        self.askers.iter().any(waits)
    }

    pub(super) fn seat(&self, by: usize, key: Key) -> Option<Seat> {
        self.askers[by].seats.get(&key).cloned()
    }

    pub(super) fn call(&self, by: usize) -> Call {
        self.askers[by].call
    }

    pub(super) fn has_begun(&mut self, by: usize, key: Key) {
        self.askers[by].seats.get_mut(&key).into_iter().for_each(|seat| seat.has_begun = true);
    }

    /// The caller has begun what another had claimed, or its own claim, where that is unknown.
    pub(super) fn may_have_begun(&mut self, by: usize, key: Key, is_unsure: bool) {
        let may = is_unsure || !self.knows_failures(key);
        self.askers[by].seats.get_mut(&key).into_iter().for_each(|seat| seat.may_have_begun |= may);
    }

    pub(super) fn loads_alone(&mut self, by: usize, key: Key) {
        let seats = &mut self.askers[by].seats;
        let round = seats.get_mut(&key).map(|seat| {
            seat.is_alone = true;
            seat.round
        });
        round.into_iter().for_each(|round| self.desert(key, round));
    }

    pub(super) fn is_ticket(&self, by: usize) -> bool {
        self.askers[by].is_ticket
    }

    pub(super) fn asks_for_many(&self, by: usize) -> bool {
        self.askers[by].keys.len() > 1
    }

    pub(super) fn is_first_poll(&self, by: usize) -> bool {
        self.askers[by].polls.is_empty()
    }

    /// What a caller does whose patience has ended; a ticket has no time limit.
    pub(super) fn timed_out(&self, by: usize, now: Ns) -> Option<OnTimeout> {
        let asker = &self.askers[by];
        let (patience, then) = asker.call.patience.filter(|_| !asker.is_ticket)?;
        (asker.came.saturating_add(patience) <= now).then_some(then)
    }
}
