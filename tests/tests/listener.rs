//! Who listens hears of every value that leaves, once, with its cause.

use core::panic::AssertUnwindSafe;
use std::{collections::BTreeMap, panic::catch_unwind};

use larder::{Cache, Change, Listening, Loaded, Loader, LookupOptions, RemovalCause, Ttl};
use larder_tests::*;

on_every_runtime! {
    c60_each_cause
    c60_random_operations
    a_clear_is_over_before_the_first_event
    what_expired_says_so_whatever_swept_it_out
    a_zero_lifetime_ends_what_was_stored_and_is_nobodys_event
    an_event_comes_after_all_wakers
    a_panic_of_the_listener_keeps_nobody_from_being_woken
    a_panic_at_the_first_visit_does_not_take_the_load_along
    a_write_is_whole_though_the_listener_panics
    dropping_the_cache_sends_nothing
}

type Event = (u32, u32, RemovalCause);

/// What a listener has heard, oldest first.
#[derive(Clone, Default)]
struct Events(Rc<RefCell<Vec<Event>>>);

impl Events {
    fn listener(&self) -> impl Fn(&u32, &V, RemovalCause) + use<> {
        let events = self.clone();
        move |key, value, cause| events.0.borrow_mut().push((*key, **value, cause))
    }

    fn take(&self) -> Vec<Event> {
        self.0.take()
    }
}

type Heard<R, F> = Cache<u32, Listening<Loader<Loads>, F>, R>;

/// A cache whose listener is `heard`.
fn cache<R: Host, F: Fn(&u32, &V, RemovalCause)>(
    sim: &Sim,
    loads: &Loads,
    setup: impl FnOnce(Setup<R>) -> Setup<R>,
    heard: F,
) -> Heard<R, F> {
    setup(Cache::builder(R::on(sim.clock())).loader(loads.clone())).listener(heard).build().expect("valid")
}

fn get<R: Host, F: Fn(&u32, &V, RemovalCause) + 'static>(sim: &mut Sim, cache: &Heard<R, F>, key: u32) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.lookup(&key, LookupOptions::new()).await })
}

/// C60: one entry each replaced, removed, evicted, expired, refused, cleared; one event each.
fn c60_each_cause<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(ready().gives(70)));
    let cache = cache::<R, _>(&sim, &loads, |c| c.capacity(2).shards(1), events.listener());
    cache.insert(1, V::new(10));
    assert_eq!(events.take(), []);
    cache.insert(1, V::new(11));
    assert_eq!(events.take(), [(1, 10, RemovalCause::Replaced)]);
    assert_eq!(cache.remove(&1).as_deref(), Some(&11));
    assert_eq!(events.take(), [(1, 11, RemovalCause::Removed)]);
    cache.insert(2, V::new(20));
    cache.insert(3, V::new(30));
    get(&mut sim, &cache, 7);
    let evicted = events.take();
    assert!(matches!(evicted[..], [(2, 20, RemovalCause::Evicted) | (3, 30, RemovalCause::Evicted)]), "{evicted:?}");
    cache.clear();
    let mut cleared = events.take();
    cleared.sort_unstable_by_key(|(key, ..)| *key);
    assert!(matches!(cleared[..], [(2 | 3, _, RemovalCause::Removed), (7, 70, RemovalCause::Removed)]), "{cleared:?}");
    cache.insert_with(4, Loaded::new(V::new(40)).weight(3));
    assert_eq!(events.take(), [(4, 40, RemovalCause::Refused)]);
    cache.insert(4, V::new(41));
    cache.insert_with(4, Loaded::new(V::new(42)).weight(3));
    assert_eq!(events.take(), [(4, 41, RemovalCause::Replaced), (4, 42, RemovalCause::Refused)]);
    cache.insert_with(5, Loaded::new(V::new(50)).ttl(ms(10)));
    sim.to(10);
    cache.sweep();
    assert_eq!(events.take(), [(5, 50, RemovalCause::Expired)]);
    cache.insert(6, V::new(60));
    cache.retain(|_, value| **value != 60);
    assert_eq!(events.take(), [(6, 60, RemovalCause::Removed)]);
    assert_clean(&cache.stats());
}

/// D38: `Expired`, also where it was replaced, evicted, removed or cleared.
fn what_expired_says_so_whatever_swept_it_out<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(never()));
    let setup = |c: Setup<R>| c.capacity(4).shards(1).ttl(ms(10)).stale_if_error(ms(1000));
    let cache = cache::<R, _>(&sim, &loads, setup, events.listener());
    for key in 1..=4 {
        cache.insert(key, V::new(key));
    }
    sim.to(10);
    assert_eq!(events.take(), [], "it is held, as it may soften an error");
    cache.insert(1, V::new(11));
    assert!(cache.remove(&2).is_none(), "only a fresh value is given back");
    cache.insert(5, V::new(5));
    cache.insert(6, V::new(6));
    cache.clear();
    let expired = events.take().into_iter().filter(|(.., cause)| *cause == RemovalCause::Expired);
    let mut expired: Vec<_> = expired.map(|(_, value, _)| value).collect();
    expired.sort_unstable();
    assert_eq!(expired, [1, 2, 3, 4]);
    assert_clean(&cache.stats());
}

/// D47, D51: `Removed` for what was stored; a value that is not to be stored has no event.
fn a_zero_lifetime_ends_what_was_stored_and_is_nobodys_event<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(ready().gives(70).ttl(Ttl::NotStored)));
    let cache = cache::<R, _>(&sim, &loads, |c| c, events.listener());
    cache.insert(7, V::new(1));
    cache.insert_with(7, Loaded::new(V::new(2)).ttl(Duration::ZERO));
    assert_eq!(events.take(), [(7, 1, RemovalCause::Removed)]);
    cache.insert(7, V::new(3));
    let own = cache.clone();
    let refresh = sim.call(async move { own.refresh(&7).await });
    assert_eq!(sim.saw(refresh), "0: V70 Miss");
    assert_eq!(events.take(), [(7, 3, RemovalCause::Removed)]);
    cache.insert_with(8, Loaded::new(V::new(4)).ttl(Ttl::NotStored));
    assert_eq!(events.take(), []);
}

/// D43: what a listener inserts during a clear stays, in whatever shard.
fn a_clear_is_over_before_the_first_event<R: Host>() {
    let sim = Sim::new();
    let slot: Rc<RefCell<Option<Box<dyn Fn(u32)>>>> = Rc::default();
    let hears = slot.clone();
    let heard = move |key: &u32, _: &V, _| {
        if let Some(act) = &*hears.borrow() {
            act(*key);
        }
    };
    let cache = cache::<R, _>(&sim, &sim.loads(never()), |c| c.shards(8), heard);
    for key in 0..100 {
        cache.insert(key, V::new(key));
    }
    let inside = cache.clone();
    slot.replace(Some(Box::new(move |key| {
        assert!(key >= 1000 || (0..100).all(|key| !inside.contains(&key)), "an event before all is gone");
        if key < 100 {
            inside.insert(1000 + key, V::new(0));
        }
    })));
    cache.clear();
    let act = slot.take();
    drop(act);
    assert_eq!((cache.len(), cache.stats().removed), (100, 100));
}

/// D29: all who wait are woken before anybody hears what left.
fn an_event_comes_after_all_wakers<R: Host>() {
    let sim = Sim::new();
    let order = wakers::Order::default();
    let heard = order.waker(99);
    let gate = Gate::default();
    let loads = sim.loads(gate.script());
    let cache = cache::<R, _>(&sim, &loads, |c| c.capacity(1), move |_, _, _| heard.wake_by_ref());
    cache.insert(1, V::new(1));
    let mut waiters: Vec<_> = (0..5).map(|_| cache.get(&7)).collect();
    for (number, waiter) in waiters.iter_mut().enumerate() {
        assert!(wakers::poll_with(waiter, &order.waker(number)).is_pending());
    }
    order.take();
    gate.open_quietly();
    assert!(wakers::poll_with(&mut waiters[0], &order.waker(0)).is_ready());
    assert_eq!(order.take(), [1, 2, 3, 4, 99]);
    let mut waiters: Vec<_> = (0..3).map(|_| cache.get(&8)).collect();
    assert_eq!(loads.calls(), 1);
    for waiter in &mut waiters {
        assert!(wakers::poll_once(waiter).is_ready());
    }
    assert_eq!(order.take(), [99]);
}

/// P5, D29: the panic goes out through the call that published; the others are woken and served, all hear.
fn a_panic_of_the_listener_keeps_nobody_from_being_woken<R: Host>() {
    let mut sim = Sim::new();
    let events = Events::default();
    let note = events.listener();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(7).weight(3));
    let heard = move |key: &u32, value: &V, cause| {
        note(key, value, cause);
        std::panic::panic_any(Bang(*key));
    };
    let cache = cache::<R, _>(&sim, &loads, |c| c.capacity(3).shards(1), heard);
    for key in 1..=3 {
        cache.insert(key, V::new(key));
    }
    let callers: Vec<_> = (0..20).map(|_| get(&mut sim, &cache, 7)).collect();
    gate.open();
    sim.run();
    let saw: Vec<_> = callers.into_iter().map(|i| sim.saw(i)).collect();
    let unwound: Vec<_> = saw.iter().filter(|saw| saw.starts_with("0: unwound")).collect();
    assert_eq!(unwound.len(), 1, "{saw:?}");
    assert!(saw.iter().filter(|saw| saw.starts_with("0: V7 ")).count() == 19, "{saw:?}");
    let events = events.take();
    assert_eq!(events.len(), 3, "not even the events behind the panic are lost");
    assert_eq!(*unwound[0], format!("0: unwound {}", events[0].0), "the first panic goes out");
    let late = get(&mut sim, &cache, 7);
    assert_eq!((sim.saw(late).as_str(), loads.calls()), ("0: V7 Hit", 1));
    assert_clean(&cache.stats());
}

/// P3, P5: a call that begins a load also reclaims; the panic of who hears of that leaves nobody behind it waiting.
fn a_panic_at_the_first_visit_does_not_take_the_load_along<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(7));
    let heard = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
    let cache = cache::<R, _>(&sim, &loads, |c| c.shards(1), heard);
    cache.insert_with(1, Loaded::new(V::new(1)).ttl(ms(10)));
    sim.to(10);
    let mut first = cache.get(&7);
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut first))).is_err());
    // The first caller is still there, and is not polled again.
    assert_eq!(wakers::now(cache.get(&7)).ok().as_deref(), Some(&7));
    assert_eq!(cache.get_if_present(&1), None);
    drop(first);
    assert_clean(&cache.stats());
}

/// D29: the new state is complete before anything of the user's runs.
fn a_write_is_whole_though_the_listener_panics<R: Host>() {
    let sim = Sim::new();
    let heard = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
    let cache = cache::<R, _>(&sim, &sim.loads(never()), |c| c.shards(4).capacity(1000), heard);
    let fill = || (0..100).for_each(|key| _ = cache.insert(key, V::new(key)));
    let acts: [(&dyn Fn(), usize); 3] =
        [(&|| cache.clear(), 0), (&|| cache.retain(|key, _| key % 2 == 0), 50), (&|| cache.set_capacity(40), 40)];
    for (act, kept) in acts {
        fill();
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("the listener's panic goes out");
        assert!(panic.is::<Bang>());
        assert_eq!(cache.len(), kept);
        let _panic = catch_unwind(AssertUnwindSafe(|| cache.clear()));
    }
}

/// D45.
fn dropping_the_cache_sends_nothing<R: Host>() {
    let sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(never()));
    let cache = cache::<R, _>(&sim, &loads, |c| c, events.listener());
    cache.insert(1, V::new(1));
    let mut waits = Box::pin(cache.get(&7));
    assert!(wakers::poll_once(&mut waits).is_pending());
    drop(waits);
    drop(cache);
    assert_eq!(events.take(), []);
}

/// C60: 200 000 random operations: each value that left has exactly one event, each resident none.
fn c60_random_operations<R: Host>() {
    let setups: [fn(Setup<R>) -> Setup<R>; 4] = [
        |c| c.capacity(20).shards(1),
        |c| c.capacity(30).shards(4).ttl(ms(40)),
        |c| c.capacity(50).shards(2).ttl(ms(60)).stale_if_error(ms(30)),
        |c| c.capacity(0),
    ];
    for (seed, setup) in setups.into_iter().enumerate() {
        let (sim, events) = (Sim::new(), Events::default());
        let loads = sim.loads_by(|_, call| script(call as u32));
        let cache = cache::<R, _>(&sim, &loads, setup, events.listener());
        let random = Random::new(seed as u64);
        let (due, heard) = (BTreeMap::new(), BTreeMap::new());
        let mut run = Run { random, sim, cache, events, due, inserted: 0, heard };
        for _ in 0..50_000 {
            run.step();
        }
        run.end();
    }
}

const KEYS: u64 = 60;
const LOADED: u32 = 1 << 20;

/// The load of this number answers a value that nothing else does.
fn script(call: u32) -> Script {
    let script = ready().gives(LOADED + call);
    match call % 7 {
        0 => script.ttl(Ttl::NotStored),
        1 => script.ttl(ms(30)),
        2 => script.weight(100),
        3 => script.fails(1),
        _ => script,
    }
}

struct Run<R: Host, F: Fn(&u32, &V, RemovalCause)> {
    random: Random,
    sim: Sim,
    cache: Heard<R, F>,
    events: Events,
    /// The values that are held, or were refused: what has to have an event sooner or later.
    due: BTreeMap<u32, u32>,
    inserted: u32,
    /// How many events there were, by cause.
    heard: BTreeMap<&'static str, u64>,
}

const CAUSES: [RemovalCause; 5] = [
    RemovalCause::Evicted,
    RemovalCause::Expired,
    RemovalCause::Replaced,
    RemovalCause::Removed,
    RemovalCause::Refused,
];

impl<R: Host, F: Fn(&u32, &V, RemovalCause)> Run<R, F> {
    fn step(&mut self) {
        let key = self.random.below(KEYS) as u32;
        match self.random.below(100) {
            0..30 => self.insert(key),
            30..60 => self.ask(key),
            60..65 => self.compute(key),
            65..75 => {
                let given_back = self.cache.remove(&key).map(|value| (key, *value, RemovalCause::Removed));
                let told = self.events.0.borrow().last().copied();
                assert!(given_back.is_none() || given_back == told, "what is given back has its event as well");
            }
            75..80 => drop(self.cache.expire(&key)),
            80..85 => {
                let generation = self.cache.peek(&key).and_then(|found| found.generation());
                assert!(generation.is_none_or(|generation| self.cache.invalidate_if(&key, generation)));
            }
            85..97 => {
                let to = self.sim.time.ms() + self.random.below(10);
                self.sim.jump(to);
            }
            97 => drop(self.cache.sweep()),
            98 if self.random.below(10) == 0 => self.cache.clear(),
            99 if self.random.below(10) == 0 => self.cache.set_capacity(self.random.below(60)),
            98 => self.cache.retain(|key, _| key % 5 != 0),
            _ => drop(self.cache.get_if_present(&key)),
        }
        self.settle();
    }

    fn next(&mut self) -> u32 {
        self.inserted += 1;
        self.inserted
    }

    fn insert(&mut self, key: u32) {
        let value = self.next();
        let loaded = Loaded::new(V::new(value)).weight(self.random.below(12));
        match self.random.below(8) {
            0 => drop(self.cache.insert_with(key, loaded.ttl(Duration::ZERO))),
            1 => {
                self.due.insert(value, key);
                self.cache.insert_with(key, loaded.ttl(ms(20)));
            }
            _ => {
                self.due.insert(value, key);
                self.cache.insert_with(key, loaded);
            }
        }
    }

    fn ask(&mut self, key: u32) {
        let options = LookupOptions::new();
        let options = if self.random.below(4) == 0 { options.reload() } else { options };
        let asked = wakers::now(self.cache.lookup(&key, options));
        let Some(outcome) = asked.ok().filter(|outcome| outcome.led()) else { return };
        let value = **outcome.value();
        assert!(value >= LOADED);
        if (value - LOADED) % 7 != 0 {
            self.due.insert(value, key);
        } else {
            assert!(outcome.generation().is_none());
        }
    }

    fn compute(&mut self, key: u32) {
        let (value, choice) = (self.next(), self.random.below(3));
        self.cache.compute(&key, |_| match choice {
            0 => Change::Keep,
            1 => Change::Remove,
            _ => Change::Store(Loaded::new(V::new(value))),
        });
        if choice == 2 {
            self.due.insert(value, key);
        }
    }

    /// Takes note of what left: it was due, of that key, and is not told again.
    fn settle(&mut self) {
        for (key, value, _) in self.events.0.borrow().iter() {
            assert_eq!(self.due.remove(value), Some(*key), "value {value} of key {key} has one event");
        }
        let stats = self.cache.stats();
        assert_sums(&stats);
        let counts = [stats.evicted, stats.expired_out, stats.replaced, stats.removed, stats.refused];
        for (.., cause) in self.events.take() {
            *self.heard.entry(cause.as_str()).or_default() += 1;
        }
        let heard = CAUSES.map(|cause| self.heard.get(cause.as_str()).copied().unwrap_or_default());
        assert_eq!(heard, counts, "what is counted is what is heard");
        assert_eq!(self.due.len(), self.cache.len(), "what is held has no event");
    }

    fn end(self) {
        for (value, key) in &self.due {
            assert_eq!(self.cache.peek(key).map(|found| **found.value()), Some(*value));
        }
        assert_clean(&self.cache.stats());
    }
}
