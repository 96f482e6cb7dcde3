//! A plain model of a cache: its values, its kept failures, its attempts, and its callers.
//!
//! The model does not predict each step: loads tell it when they begin and end, and callers what they were told. The
//! rules judge each of these events, and what is stored must always follow from them.

mod askers;
mod begin;
mod flights;
mod judge;
mod loads;
mod rules;
mod seats;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use larder::{Generation, RemovalCause, Ttl};

pub(crate) use self::{
    judge::Told,
    loads::{Kind, Said},
    rules::{Call, Options, Rules, Takes, end_of, ns, weight_of},
};

/// Nanoseconds of virtual time.
pub(crate) type Ns = u64;
/// Orders all events, because times do not where the clock stands still or jumps.
type Seq = u64;
pub(crate) type Key = u32;
pub(crate) type Id = u32;

/// Why a load failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Boom(u32),
    Panicked,
    Missing,
    NothingToKeep,
    Budget,
    AlreadyExpired,
}

/// A value that is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) id: Id,
    /// When this generation was published first.
    published: Ns,
    /// When its life began; an unchanged value begins a new one.
    since: Ns,
    /// When its life ends, even if it is asked for.
    end: Ns,
    pub(crate) deadline: Ns,
    weight: u64,
    pub(crate) generation: Option<Generation>,
    /// Jitter has shortened this life by an amount that is not known yet.
    is_vague: bool,
}

/// A failure that is kept.
#[derive(Clone, Copy, Debug)]
struct Failed {
    why: Why,
    count: u32,
    delay: Ns,
    retry_at: Ns,
    due: Ns,
    waits: bool,
}

/// One attempt to load one key.
#[derive(Debug)]
struct Attempt {
    key: Key,
    /// The epochs whose callers it serves: the one in which it began, and the older one of its caller.
    rounds: Vec<u64>,
    at: Ns,
    ttl: Ttl,
    weight: Option<u64>,
    /// Or it is another caller's load, with this lifetime and weight.
    or: Option<(Ttl, Option<u64>)>,
    owner: Option<usize>,
    /// None until the load has begun.
    load: Option<usize>,
    /// Its answer is for its caller alone. (D25) None if that is unknown.
    is_alone: Option<bool>,
    is_live: bool,
    /// It may have been forgotten with its last caller, unless a spawner has it. (D94)
    is_unsure: bool,
    is_polled: bool,
    /// It serves two epochs, and its load goes on.
    is_twin: bool,
    /// Its caller may wait in another epoch than the known one.
    may_serve_another: bool,
}

/// An answer that was delivered to waiting callers.
#[derive(Debug)]
struct Delivery {
    id: Id,
    seq: Seq,
    at: Ns,
    age: Ns,
    /// How long it is fresh, at least and at most.
    left: (Ns, Ns),
    /// The newest epoch that it belongs to.
    round: u64,
    owner: Option<usize>,
    is_alone: bool,
}

#[derive(Debug)]
struct Failing {
    why: Why,
    seq: Seq,
    round: u64,
}

#[derive(Debug, Default)]
struct Spot {
    /// Counts epochs: writes, and ends of flights.
    round: u64,
    held: Option<Held>,
    /// What was held, and from when on.
    past: Vec<(Seq, Option<Held>)>,
    failed: Option<Failed>,
    /// It is unknown whether it has failed, as that may not have been the last attempt.
    may_have_failed: bool,
    /// When the newest attempt of each epoch was claimed, and by which caller.
    newest: BTreeMap<u64, (Ns, Option<usize>)>,
    /// The epochs whose callers were told, and whether they could have gone over to a newer one by then.
    settled: BTreeMap<u64, (Seq, bool)>,
    /// The epoch that a failure ended last, and the failure that was kept before it.
    ended_by_failure: Option<(Seq, u64, Option<Failed>)>,
    /// The epochs in which a load may have ended, and those in which a call that unwound may have claimed one.
    doubted: BTreeSet<u64>,
    loose: BTreeSet<u64>,
    deliveries: Vec<Delivery>,
    failings: Vec<Failing>,
    generations: Vec<Generation>,
    /// What may have been stored: answers that were not asked for.
    maybe: Vec<Held>,
    /// The values that have left, and whose events are still to come.
    left: Vec<(Id, RemovalCause)>,
    /// Such an answer may have taken the place of another.
    may_change: bool,
    /// A load whose answer may have counted returned that nothing is to be stored.
    may_be_gone: bool,
    /// A caller that waited may have used the value.
    may_be_used: bool,
    writes: u64,
    attempts: Vec<usize>,
}

/// The whole model.
pub(crate) struct Plain {
    pub(crate) rules: Rules,
    seq: Seq,
    spots: BTreeMap<Key, Spot>,
    attempts: Vec<Attempt>,
    /// The attempts that each load is for.
    loads: Vec<Vec<usize>>,
    /// How many writes there were to each key when each load began.
    writes: Vec<BTreeMap<Key, u64>>,
    weights: BTreeMap<Id, u64>,
    askers: Vec<askers::Asker>,
    jitters: BTreeMap<(Key, Ns), Ns>,
    /// Keys whose values are to be looked at.
    unseen: Vec<Key>,
    /// The value that was refused last.
    refused: Option<Id>,
}

impl Plain {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            seq: 0,
            spots: BTreeMap::new(),
            attempts: Vec::new(),
            loads: Vec::new(),
            writes: Vec::new(),
            weights: BTreeMap::new(),
            askers: Vec::new(),
            jitters: BTreeMap::new(),
            unseen: Vec::new(),
            refused: None,
        }
    }

    fn tick(&mut self) -> Seq {
        self.seq += 1;
        self.seq
    }

    fn spot(&mut self, key: Key) -> &mut Spot {
        self.spots.entry(key).or_default()
    }

    /// What is known of a key, to find out what is wrong.
    fn story(&self, key: Key) -> String {
        let Some(spot) = self.spots.get(&key) else { return String::new() };
        let attempts: Vec<_> = spot.attempts.iter().rev().take(6).map(|nth| &self.attempts[*nth]).collect();
        let deliveries: Vec<_> = spot.deliveries.iter().rev().take(3).collect();
        let past: Vec<_> = spot.past.iter().rev().take(4).collect();
        format!(
            "round {} held {:?} failed {:?} newest {:?} {deliveries:?} {past:?} {attempts:?} {:?}",
            spot.round,
            spot.held,
            spot.failed,
            spot.newest.last_key_value(),
            self.rules
        )
    }

    /// How many attempts of this epoch may still answer, at least and at most.
    fn live(&self, key: Key, round: u64, now: Ns) -> (usize, usize) {
        let Some(spot) = self.spots.get(&key) else { return (0, 0) };
        let of_it = spot.attempts.iter().map(|nth| &self.attempts[*nth]);
        let live = of_it.filter(|attempt| attempt.is_live && attempt.rounds.contains(&round));
        // An attempt over its budget fails at the next look. (D93)
        let is_over =
            |attempt: &Attempt| self.rules.budget.is_some_and(|budget| attempt.at.saturating_add(budget) <= now);
        live.fold((0, 0), |(least, most), attempt| {
            (least + usize::from(attempt.is_sure() && !is_over(attempt)), most + 1)
        })
    }

    /// Whether it is known which failure of a key is kept.
    fn knows_failures(&self, key: Key) -> bool {
        self.rules.knows_failures() && !self.spots.get(&key).is_some_and(|spot| spot.may_have_failed)
    }

    /// Forgets the failures of a key.
    fn forgives(&mut self, key: Key) {
        let spot = self.spot(key);
        (spot.failed, spot.may_have_failed) = (None, false);
    }

    fn is_over_age(&self, key: Key, round: u64, now: Ns) -> bool {
        let newest = self.spots.get(&key).and_then(|spot| spot.newest.get(&round));
        self.rules.lock_age.zip(newest).is_some_and(|(age, newest)| newest.0.saturating_add(age) <= now)
    }
}

impl Attempt {
    /// Whether it is known to go on, and to be for all callers.
    fn is_sure(&self) -> bool {
        !self.is_unsure && self.is_alone == Some(false)
    }
}

impl Held {
    pub(crate) const fn is_fresh(&self, now: Ns) -> bool {
        self.deadline > now || self.deadline == Ns::MAX
    }

    fn stale_within(&self, now: Ns, limit: Option<Ns>) -> Option<Ns> {
        limit.filter(|limit| !self.is_fresh(now) && now - self.deadline <= *limit).map(|_| now - self.deadline)
    }
}
