//! One shard on plain numbers, and the steps of its callers one by one.

mod arriving;
mod edges;
mod failing;
mod lazy;
mod lifetime;
mod settling;
mod waiting;
mod writing;

use alloc::{sync::Arc, vec::Vec};

use super::*;
use crate::{
    Cause, Failure, LoadError, Loaded, Outcome, Status, TimeLeft, Ttl,
    flight::{CheckIn, Leaving, Start, Terms, Work},
    source::Judgement,
    store::{Backoff, policy::Lru},
};

type Plain = Shard<u32, u32, &'static str, u32, (), (), Lru>;
type Found = Arrival<u32, &'static str>;
type Step = Next<u32, &'static str, u32>;

/// A shard, what its user has decided, and what time it is.
struct Rig {
    shard: Plain,
    rules: Rules,
    now: u64,
    /// What the last step has left to be woken and dropped.
    effects: Effects<u32, u32, &'static str, u32, ()>,
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// Returns a hash that an even key shares with the next one (P9).
fn hash(key: u32) -> u64 {
    u64::from(key / 2)
}

fn failure(name: &'static str) -> Failure<&'static str> {
    Failure::new(Cause::Error(Arc::new(name)))
}

/// A wait that does not matter.
const WAITED: Wait = Wait { led: false, since: Instant::ZERO };

/// What somebody is told whose load has failed, if a value may be stale by so much.
fn soften(rig: &mut Rig, key: u32, limit: u64) -> Result<Outcome<u32, &'static str>, LoadError<&'static str>> {
    let call = Call { stale_if_error: Some(nanos(limit)), ..rig.rules.call() };
    rig.shard.soften(hash(key), Some((at(rig.now), &call)), failure("down"), WAITED, |k| *k == key)
}

/// The defaults of D101.
const fn rules() -> Rules {
    let none = Backoff { first: Duration::ZERO, factor: 1.0, cap: Duration::ZERO, jitter: None, endless: false };
    Rules {
        ttl: Ttl::Inherit,
        jitter: None,
        early: Early { share: None, beta: None, margin: None, inline: false },
        lock_age: None,
        over_age_alone: false,
        attempts: 4,
        budget: None,
        backoff: none,
        lock_timeout: None,
        stale_while_refresh: None,
        stale_if_error: None,
        stores_surplus: false,
        takes: Takes::Fresh,
        keeps_expired: false,
        delays_empty: true,
    }
}

/// Error TTL of 10, doubled up to 40.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_nanos(10),
    factor: 2.0,
    cap: Duration::from_nanos(40),
    jitter: None,
    endless: false,
};

impl Rig {
    /// Returns a shard that holds up to 100 in weight, at 1000 o'clock.
    fn new(rules: Rules) -> Self {
        Self::with(100, rules)
    }

    fn with(capacity: u64, rules: Rules) -> Self {
        let hold = rules.stale_while_refresh.max(rules.stale_if_error);
        let keeping = Keeping { hold, idle: None, lives: rules.early.is_set(), inline: rules.early.inline };
        Self { shard: Shard::new(capacity, keeping), rules, now: 1000, effects: Effects::new() }
    }

    fn arrive_with(&mut self, key: u32, call: &Call, start: Option<Start<u32>>) -> Found {
        let asked = Asked { hash: hash(key), now: at(self.now), rules: &self.rules, call };
        self.effects = Effects::new();
        self.shard.arrive(&asked, || key, |k| *k == key, || start, |_| false, &mut self.effects)
    }

    /// Asks with a load whose number is the key's.
    fn arrive(&mut self, key: u32) -> Found {
        self.arrive_with(key, &self.rules.call(), Some(Start::Ready(key)))
    }

    /// Asks for a value that may be stale, with its refresh.
    fn arrive_stale(&mut self, key: u32) -> (Status, Option<Waiting>) {
        let call = Call { takes: Takes::Ticket, ..self.rules.call() };
        let Arrival::Served(outcome, seat) = self.arrive_with(key, &call, Some(Start::Ready(key))) else {
            panic!("nothing to be served at once")
        };
        let now = at(self.now);
        (outcome.status, seat.map(|seat| Waiting::new(hash(key), seat, &call, Status::Expired, now).uncounted()))
    }

    fn wait_with(&mut self, key: u32, call: Call) -> Waiting {
        let Arrival::Seated(seat, first) = self.arrive_with(key, &call, Some(Start::Ready(key))) else {
            panic!("no seat")
        };
        Waiting::new(hash(key), seat, &call, first, at(self.now))
    }

    /// Asks and gets a seat.
    fn wait(&mut self, key: u32) -> Waiting {
        self.wait_with(key, self.rules.call())
    }

    fn served(&mut self, key: u32) -> Outcome<u32, &'static str> {
        match self.arrive(key) {
            Arrival::Served(outcome, None) => outcome,
            _ => panic!("nothing is served"),
        }
    }

    fn proceed_with(&mut self, waiting: &mut Waiting, after: u32, means: Option<Start<u32>>) -> Step {
        let poll = AtPoll { after, shared: false, reached: at(self.now), is_present: true };
        self.effects = Effects::new();
        self.shard.proceed(waiting, &poll, &self.rules, || means, || (), &mut self.effects)
    }

    /// The first step of a poll.
    fn proceed(&mut self, waiting: &mut Waiting) -> Step {
        self.proceed_with(waiting, 0, Some(Start::Ready(77)))
    }

    /// Drives every load once and finds none ready, as long as there is something to do at once.
    fn poll(&mut self, waiting: &mut Waiting) -> Step {
        let mut after = 0;
        loop {
            match self.proceed_with(waiting, after, Some(Start::Ready(77))) {
                Next::Drive(job) => {
                    after = job.number;
                    let load = match job.work {
                        Work::Poll(load) => load,
                        _ => 0,
                    };
                    let kept = self.shard.flights.check_in(&waiting.seat, job.number, load, false);
                    assert!(matches!(kept, CheckIn::Kept));
                }
                Next::Again => {
                    if self.told(waiting).is_some() {
                        return Next::Again;
                    }
                }
                next => return next,
            }
        }
    }

    fn answer(&mut self, waiting: &Waiting, number: u32, loaded: impl Into<Loaded<u32>>) {
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::new();
        let news = News::new(loaded.into(), Judgement::default());
        self.shard.succeed(&waiting.seat, number, news, at, &mut self.effects);
    }

    fn fail(&mut self, waiting: &Waiting, number: u32, name: &'static str) {
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::new();
        self.shard.fail(&waiting.seat, number, failure(name), at, &mut self.effects);
    }

    fn outcome(&mut self, waiting: &Waiting) -> Outcome<u32, &'static str> {
        self.shard.told(waiting).expect("a verdict").expect("a value")
    }

    /// Looks whether a caller's wait is over, and counts nothing.
    fn told(&mut self, waiting: &Waiting) -> Option<Result<u32, &'static str>> {
        match self.shard.flights.seated(&waiting.seat).verdict(&waiting.seat)? {
            Ok(Ok(answer)) => Some(Ok(answer.value)),
            Ok(Err(failure)) => Some(Err(failure.error().copied().unwrap_or("over budget"))),
            Err(failure) => Some(Err(failure.error().copied().unwrap_or("over budget"))),
        }
    }

    fn leave(&mut self, waiting: Waiting) -> bool {
        matches!(self.shard.flights.leave(waiting.seat), Leaving::Last(_))
    }

    /// Loads a value from claim to publication.
    fn load(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Outcome<u32, &'static str> {
        let mut waiting = self.wait(key);
        let Next::Drive(job) = self.proceed(&mut waiting) else { panic!("nothing to drive") };
        self.answer(&waiting, job.number, loaded);
        let outcome = self.outcome(&waiting);
        self.leave(waiting);
        outcome
    }

    /// Loads and fails.
    fn load_fails(&mut self, key: u32, name: &'static str) {
        let mut waiting = self.wait(key);
        let Next::Drive(job) = self.proceed(&mut waiting) else { panic!("nothing to drive") };
        self.fail(&waiting, job.number, name);
        assert_eq!(self.told(&waiting), Some(Err(name)));
        self.leave(waiting);
    }

    fn insert(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Option<u32> {
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::new();
        self.shard.insert(hash(key), key, loaded.into(), Judgement::default(), at, &mut self.effects)
    }

    fn remove(&mut self, key: u32) -> Option<u32> {
        self.effects = Effects::new();
        let was_fresh = self.shard.remove(hash(key), at(self.now), |k| *k == key, &mut self.effects);
        self.effects.leavers.first.as_ref().filter(|_| was_fresh).map(|leaver| leaver.value)
    }

    fn peek(&self, key: u32) -> Option<Outcome<u32, &'static str>> {
        self.shard.peek(hash(key), at(self.now), |k| *k == key)
    }

    fn get_if_present(&mut self, key: u32) -> Option<u32> {
        self.shard.get_if_present(hash(key), at(self.now), |k| *k == key, &mut self.effects)
    }

    fn contains(&self, key: u32) -> bool {
        self.shard.contains(hash(key), at(self.now), |k| *k == key)
    }

    fn keys(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = self.shard.values.entries().iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys
    }
}
