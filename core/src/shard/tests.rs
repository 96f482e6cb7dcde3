//! One shard on plain numbers, and the steps of its callers one by one, driven as the shell drives them.

mod arriving;
mod batches;
mod edges;
mod failing;
mod flying;
mod lazy;
mod leaving;
mod lifetime;
mod looking_after;
mod settling;
mod storm;
mod tickets;
pub(super) mod together;
mod waiting;
mod waking;
mod writing;

use alloc::{sync::Arc, task::Wake, vec, vec::Vec};
use core::{
    sync::atomic::{AtomicU32, Ordering},
    task::Waker,
};

use self::together::Together;
use super::*;
use crate::{
    Cause, Failure, LoadError, Outcome, Status, TimeLeft, Ttl,
    flight::{Start, Terms, Woken},
    parts::{WakerList, Wakers},
    source::{Judgement, Loaded},
    store::{Backoff, policy::Lru},
};

/// Loads are plain numbers.
struct Plain;

type Bell = WakerList<spin::Mutex<Wakers>>;

impl Carries for Plain {
    type Load = u32;
    type Batch = Together;
    type Notify = Bell;
}

type Store = Shard<u32, u32, &'static str, Plain, Lru>;
type Left = Effects<u32, u32, &'static str, Plain>;
type Told = Result<Outcome<u32, &'static str>, LoadError<&'static str>>;

impl AsKey<Self> for u32 {
    fn is(&self, key: &Self) -> bool {
        self == key
    }

    fn to_key(&self) -> Self {
        *self
    }
}

/// A shard, what its user has decided, and what time it is.
struct Rig {
    shard: Store,
    rules: Rules,
    now: u64,
    /// What the last poll has left to be woken and dropped.
    effects: Left,
}

/// Counts how often somebody is woken.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// One who asks for a key.
struct Caller {
    key: u32,
    call: Call,
    /// What it can begin a load with, and whether that is the cache's loader.
    start: Option<Start>,
    is_by_loader: bool,
    /// The load of many keys that it begins.
    batch: Option<Together>,
    waiting: Waiting<Bell>,
    count: Arc<Count>,
    waker: Waker,
    /// What it is to do next.
    step: Step,
    /// The last attempt that it drove in this poll.
    after: u32,
    /// The attempt that it drives.
    number: u32,
    /// The load that it is handed.
    load: Option<u32>,
    /// The load of many keys that it has last driven.
    driven: Option<Together>,
    told: Option<Told>,
}

impl Caller {
    fn new(key: u32, call: Call, start: Option<Start>, now: u64) -> Self {
        let count = Arc::<Count>::default();
        let waker = Waker::from(Arc::clone(&count));
        let waiting = Waiting::new(hash(key), at(now));
        let (step, after, number, load, told) = (Step::Wait, 0, 0, None, None);
        let (batch, driven) = (None, None);
        Self {
            key,
            call,
            start,
            is_by_loader: true,
            batch,
            waiting,
            count,
            waker,
            step,
            after,
            number,
            load,
            driven,
            told,
        }
    }

    const fn own(&self) -> u32 {
        self.waiting.seat.began
    }

    fn is_seated(&self) -> bool {
        self.waiting.seat.is_taken()
    }

    /// How often it was woken since it was last asked.
    fn woken(&self) -> u32 {
        self.count.0.swap(0, Ordering::SeqCst)
    }
}

/// What somebody finds who asks.
enum Found {
    Served(Outcome<u32, &'static str>),
    Refused(LoadError<&'static str>),
    /// It waits, or drives a load.
    Seated(Caller),
    /// A value, and its refresh.
    Ticket(Outcome<u32, &'static str>, Caller),
    /// A value, and a refresh of another's that is to be polled once.
    LookAfter(Outcome<u32, &'static str>, Caller),
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

fn name_of(failure: &Failure<&'static str>) -> &'static str {
    match failure.cause() {
        Cause::Error(error) => error,
        Cause::BudgetExceeded => "over budget",
        Cause::Panicked => "panicked",
        _ => "another",
    }
}

/// What somebody is told whose load has failed, if a value may be stale by so much.
fn soften(rig: &mut Rig, key: u32, limit: u64) -> Told {
    let call = Call { stale_if_error: Some(nanos(limit)), ..rig.rules.call() };
    soften_with(rig, key, call)
}

fn soften_with(rig: &mut Rig, key: u32, call: Call) -> Told {
    let caller = Caller::new(key, call, None, rig.now);
    let (waiting, visit) = (&caller.waiting, visit_of(&caller, &rig.rules, rig.now, false));
    rig.shard.soften(waiting, failure("down"), &visit)
}

/// The defaults of D101, and a loader.
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
        has_loader: true,
        max_batch: usize::MAX,
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

/// A caller's visit at this time, which is the present.
fn visit_of<'a>(caller: &'a Caller, rules: &'a Rules, now: u64, is_first: bool) -> Visit<'a, u32, Together> {
    Visit {
        key: Some(&caller.key),
        waker: &caller.waker,
        rules,
        call: &caller.call,
        start: caller.start,
        is_by_loader: caller.is_by_loader,
        batch: None,
        reached: at(now),
        is_present: true,
        is_first,
        after: caller.after,
    }
}

impl Rig {
    /// Returns a shard that holds up to 100 in weight, at 1000 o'clock.
    fn new(rules: Rules) -> Self {
        Self::with(100, rules)
    }

    fn with(capacity: u64, rules: Rules) -> Self {
        let hold = rules.stale_while_refresh.max(rules.stale_if_error);
        let keeping = Keeping { hold, idle: None, lives: rules.early.is_set(), inline: rules.early.inline };
        Self { shard: Shard::new(capacity, keeping), rules, now: 1000, effects: Effects::default() }
    }

    /// Does something with a caller's wait; what it is told is the caller's, and the rest is left in `effects`.
    fn step(
        &mut self,
        caller: &mut Caller,
        is_first: bool,
        work: impl FnOnce(&mut Store, &mut Waiting<Bell>, &Visit<'_, u32, Together>, &mut Left) -> Step,
    ) -> Step {
        let mut waiting = core::mem::replace(&mut caller.waiting, Waiting::new(0, at(0)));
        let batch = || {
            let batch = caller.batch.clone().expect("a load of many keys");
            assert!(batch.await_key());
            batch
        };
        let visit = Visit {
            batch: caller.batch.as_ref().map(|_| &batch as &dyn Fn() -> Together),
            ..visit_of(caller, &self.rules, self.now, is_first)
        };
        let step = work(&mut self.shard, &mut waiting, &visit, &mut self.effects);
        caller.waiting = waiting;
        self.took(caller, step)
    }

    fn look(&mut self, caller: &mut Caller, is_first: bool) -> Step {
        self.step(caller, is_first, |shard, waiting, visit, effects| shard.visit(waiting, visit, effects))
    }

    /// Notes what a caller is to do next.
    fn took(&mut self, caller: &mut Caller, step: Step) -> Step {
        caller.step = step;
        match step {
            Step::Make => caller.load = Some(if caller.own() == 1 { caller.key } else { 77 }),
            Step::MakeShared => caller.load = Some(caller.key),
            Step::Poll => caller.load = Some(self.effects.load.take().expect("a load")),
            Step::Batch => caller.driven = Some(self.effects.batch.take().expect("a load of many keys")),
            _ => {}
        }
        if matches!(step, Step::Make | Step::MakeShared | Step::Poll | Step::Lent | Step::Batch) {
            caller.number = self.effects.number;
            caller.after = caller.after.max(caller.number);
        }
        if let Some(told) = self.effects.told.take() {
            caller.told = Some(told);
        }
        step
    }

    /// Does what is to be done once the lock is released; returns the loads that are dropped then.
    fn unlock(&mut self) -> Vec<u32> {
        let mut effects = core::mem::take(&mut self.effects);
        let woken = effects.take_woken();
        let loads = core::mem::take(&mut effects.rest().loads);
        effects.woken.wake();
        woken.into_iter().for_each(Woken::wake);
        loads
    }

    fn wakes_somebody(&self) -> bool {
        !matches!(self.effects.woken, Woken::Nobody)
    }

    fn come(&mut self, mut caller: Caller) -> Found {
        self.effects = Effects::default();
        let it = &mut caller;
        let step = self.step(it, true, |shard, waiting, visit, effects| shard.arrive(waiting, visit, effects));
        let told = caller.told.take();
        match (step, told) {
            (Step::Told, Some(Ok(outcome))) => {
                assert!(!caller.is_seated());
                Found::Served(outcome)
            }
            (Step::Told, Some(Err(error))) => {
                assert!(!caller.is_seated());
                Found::Refused(error)
            }
            (Step::Ticket | Step::MakeTicket, Some(Ok(outcome))) => Found::Ticket(outcome, caller),
            (_, Some(Ok(outcome))) => Found::LookAfter(outcome, caller),
            (Step::Told, None) | (_, Some(Err(_))) => panic!("{step:?}"),
            (_, None) => Found::Seated(caller),
        }
    }

    fn arrive_with(&mut self, key: u32, call: Call, start: Option<Start>) -> Found {
        self.come(Caller::new(key, call, start, self.now))
    }

    /// Asks with a load whose number is the key's.
    fn arrive(&mut self, key: u32) -> Found {
        self.arrive_with(key, self.rules.call(), Some(Start::Made))
    }

    /// Asks for a value that may be stale, with its refresh; what another has claimed is polled once, as it must be.
    fn arrive_stale(&mut self, key: u32) -> (Status, Option<Caller>) {
        let call = Call { takes: Takes::Ticket, ..self.rules.call() };
        match self.arrive_with(key, call, Some(Start::Made)) {
            Found::Served(outcome) => (outcome.status, None),
            Found::Ticket(outcome, ticket) => (outcome.status, Some(ticket)),
            Found::LookAfter(outcome, caller) => {
                self.look_after(caller);
                (outcome.status, None)
            }
            _ => panic!("nothing to be served at once"),
        }
    }

    /// Polls what is another's once, finds it not ready, and leaves.
    fn look_after(&mut self, mut caller: Caller) {
        if caller.step != Step::Batch {
            assert_eq!(self.pend(&mut caller), Step::Told);
        }
        self.leave(caller);
    }

    /// Asks and gets a seat.
    fn seat_with(&mut self, key: u32, call: Call, start: Option<Start>) -> Caller {
        match self.arrive_with(key, call, start) {
            Found::Seated(caller) => caller,
            _ => panic!("no seat"),
        }
    }

    /// Asks and gets a seat; has yet to do what it is handed.
    fn seat(&mut self, key: u32) -> Caller {
        self.seat_with(key, self.rules.call(), Some(Start::Made))
    }

    fn wait_with(&mut self, key: u32, call: Call) -> Caller {
        let mut caller = self.seat_with(key, call, Some(Start::Made));
        self.rest(&mut caller);
        caller
    }

    /// Asks and waits: all loads that it may poll are not ready.
    fn wait(&mut self, key: u32) -> Caller {
        self.wait_with(key, self.rules.call())
    }

    /// Lends a load and waits.
    fn lend(&mut self, key: u32) -> Caller {
        let mut caller = self.seat_with(key, self.rules.call(), Some(Start::Lent));
        assert_eq!(caller.step, Step::Lent);
        self.rest(&mut caller);
        caller
    }

    fn served(&mut self, key: u32) -> Outcome<u32, &'static str> {
        match self.arrive(key) {
            Found::Served(outcome) => outcome,
            _ => panic!("nothing is served"),
        }
    }

    /// The first step of a poll, with this to begin a load with.
    fn visit_with(&mut self, caller: &mut Caller, start: Option<Start>) -> Step {
        self.effects = Effects::default();
        (caller.start, caller.after) = (start, 0);
        self.look(caller, true)
    }

    /// The first step of a poll.
    fn visit(&mut self, caller: &mut Caller) -> Step {
        self.visit_with(caller, Some(Start::Made))
    }

    /// Hands in the load that a caller has polled, which is not ready.
    fn pend(&mut self, caller: &mut Caller) -> Step {
        let load = if caller.step == Step::Lent { None } else { Some(caller.load.take().expect("a load")) };
        self.effects.number = caller.number;
        self.step(caller, false, |shard, waiting, visit, effects| shard.check_in(waiting, load, visit, effects))
    }

    /// Goes on with a poll until there is nothing more to do; no load is ready.
    fn rest(&mut self, caller: &mut Caller) -> Step {
        loop {
            match caller.step {
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent => _ = self.pend(caller),
                Step::Batch | Step::Again | Step::ReadClock => _ = self.look(caller, false),
                step => return step,
            }
        }
    }

    /// Polls a caller; no load is ready.
    fn poll(&mut self, caller: &mut Caller) -> Step {
        self.visit(caller);
        self.rest(caller)
    }

    /// Has the load of a flight woken, if that is how one gets to poll it.
    fn wake_load(&mut self, caller: &Caller) {
        if let Some(waker) = self.shard.flights.slot(&caller.waiting.seat).flight.waits.waker() {
            waker.wake();
        }
    }

    /// Hands this attempt's load to a caller; others that come before are not ready.
    fn drive(&mut self, caller: &mut Caller, number: u32) {
        self.wake_load(caller);
        self.visit(caller);
        loop {
            match caller.step {
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent if caller.number == number => return,
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent => _ = self.pend(caller),
                step => panic!("{step:?}"),
            }
        }
    }

    /// A load that a caller has been handed is ready.
    fn land(&mut self, caller: &mut Caller, number: u32, loaded: impl Into<Loaded<u32>>) -> Step {
        self.effects = Effects::default();
        self.effects.number = number;
        caller.after = caller.after.max(number);
        caller.load = None;
        let news = News::new(loaded.into(), Judgement::default());
        self.step(caller, false, |shard, waiting, visit, effects| {
            shard.land(waiting, news, visit.reached, visit, effects)
        })
    }

    fn land_failure(&mut self, caller: &mut Caller, number: u32, failure: Failure<&'static str>) -> Step {
        self.effects = Effects::default();
        self.effects.number = number;
        caller.after = caller.after.max(number);
        caller.load = None;
        self.step(caller, false, |shard, waiting, visit, effects| {
            shard.land_failure(waiting, failure, visit.reached, visit, effects)
        })
    }

    /// A caller polls this attempt's load, which is ready.
    fn answer(&mut self, caller: &mut Caller, number: u32, loaded: impl Into<Loaded<u32>>) -> Step {
        self.drive(caller, number);
        self.land(caller, number, loaded)
    }

    /// A caller polls this attempt's load, which has failed.
    fn fail(&mut self, caller: &mut Caller, number: u32, name: &'static str) -> Step {
        self.drive(caller, number);
        self.land_failure(caller, number, failure(name))
    }

    /// Looks whether a caller's wait is over, and counts nothing.
    fn told(&mut self, caller: &Caller) -> Option<Result<u32, &'static str>> {
        if let Some(told) = &caller.told {
            let name = |error: &LoadError<_>| error.failure().map_or("refused", name_of);
            return Some(told.as_ref().map(|outcome| outcome.value).map_err(name));
        }
        let slot = self.shard.flights.slot(&caller.waiting.seat);
        if slot.flight.is_over() {
            let verdict = slot.verdict.as_ref().expect("a verdict");
            return Some(verdict.as_ref().map(|answer| answer.value).map_err(name_of));
        }
        let own = caller.own();
        let mine = slot.failed.iter().find(|failed| failed.0 == own && own != 0);
        mine.map(|(_, failure)| Err(name_of(failure)))
    }

    /// Takes what a caller is told.
    fn hear(&mut self, caller: &mut Caller) -> Told {
        if caller.told.is_none() {
            assert_eq!(self.visit(caller), Step::Told);
        }
        assert!(!caller.is_seated(), "who is told has left");
        caller.told.take().expect("it is told")
    }

    fn outcome(&mut self, caller: &mut Caller) -> Outcome<u32, &'static str> {
        self.hear(caller).expect("a value")
    }

    fn error(&mut self, caller: &mut Caller) -> Option<&'static str> {
        self.hear(caller).err().map(|error| error.failure().map_or("refused", name_of))
    }

    /// Gives up a seat; tells whether the flight ended with it.
    fn leave(&mut self, mut caller: Caller) -> bool {
        self.effects = Effects::default();
        let before = self.shard.flights.len();
        self.shard.rise(&mut caller.waiting, &mut self.effects);
        self.shard.flights.len() < before
    }

    /// Loads a value from claim to publication.
    fn load(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Outcome<u32, &'static str> {
        let mut caller = self.seat(key);
        assert_eq!(caller.step, Step::Make);
        self.land(&mut caller, 1, loaded);
        caller.told.take().expect("it is told").expect("a value")
    }

    /// Loads and fails; nobody asks to be told.
    fn load_fails(&mut self, key: u32, name: &'static str) {
        let caller = self.seat(key);
        assert_eq!(caller.step, Step::Make);
        self.fail_unheard(&caller, 1, failure(name));
        assert_eq!(self.told(&caller), Some(Err(name)));
        self.leave(caller);
    }

    /// A load fails, and this caller, who has polled it, has yet to look.
    fn fail_unheard(&mut self, caller: &Caller, number: u32, failure: Failure<&'static str>) {
        let at = At { now: at(self.now), rules: &self.rules };
        let place = self.shard.flights.place(&caller.waiting.seat);
        self.effects = Effects::default();
        self.shard.fail(place, number, failure, at, &mut self.effects);
    }

    /// A load answers, and this caller, who has polled it, has yet to look.
    fn answer_unheard(&mut self, caller: &Caller, number: u32, loaded: impl Into<Loaded<u32>>) {
        let at = At { now: at(self.now), rules: &self.rules };
        let place = self.shard.flights.place(&caller.waiting.seat);
        self.effects = Effects::default();
        let news = News::new(loaded.into(), Judgement::default());
        self.shard.succeed(place, number, news, at, &mut self.effects);
    }

    fn insert(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Option<u32> {
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::default();
        self.shard.insert(hash(key), key, loaded.into(), Judgement::default(), at, &mut self.effects)
    }

    fn remove(&mut self, key: u32) -> Option<u32> {
        self.effects = Effects::default();
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

    /// How many flights there are, how many callers wait in them, and how many loads run.
    fn census(&self) -> (usize, u64, u64) {
        let flights = &self.shard.flights;
        (flights.len(), flights.seats, flights.counts.in_flight())
    }

    /// Checks that every load that began is accounted for (D85); returns how many run.
    fn check_sums(&mut self, seated: &[&Caller]) {
        let mut running = 0;
        let mut seen = Vec::new();
        for caller in seated {
            let place = self.shard.flights.place(&caller.waiting.seat);
            if !seen.contains(&place) {
                seen.push(place);
                running += u64::from(self.shard.flights.at(place).flight.running());
            }
        }
        assert_eq!(self.shard.flights.counts.in_flight(), running, "{:?}", self.shard.flights.counts);
    }

    /// How many attempts may still answer in a caller's flight.
    fn live(&mut self, caller: &Caller) -> u32 {
        self.shard.flights.slot(&caller.waiting.seat).flight.live()
    }

    fn is_attached(&mut self, caller: &Caller) -> bool {
        self.shard.flights.slot(&caller.waiting.seat).flight.is_attached()
    }
}
