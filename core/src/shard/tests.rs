//! One shard of plain numbers, and the single steps of its callers, driven as the shell drives them.

mod aged;
mod anew;
mod arriving;
#[cfg(feature = "std")]
mod at_once;
mod batches;
mod edges;
mod effects;
mod ending_alone;
mod failing;
mod flying;
mod lazy;
mod leaving;
mod lifetime;
mod looking_after;
mod present;
mod private;
mod rig;
mod seen;
mod settling;
mod storm;
mod tickets;
pub(super) mod together;
mod waiting;
mod waking;
mod walking;
mod writing;

use alloc::{sync::Arc, task::Wake, vec, vec::Vec};
use core::{
    sync::atomic::{AtomicU32, Ordering},
    task::Waker,
    time::Duration,
};

use self::{anew::Anew, rig::all_links, together::Together};
use super::*;
use crate::{
    Cause, Failure, Instant, LoadError, Outcome, Status, TimeLeft, Ttl,
    flight::{Start, Terms, Woken},
    parts::{WakerList, Wakers},
    source::{Judgement, Loaded},
    store::{Allowance, Backoff, Factor, Keeping, policy::Lru},
};

/// Loads are plain numbers.
struct Plain;

type Bell = WakerList<spin::Mutex<Wakers>>;

impl Carries for Plain {
    type Load = u32;
    type Batch = Together;
    type Notify = Bell;
    type AsMany = ();
}

impl LoadsAnew for Plain {
    const AS_MANY: () = ();
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

/// A shard, the settings of its user, and the time.
struct Rig {
    shard: Store,
    rules: Rules,
    now: u64,
    /// What the last poll has left to be woken and dropped.
    effects: Left,
}

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A caller that asks for a key.
struct Caller {
    key: u32,
    call: Call,
    /// How it can begin a load, and whether that is the cache's loader.
    start: Option<Start>,
    is_by_loader: bool,
    /// The load of many keys that it begins.
    batch: Option<Together>,
    waiting: Waiting<Bell>,
    count: Arc<Count>,
    waker: Waker,
    /// What it does next.
    step: Step,
    /// The attempt that it drives.
    number: u32,
    /// The load that it was handed.
    load: Option<u32>,
    /// The load that it has begun in two epochs of its key.
    anew: Option<Anew>,
    /// The load of many keys that it drove last.
    driven: Option<Together>,
    told: Option<Told>,
}

impl Caller {
    fn new(key: u32, call: Call, start: Option<Start>, now: u64) -> Self {
        let count = Arc::<Count>::default();
        let waker = Waker::from(Arc::clone(&count));
        let waiting = Waiting::new(hash(key), at(now));
        let (step, number, load, told) = (Step::Wait, 0, None, None);
        let (batch, anew, driven) = (None, None, None);
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
            number,
            load,
            anew,
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

/// What a caller finds when it asks.
enum Found {
    Served(Outcome<u32, &'static str>),
    Refused(LoadError<&'static str>),
    /// It waits, or drives a load.
    Seated(Caller),
    /// A value, and its refresh.
    Ticket(Outcome<u32, &'static str>, Caller),
    /// A value, and another caller's refresh, to be polled once.
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

/// The result of a caller whose load has failed, if a value may be stale by so much.
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
    let none =
        Backoff { first: Duration::ZERO, factor: Factor::ONE, cap: Duration::ZERO, jitter: None, endless: false };
    Rules {
        ttl: Ttl::Inherit,
        jitter: None,
        early: Early::new(),
        lock_age: None,
        over_age_alone: false,
        attempts: 4,
        budget: None,
        backoff: none,
        lock_timeout: None,
        stale_while_refresh: None,
        stale_if_error: None,
        hold: None,
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
    factor: Factor::of(2.0),
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
        inside: &caller.waker,
        reached: at(now),
        is_present: true,
        wants_value: false,
        arrives_only: false,
        is_first,
    }
}

/// What can be seen of a shard.
impl Rig {
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
        (flights.len(), flights.callers(), flights.counts.in_flight())
    }

    /// Checks that every load that began is accounted for (D85).
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
