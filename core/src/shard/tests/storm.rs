//! Random callers, loads of one key and of many, and writes, driven as the shell drives them.
//!
//! Only callers that were woken or reached a deadline are polled, and some are never polled again. Whenever the shell
//! holds no lock, others may be busy on their own threads.

mod callers;
mod calls;
mod checks;
mod events;
mod loads;
mod units;

use alloc::{collections::BTreeSet, rc::Rc, sync::Weak};
use core::cell::RefCell;

use super::*;
use crate::{flight::Registration, store::policy::tests::shelf::Random};

type Answer = Result<Ttl, Cause<&'static str>>;

/// How many writes there had been to each key.
type Stamp = Vec<Writes>;

/// How often a key was written, and how often a write or its expiry has voided a load.
#[derive(Clone, Copy, Default)]
struct Writes {
    written: u32,
    voided: u32,
}

/// A load.
struct Task {
    begun: Stamp,
    ready: Option<Answer>,
    waker: Option<Waker>,
    is_gone: bool,
    /// Its answer is for its own caller alone.
    is_private: bool,
}

/// How a caller begins a load.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Loader,
    /// By a closure of its own, once.
    Closure,
    Lent,
    /// As one of many keys.
    Many,
    Nothing,
}

/// A caller that waits, or is about to.
struct Actor {
    key: u32,
    /// It knows its key; a ticket does not.
    has_key: bool,
    call: Call,
    by: By,
    /// It only needs the value, if that comes from its own load.
    wants_value: bool,
    /// It has used its closure.
    is_used: bool,
    waiting: Waiting<Bell>,
    count: Arc<Count>,
    waker: Waker,
    /// What was written before it came.
    came: Writes,
    reached: Instant,
    is_present: bool,
    until: Instant,
    /// The load that it has lent.
    lent: Option<u32>,
    /// The call for many keys that it is a member of, and which one.
    member: Option<(Units, usize)>,
    /// It has taken its seat, and its load is still to be made, with this waker.
    is_to_be_made: bool,
    shared: Option<Waker>,
    /// It is never polled again.
    is_parked: bool,
    /// It is to be polled although it was not woken.
    is_due: bool,
    is_over: bool,
    told: Option<Told>,
}

/// The loads of many keys that a call leads, by number.
type Units = Rc<RefCell<Vec<usize>>>;

/// Where a load of many keys is delivered; a key that two epochs wait for has two places.
type Places = Vec<(u32, Seat<Bell>, Option<Twin>)>;

/// One call for many keys.
struct ManyCall {
    members: Vec<Actor>,
    units: Units,
    /// Members that have to be polled.
    due: Vec<usize>,
    arrived: usize,
    /// How it hears of its loads.
    count: Arc<Count>,
    waker: Waker,
    was_polled: bool,
    /// A poll has unwound, so all loads have to be asked.
    asks_all: bool,
    is_due: bool,
    is_parked: bool,
}

/// A load of many keys.
struct Unit {
    batch: Together,
    is_alone: bool,
    /// The members of the call that leads it.
    members: Vec<usize>,
    has_begun: bool,
    task: Option<u32>,
    polled_at: Option<usize>,
    is_over: bool,
    places: Places,
    /// How many writes there were when it began.
    writes: u64,
    registration: Registration<Bell>,
}

/// How a poll ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Told,
    Waits,
    Unwinds,
}

struct World {
    seed: u64,
    random: Random,
    shard: Store,
    rules: Rules,
    now: u64,
    /// A spawner finishes what is left behind.
    hands_over: bool,
    writes_often: bool,
    keys: u32,
    actors: Vec<Option<Actor>>,
    calls: Vec<Option<ManyCall>>,
    tasks: Vec<Task>,
    units: RefCell<Vec<Unit>>,
    writes: Stamp,
    /// Private values that have been told.
    told: BTreeSet<u32>,
    /// What had been written before each inserted value, from `INSERTED` on.
    inserted: Vec<Writes>,
    /// The wakers of all callers that there ever were.
    wakers: Vec<Weak<Count>>,
    depth: u32,
    seen: [u32; HAPPENED],
}

/// What has to happen often enough.
#[derive(Clone, Copy)]
enum Happened {
    Served,
    Told,
    Failed,
    Polled,
    Left,
    Parked,
    Stayed,
    DroppedIdle,
    Delivered,
    Unwound,
    HandedOver,
    LookedAfter,
    LoadedAlone,
    GaveBack,
    ValueOnly,
    BegunAnew,
    LentAnew,
    GatheredAnew,
    AsMany,
    Surplus,
    ToldPrivately,
    Nobodys,
}

/// The number of a value, from its load and its key.
fn value_of(task: u32, key: u32) -> u32 {
    task * MOST_KEYS + key
}

const HAPPENED: usize = Happened::Nobodys as usize + 1;
const MOST_KEYS: u32 = 16;
const INSERTED: u32 = 1 << 24;

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut some = |of: u64, nanoseconds| (random.below(of) == 0).then_some(nanos(nanoseconds));
        let rules = Rules {
            lock_age: some(2, 20),
            budget: some(3, 70),
            stale_while_refresh: some(2, 30),
            stale_if_error: some(3, 40),
            over_age_alone: some(5, 0).is_some(),
            ttl: Ttl::For(nanos(25)),
            backoff: if some(4, 0).is_some() { BACKOFF } else { rules().backoff },
            stores_surplus: some(4, 0).is_some(),
            has_loader: some(5, 0).is_none(),
            takes: if some(6, 0).is_some() { Takes::Others } else { Takes::Fresh },
            ..rules()
        };
        let hands_over = some(4, 0).is_some();
        let rules = Rules {
            attempts: 1 + random.below(3) as u32,
            max_batch: if random.below(3) == 0 { 2 } else { usize::MAX },
            ..rules
        };
        // Some seeds write so often, and wait so little, that loads of several epochs of a key meet.
        let writes_often = random.below(4) == 0;
        let rules = match writes_often {
            true => Rules { lock_age: Some(nanos(6)), over_age_alone: false, ..rules },
            false => rules,
        };
        let keys = if writes_often {
            1 + random.below(2) as u32
        } else if random.below(8) == 0 {
            MOST_KEYS
        } else {
            1 + random.below(4) as u32
        };
        let capacity = if random.below(4) == 0 { random.below(4) } else { 100 };
        let keeping = Keeping {
            hold: rules.stale_while_refresh.max(rules.stale_if_error),
            idle: None,
            lives: false,
            inline: false,
        };
        Self {
            seed,
            random,
            shard: Shard::new(Allowance::alone(capacity), keeping, all_links()),
            rules,
            now: 1000,
            hands_over,
            writes_often,
            keys,
            actors: Vec::new(),
            calls: Vec::new(),
            tasks: Vec::new(),
            units: RefCell::default(),
            writes: vec![Writes::default(); keys as usize],
            told: BTreeSet::new(),
            inserted: Vec::new(),
            wakers: Vec::new(),
            depth: 0,
            seen: [0; HAPPENED],
        }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.random.below(of) == 0
    }

    fn note(&mut self, what: Happened) {
        self.seen[what as usize] += 1;
    }

    /// Other callers are busy on their own threads.
    fn meanwhile(&mut self) {
        while self.depth < 2 && self.chance(6) {
            self.depth += 1;
            self.event();
            self.depth -= 1;
        }
    }
}

/// P2, P3, P4, P8, P9, D62, D85, D104: in any order of events, and though some callers are polled no more.
#[test]
fn each_polled_caller_comes_to_its_end_and_nothing_stays_behind() {
    let mut seen = [0; HAPPENED];
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.event();
            world.check();
        }
        world.finish();
        seen.iter_mut().zip(world.seen).for_each(|(sum, count)| *sum += count);
    }
    assert!(seen.iter().all(|count| *count > 100), "everything has happened: {seen:?}");
}

const SEEDS: u64 = 2500;
