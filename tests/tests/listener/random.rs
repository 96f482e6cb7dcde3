//! Random operations, and an event for each value that leaves.

use std::collections::BTreeMap;

use larder::{Change, Loaded, LookupOptions, RemovalCause, Ttl};
use larder_tests::*;

use super::{Events, Heard, cache};

on_every_runtime! {
    c60_random_operations
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
        let cache = cache::<R>(&sim, &loads, setup, events.listener());
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

/// The load of this number returns a unique value.
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

struct Run<R: Host> {
    random: Random,
    sim: Sim,
    cache: Heard<R>,
    events: Events,
    /// The values that are held or were refused; each must get an event in the end.
    due: BTreeMap<u32, u32>,
    inserted: u32,
    /// The number of events by cause.
    heard: BTreeMap<&'static str, u64>,
}

const CAUSES: [RemovalCause; 5] = [
    RemovalCause::Evicted,
    RemovalCause::Expired,
    RemovalCause::Replaced,
    RemovalCause::Removed,
    RemovalCause::Refused,
];

impl<R: Host> Run<R> {
    fn step(&mut self) {
        let key = self.random.below(KEYS) as u32;
        match self.random.below(100) {
            0..30 => self.insert(key),
            30..60 => self.ask(key),
            60..65 => self.compute(key),
            65..75 => {
                let given_back = self.cache.remove(&key).map(|value| (key, *value, RemovalCause::Removed));
                // (What is reclaimed is told after it.)
                let told = self.events.0.borrow().first().copied();
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
            99 if self.random.below(10) == 0 => {
                self.cache.set_capacity([self.random.below(60), 200][self.random.below(2) as usize])
            }
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
        let asked = wakers::now(self.cache.lookup(&key).options(options));
        let Some(outcome) = asked.ok().filter(|outcome| outcome.led() && outcome.error().is_none()) else { return };
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
        let _done = self.cache.compute(&key, |_| match choice {
            0 => Change::Keep,
            1 => Change::Remove,
            _ => Change::Store(Loaded::new(V::new(value))),
        });
        if choice == 2 {
            self.due.insert(value, key);
        }
    }

    /// Records a value that left: it must be expected, with that key, and not told before.
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
