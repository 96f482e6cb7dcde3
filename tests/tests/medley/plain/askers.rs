//! Callers come, wait and leave; a ticket is a caller that goes on.

use std::collections::BTreeMap;

use larder::OnTimeout;

use super::{Call, Failed, Held, Key, Ns, Plain, Seq, rules::Takes};

/// A caller that asks, or holds a ticket for what it asked.
pub(super) struct Asker {
    pub(super) call: Call,
    pub(super) keys: Vec<Key>,
    pub(super) seats: BTreeMap<Key, Seat>,
    pub(super) came: Ns,
    /// When each of its polls began and ended, and at which time.
    pub(super) polls: Vec<(Seq, Seq, Ns)>,
    polling: Option<(Seq, Ns)>,
    pub(super) is_ticket: bool,
    pub(super) is_done: bool,
}

/// One key that a caller asks for.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The epoch in which it was asked for.
    pub(super) first: u64,
    /// The epoch in which it waits, as it may have gone over to a newer one. (D11)
    pub(super) round: u64,
    pub(super) came: Seq,
    /// Or it still waits in the epoch before, where it is unknown whether a load goes on.
    pub(super) stayed: Option<u64>,
    /// What it may be told at once.
    pub(super) served: Vec<Served>,
    /// Whether it may wait.
    pub(super) waits: bool,
    /// Whether there was an expired value; none if that may have been swept just before.
    pub(super) found_expired: Option<bool>,
    /// It has a right to begin a load as it comes.
    pub(super) claims: bool,
    /// It has begun a load.
    pub(super) has_begun: bool,
    pub(super) may_have_begun: bool,
    /// It certainly gets a ticket.
    pub(super) has_ticket: bool,
    /// It may load for itself, and has then left its flight.
    pub(super) is_alone: bool,
    /// How many attempts there were in its flight when it was last polled, at least and at most.
    pub(super) beside: (usize, usize),
    /// How many there were in that or the newest flight, at most.
    pub(super) most: usize,
}

/// An answer that is given at once.
#[derive(Clone, Debug)]
pub(super) enum Served {
    Value { held: Held, failed: Option<Failed>, ticket: Option<bool> },
    Refused(Failed),
}

impl Asker {
    /// When its current poll began.
    pub(super) fn began(&self) -> Option<Seq> {
        self.polling.map(|polling| polling.0)
    }
}

impl Plain {
    /// Adds a caller that is about to ask.
    pub(crate) fn comes(&mut self, call: Call, keys: &[Key]) -> usize {
        let mut distinct = keys.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        self.askers.push(Asker {
            call,
            keys: distinct,
            seats: BTreeMap::new(),
            came: 0,
            polls: Vec::new(),
            polling: None,
            is_ticket: false,
            is_done: false,
        });
        self.askers.len() - 1
    }

    /// A caller is about to be polled; it arrives if it has not yet.
    ///
    /// Returns how many lookups that begins.
    pub(crate) fn poll_begins(&mut self, by: usize, now: Ns) -> u64 {
        let seq = self.tick();
        self.look(now);
        self.askers[by].polling = Some((seq, now));
        let mut lookups = 0;
        if self.askers[by].seats.is_empty() && self.is_first_poll(by) {
            lookups = self.askers[by].keys.len() as u64;
            self.askers[by].came = now;
            for key in self.askers[by].keys.clone() {
                let call = self.askers[by].call;
                let mut seat = self.arrive(call, key, self.askers[by].keys.len() == 1, now);
                let is_ticket = |served: &Served| matches!(served, Served::Value { ticket: Some(true), .. });
                seat.has_ticket =
                    self.knows_failures(key) && seat.served.len() == 1 && seat.served.iter().all(is_ticket);
                if seat.has_ticket || seat.claims {
                    self.claim_for(Some(by), call, key, seat.round, now);
                }
                self.askers[by].seats.insert(key, seat);
            }
        }
        for (key, round) in self.rounds_of(by) {
            let (own, current) = (self.live(key, round, now), self.spots[&key].round);
            let most = own.1.max(self.live(key, current, now).1);
            let seat = self.askers[by].seats.get_mut(&key).expect("it asks for this");
            (seat.beside, seat.most) = (own, most);
        }
        lookups
    }

    /// A polled caller that had waited may have taken a fresh value that came meanwhile, and prolonged it. (D23, D53)
    pub(crate) fn may_have_used(&mut self, by: usize, now: Ns) {
        let call = self.call(by);
        let softens = call.stale_if_error.is_some() && !call.reload;
        if self.rules.idle.is_none() || !(call.is_inside || softens || self.timed_out(by, now).is_some()) {
            return;
        }
        let waits = self.askers[by].seats.iter().filter(|(_, seat)| seat.waits).map(|(key, _)| *key);
        for key in waits.collect::<Vec<_>>() {
            self.spot(key).may_be_used = true;
            self.unseen.push(key);
        }
    }

    fn arrive(&mut self, call: Call, key: Key, is_one: bool, now: Ns) -> Seat {
        let came = self.tick();
        let round = self.spot(key).round;
        let held = self.spot(key).held.filter(|_| !call.reload);
        let is_fresh = held.is_some_and(|held| held.is_fresh(now));
        let is_asked = match call.takes {
            Takes::Fresh => false,
            Takes::Others => self.rules.inline,
            Takes::Ticket => true,
        };
        let is_early = held.filter(|_| is_fresh && is_asked).map_or(Some(false), |held| self.rules.is_due(&held, now));
        let kept = self.spot(key).failed.filter(|failed| failed.waits && failed.retry_at > now && !call.reload);
        let knows = self.knows_failures(key);
        let failures = match kept {
            Some(kept) if knows => vec![Some(kept)],
            Some(kept) => vec![Some(kept), None],
            None => vec![None],
        };
        let (mut served, mut waits) = (Vec::new(), false);
        let takes_stale = call.takes != Takes::Fresh;
        let is_early = is_early.map_or_else(|| vec![false, true], |is_early| vec![is_early]);
        for (failed, is_early) in failures.into_iter().flat_map(|failed| is_early.iter().map(move |is| (failed, *is))) {
            let stale = |limit| held.filter(|held| held.stale_within(now, limit).is_some());
            if let Some(held) = held.filter(|_| is_fresh && !is_early) {
                served.push(Served::Value { held, failed: None, ticket: Some(false) });
            } else if let Some(held) =
                held.filter(|held| is_fresh || (takes_stale && held.stale_within(now, call.stale).is_some()))
            {
                let may = self.may_refresh(key, round, now).filter(|_| !call.is_inside || call.takes == Takes::Ticket);
                let may = if failed.is_some() { Some(false) } else { may };
                let leads_itself = call.takes != Takes::Ticket;
                waits |= leads_itself && may != Some(false);
                if !(leads_itself && may == Some(true)) {
                    let ticket = if leads_itself { Some(false) } else { may };
                    served.push(Served::Value { held, failed, ticket });
                }
            } else if let Some(failed) = failed {
                served.push(match stale(call.stale_if_error) {
                    Some(held) => Served::Value { held, failed: Some(failed), ticket: Some(false) },
                    None => Served::Refused(failed),
                });
            } else {
                waits = true;
            }
        }
        if is_fresh && !waits {
            self.uses(key, now);
        }
        let is_of_use = held.is_some_and(|held| is_fresh || held.stale_within(now, self.rules.hold).is_some());
        let found_expired = (is_one || held.is_none() || is_of_use).then(|| held.is_some() && !is_fresh);
        let claims = knows && waits && served.is_empty() && self.may_refresh(key, round, now) == Some(true);
        // It may come from inside one of those loads, and be refused. (D66)
        let claims = claims && !(call.is_inside && self.live(key, round, now).1 > 0);
        // Or a call that unwound has claimed an attempt just before.
        let claims = claims && !self.spot(key).loose.contains(&round);
        Seat {
            claims,
            first: round,
            round,
            stayed: None,
            came,
            served,
            waits,
            found_expired,
            has_begun: false,
            may_have_begun: false,
            has_ticket: false,
            is_alone: false,
            beside: (0, 0),
            most: 0,
        }
    }

    /// Whether a caller may get the refresh; none if that cannot be told.
    fn may_refresh(&self, key: Key, round: u64, now: Ns) -> Option<bool> {
        let (least, most) = self.live(key, round, now);
        let may_take_over = self.is_over_age(key, round, now) && !self.rules.over_age_alone;
        let may = |live: usize| live == 0 || (may_take_over && live < self.rules.attempts);
        (may(least) == may(most)).then(|| may(least))
    }

    /// A caller was polled, and still waits: whatever was to be done by now is done.
    pub(crate) fn pends(&mut self, by: usize, now: Ns) {
        let (began, timed_out) = (self.poll_ends(by), self.timed_out(by, now));
        for (key, round) in self.rounds_of(by) {
            self.moves_on(by, key, round, now);
        }
        let asker = &self.askers[by];
        if asker.keys.len() > 1 {
            return;
        }
        for (key, seat) in &asker.seats {
            assert!(
                seat.waits || asker.is_ticket,
                "{by} waits for key {key} at {now}, and is to be told {:?}",
                seat.served
            );
            let settled = self.spots[key].settled.get(&seat.round);
            let is_told = settled.is_some_and(|(settled, may_have_moved)| *settled < began && !may_have_moved);
            assert!(
                !is_told || seat.is_alone || seat.stayed.is_some(),
                "{by} {seat:?} has not been told at {now} of key {key}: {}",
                self.story(*key)
            );
            assert!(seat.has_begun || !seat.claims, "D14: {by} {seat:?} does not begin at {now}: {}", self.story(*key));
            let is_over = match timed_out {
                Some(OnTimeout::Stale | OnTimeout::Fail) => true,
                Some(_) => !(seat.has_begun || seat.may_have_begun || seat.stayed.is_some()),
                None => false,
            };
            assert!(!is_over, "P7: {by} {seat:?} {:?} waits at {now} for key {key}: {}", asker.call, self.story(*key));
        }
    }

    pub(super) fn poll_ends(&mut self, by: usize) -> Seq {
        let end = self.tick();
        let (began, at) = self.askers[by].polling.take().expect("it was polled");
        self.askers[by].polls.push((began, end, at));
        began
    }

    /// A caller is gone, or has its answer.
    pub(crate) fn leaves_off(&mut self, by: usize) {
        self.askers[by].is_done = true;
        // What it claimed before its poll unwound is for others to begin, or is dropped; it was still the newest.
        let Asker { is_ticket, polling, call, .. } = self.askers[by];
        let is_ticket = is_ticket || self.askers[by].seats.values().any(|seat| seat.has_ticket);
        let is_own = !is_ticket && (polling.is_none() || call.brings || self.rules.batches);
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.owner == Some(by) && attempt.load.is_none()) {
            attempt.owner = None;
            attempt.is_live &= !is_own;
            let doubted = self.spots.get(&attempt.key).map(|spot| &spot.doubted);
            attempt.is_unsure |= attempt.rounds.iter().any(|round| doubted.is_some_and(|of| of.contains(round)));
        }
        let unwound = polling.filter(|_| self.asks_for_many(by));
        for (key, round) in self.rounds_of(by) {
            // A call for several keys may have claimed attempts that never began: the newest may be its own. (D11)
            let may_claim = |now| self.is_over_age(key, round, now) || self.timed_out(by, now).is_some();
            if unwound.is_some_and(|(_, now)| may_claim(now)) {
                self.spot(key).newest.entry(round).and_modify(|newest| newest.1 = None);
                self.spot(key).loose.insert(round);
            }
            self.desert(key, round);
        }
    }

    fn rounds_of(&self, by: usize) -> Vec<(Key, u64)> {
        self.askers[by].seats.iter().map(|(key, seat)| (*key, seat.round)).collect()
    }

    /// Whether a caller that was served at once may have got a ticket.
    pub(crate) fn may_have_a_ticket(&self, by: usize) -> bool {
        let is_ticket = |served: &Served| matches!(served, Served::Value { ticket: None | Some(true), .. });
        self.askers[by].seats.values().any(|seat| seat.served.iter().any(is_ticket))
    }
}
