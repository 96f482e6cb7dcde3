//! Long runs of random operations in virtual time; the statistics are checked after every step.

use larder::{Loaded, LookupOptions, OnTimeout, Ttl};
use larder_tests::*;

on_every_runtime! {
    random_operations_with_everything_on
    random_operations_on_a_plain_cache
    random_operations_in_several_shards
}

const STEPS: usize = 2500;
const KEYS: u64 = 24;

/// All options at once. (P1 to P14)
fn random_operations_with_everything_on<R: Host>() {
    for seed in 0..10 {
        Storm::<R>::new(seed, |c| {
            c.capacity(30)
                .shards(1)
                .ttl(ms(60))
                .lock_age(ms(40))
                .attempts(3)
                .lock_timeout(ms(70), OnTimeout::Load)
                .load_budget(ms(120))
                .error_ttl(ms(20))
                .error_backoff(2.0, ms(80))
                .stale_while_refresh(ms(50))
                .stale_if_error(ms(90))
        })
        .blow();
    }
}

/// No option at all. (P1 to P14)
fn random_operations_on_a_plain_cache<R: Host>() {
    for seed in 100..102 {
        Storm::<R>::new(seed, |c| c.capacity(10_000)).blow();
    }
}

/// Several shards, little room; callers load alone if a load is over its age. (P1 to P14)
fn random_operations_in_several_shards<R: Host>() {
    for seed in 200..202 {
        let setup = |c: Setup<R>| c.capacity(10).shards(4).ttl(ms(30)).lock_age(ms(20)).over_age_alone();
        Storm::new(seed, setup).blow();
    }
}

struct Storm<R: Host> {
    seed: u64,
    random: Random,
    sim: Sim,
    loads: Loads,
    cache: Scripted<R>,
    waiting: Vec<usize>,
    /// The key that each caller asked for; a ticket has none.
    asked: Vec<Option<u32>>,
    inserted: u32,
}

impl<R: Host> Storm<R> {
    fn new(seed: u64, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> Self {
        let sim = Sim::new();
        let loads = sim.loads_by(move |key, call| script(&mut Random::new(seed ^ ((call as u64) << 20)), key, call));
        let cache = sim.cache(&loads, setup);
        let random = Random::new(seed);
        Self { seed, random, sim, loads, cache, waiting: Vec::new(), asked: Vec::new(), inserted: 0 }
    }

    fn blow(mut self) {
        for step in 0..STEPS {
            let act = self.random.below(100);
            self.step(act);
            if self.random.below(3) > 0 {
                self.sim.run();
            }
            self.settle(step);
        }
        self.end();
    }

    fn step(&mut self, act: u64) {
        let key = self.random.below(KEYS) as u32;
        match act {
            0..35 => self.ask(key),
            35..45 => {
                let (cache, options) = (self.cache.clone(), self.options());
                self.note(Some(key), |sim| sim.spawn(async move { cache.lookup(&key).options(options).stale().await }));
            }
            45..55 => self.with_one_who_waits(Sim::drop),
            55..60 => self.with_one_who_waits(Sim::park),
            60..65 => self.with_one_who_waits(Sim::unpark),
            65..68 => self.with_one_who_waits(Sim::poll),
            68..74 => {
                self.inserted += 1;
                let loaded = Loaded::new(V::new(self.inserted * 1000 + key)).ttl(self.ttl());
                let loaded = loaded.weight(self.random.below(8));
                self.cache.insert_with(key, loaded);
            }
            74..78 => drop(self.cache.remove(&key)),
            78 => self.cache.clear(),
            79 => {
                let odd = self.random.below(2) as u32;
                self.cache.retain(|key, _| key % 2 == odd);
            }
            80..98 => {
                let to = self.sim.time.ms() + self.random.below(25);
                self.sim.to(to);
            }
            98 => {
                let back = self.sim.time.ms().saturating_sub(self.random.below(60));
                self.sim.jump(back);
            }
            _ => drop(self.cache.sweep()),
        }
    }

    fn ask(&mut self, key: u32) {
        let (cache, options) = (self.cache.clone(), self.options());
        self.note(Some(key), |sim| sim.queue_up(&cache, key, options));
    }

    fn options(&mut self) -> LookupOptions {
        let options = LookupOptions::new().ttl(self.ttl());
        match self.random.below(8) {
            0 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::Fail),
            1 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::Stale).stale_while_refresh(ms(20)),
            2 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::LoadAlone),
            3 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::Load),
            4 => options.no_lock_timeout(),
            5 => options.reload(),
            _ => options,
        }
    }

    fn ttl(&mut self) -> Ttl {
        match self.random.below(10) {
            0 => Ttl::NotStored,
            1 => Ttl::Forever,
            2..5 => Ttl::For(ms(self.random.below(80))),
            _ => Ttl::Inherit,
        }
    }

    fn note(&mut self, key: Option<u32>, spawn: impl FnOnce(&mut Sim) -> usize) {
        let i = spawn(&mut self.sim);
        assert_eq!(i, self.asked.len());
        self.asked.push(key);
        self.waiting.push(i);
    }

    fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let i = self.waiting[self.random.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    /// Checks what has ended, and the statistics.
    fn settle(&mut self, step: usize) {
        let told = format!("seed {}, step {step}", self.seed);
        let ended: Vec<_> = self.waiting.iter().copied().filter(|i| self.sim.end(*i).is_some()).collect();
        self.waiting.retain(|i| self.sim.end(*i).is_none());
        for i in ended {
            let has_ticket = match self.sim.end(i) {
                Some(Saw::Answer(Answer::Outcome(outcome, ticket))) => {
                    let key = self.asked[i].expect("a ticket has no outcome");
                    assert_eq!(**outcome.value() % 1000, key, "{told}: caller {i} of key {key}");
                    ticket.is_some()
                }
                Some(Saw::Panic(message)) => panic!("{told}: {message}"),
                _ => false,
            };
            if has_ticket {
                let ticket = self.sim.ticket(i);
                if self.random.below(4) > 0 {
                    self.note(None, |sim| sim.spawn(ticket));
                }
            }
        }
        let stats = self.cache.stats();
        assert_sums(&stats);
        assert_eq!(stats.loads_in_flight as usize, self.loads.live(), "{told}");
        assert_eq!(stats.held as usize, self.cache.len(), "{told}");
        assert!(self.cache.weight() <= self.cache.capacity(), "{told}: {}", self.cache.weight());
    }

    fn end(mut self) {
        // Half of the remaining callers are served to the end as far as possible, the others are dropped.
        for i in self.waiting.clone() {
            if self.random.below(2) == 0 { self.sim.drop(i) } else { self.sim.unpark(i) }
        }
        let last = self.sim.time.ms() + 1000;
        self.sim.to(last);
        for i in self.waiting.clone() {
            // A ticket that came with an answer at the very end waits as any caller does.
            if let Some(Saw::Answer(Answer::Outcome(_, Some(_)))) = self.sim.end(i) {
                drop(self.sim.ticket(i));
            }
            self.sim.drop(i);
        }
        let stats = self.cache.stats();
        assert_clean(&stats);
        assert_eq!(self.loads.live(), 0);
        assert_eq!(self.sim.time.next_deadline(), None, "sleeps are left behind");
        assert!(stats.hits > 0 && stats.loads_failed > 0 && stats.loads_panicked > 0 && stats.joined > 0, "{stats:?}");
        // The cache still works.
        let i = self.sim.get(&self.cache, 5000);
        let last = self.sim.time.ms() + 1000;
        self.sim.to(last);
        assert_ne!(self.sim.saw(i), "waits");
    }
}

fn script(random: &mut Random, key: u32, call: usize) -> Script {
    if u64::from(key) >= KEYS {
        return ready().gives(key); // the key that is asked for at the end
    }
    let n = ((call as u32 + 500_000) * 1000 + key).max(key);
    let load = match random.below(10) {
        0 => ready(),
        1 => polls(1 + random.below(4) as u32),
        2..7 => after(random.below(60)),
        7 | 8 => steps(1 + random.below(4) as u32, random.below(15)),
        _ => never(),
    };
    let load = match random.below(10) {
        0 => load.fails(n),
        1 => load.panics(n),
        _ => load.gives(n),
    };
    match random.below(6) {
        0 => load.ttl(Ttl::NotStored),
        1 => load.ttl(ms(random.below(100))),
        2 => load.weight(random.below(12)),
        _ => load,
    }
}
