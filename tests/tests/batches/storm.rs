//! Long runs of random operations on a cache that loads many keys at once; the statistics are checked after every step.

use larder::{Loaded, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    random_batches_on_a_plain_cache
    random_batches_with_everything_on
    random_batches_with_little_room
}

const STEPS: usize = 2000;
const KEYS: u64 = 16;

/// P1 to P5, P8, P10.
fn random_batches_on_a_plain_cache<R: Host>() {
    (0..6).for_each(|seed| Storm::<R>::new(seed, |c| c.ttl(ms(60))).blow());
}

/// All options at once. (P1 to P14)
fn random_batches_with_everything_on<R: Host>() {
    for seed in 10..16 {
        Storm::<R>::new(seed, |c| {
            c.ttl(ms(60))
                .lock_age(ms(40))
                .attempts(3)
                .lock_timeout(ms(70), OnTimeout::Load)
                .load_budget(ms(120))
                .error_ttl(ms(20))
                .stale_while_refresh(ms(50))
                .stale_if_error(ms(90))
                .store_surplus()
        })
        .blow();
    }
}

/// P10, P12.
fn random_batches_with_little_room<R: Host>() {
    for seed in 20..24 {
        Storm::<R>::new(seed, |c| c.capacity(5).ttl(ms(30)).lock_age(ms(20)).over_age_alone()).blow();
    }
}

struct Storm<R: Host> {
    seed: u64,
    random: Random,
    sim: Sim,
    batches: Batches,
    cache: Batched<R>,
    /// The waiting callers, and the keys of each.
    waiting: Vec<(usize, Vec<u32>)>,
    /// The callers whose loads borrow from them.
    keeping: Vec<usize>,
}

impl<R: Host> Storm<R> {
    fn new(seed: u64, setup: impl FnOnce(BatchSetup<R>) -> BatchSetup<R>) -> Self {
        let sim = Sim::new();
        let wait = move |_: &[u32], call: usize| {
            let mut random = Random::new(seed ^ ((call as u64) << 20));
            let load = match random.below(8) {
                0 => ready(),
                1 => polls(1 + random.below(4) as u32),
                2..6 => after(random.below(60)),
                6 => steps(1 + random.below(4) as u32, random.below(15)),
                _ => never(),
            };
            match random.below(8) {
                0 => load.fails(call as u32),
                1 => load.panics(call as u32),
                _ => load,
            }
        };
        let number = Cell::new(0);
        let says = move |keys: &[u32]| {
            number.set(number.get() + 1);
            let mut random = Random::new(seed ^ (number.get() << 21));
            let mut said: Said = Vec::new();
            for key in keys.iter().copied().chain([random.below(KEYS) as u32]) {
                let value = V::new(number.get() as u32 * 1000 + key);
                match random.below(10) {
                    0 => {}
                    1 => said.push((key, Err(Boom(key)))),
                    2 => said.push((key, Ok(Loaded::new(value).ttl(ms(random.below(30)))))),
                    3 => said.push((key, Ok(Loaded::new(value).weight(random.below(9))))),
                    _ => said.push((key, Ok(Loaded::new(value)))),
                }
            }
            let middle = said.len() / 2;
            said.rotate_left(middle);
            said
        };
        let batches = Batches::saying(&sim.time, wait, says);
        let cache = sim.batched(&batches, setup);
        Self { seed, random: Random::new(seed), sim, batches, cache, waiting: Vec::new(), keeping: Vec::new() }
    }

    fn blow(mut self) {
        for step in 0..STEPS {
            self.step();
            if self.random.below(3) > 0 {
                self.sim.run();
            }
            if step % 8 == 0 {
                self.sim.assert_nobody_is_forgotten(self.waiting.iter().map(|(i, _)| *i));
            }
            self.settle(step);
        }
        self.end();
    }

    fn step(&mut self) {
        let key = self.random.below(KEYS) as u32;
        match self.random.below(100) {
            0..25 => {
                let keys: Vec<_> = (0..self.random.below(9)).map(|_| self.random.below(KEYS) as u32).collect();
                let (cache, asked, options) = (self.cache.clone(), keys.clone(), self.options());
                let i = self.sim.spawn(async move { cache.lookup_many(&asked).options(options).await });
                self.waiting.push((i, keys));
            }
            25..33 => {
                let keys: Vec<_> = (0..self.random.below(9)).map(|_| self.random.below(KEYS) as u32).collect();
                let (cache, asked, options, own) =
                    (self.cache.clone(), keys.clone(), self.options(), self.batches.clone());
                let call = async move { cache.lookup_many(&asked).options(options).by(|keys| own.begin(keys)).await };
                let i = self.sim.spawn(call);
                self.keeping.push(i);
                self.waiting.push((i, keys));
            }
            33..43 => {
                let options = self.options();
                let i = self.sim.queue_up(&self.cache, key, options);
                self.waiting.push((i, vec![key]));
            }
            43..52 => self.with_one_who_waits(Sim::drop),
            52..56 => self.with_one_who_waits(Sim::park),
            56..61 => self.with_one_who_waits(Sim::unpark),
            61..64 => self.with_one_who_waits(Sim::poll),
            64..70 => {
                let loaded = Loaded::new(V::new(1_000_000 + key)).weight(self.random.below(4));
                self.cache.insert_with(key, loaded);
            }
            70..74 => drop(self.cache.remove(&key)),
            74 => self.cache.clear(),
            75 => self.cache.retain(|own, _| own % 2 == key % 2),
            76 => drop(self.cache.sweep()),
            _ => {
                let to = self.sim.time.ms() + self.random.below(25);
                self.sim.to(to);
            }
        }
    }

    fn options(&mut self) -> LookupOptions {
        let options = LookupOptions::new();
        match self.random.below(8) {
            0 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::Fail),
            1 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::LoadAlone),
            2 => options.lock_timeout(ms(self.random.below(30)), OnTimeout::Load),
            3 => options.no_lock_timeout(),
            4 => options.reload(),
            _ => options,
        }
    }

    fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let (i, _) = self.waiting[self.random.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    fn settle(&mut self, step: usize) {
        let told = format!("seed {}, step {step}", self.seed);
        let sim = &self.sim;
        self.waiting.retain(|(i, keys)| match sim.end(*i) {
            None => true,
            Some(Saw::Answer(Answer::Many(answers))) => {
                assert_eq!(answers.len(), keys.len(), "{told}");
                keys.iter().zip(answers).for_each(|(key, answer)| is_right(*key, answer, &told));
                false
            }
            Some(Saw::Answer(one)) => {
                is_right(keys[0], one, &told);
                false
            }
            Some(Saw::Panic(message)) => panic!("{told}: {message}"),
            Some(_) => false,
        });
        let stats = self.cache.stats();
        assert_sums(&stats);
        assert_eq!(stats.held as usize, self.cache.len(), "{told}");
        assert!(self.cache.weight() <= self.cache.capacity(), "{told}");
        if self.keeping.iter().all(|i| self.sim.end(*i).is_some()) {
            assert!(self.batches.live() as u64 <= stats.loads_in_flight, "{told}: a load that no caller waits for");
        }
    }

    fn end(mut self) {
        for (i, _) in self.waiting.clone() {
            if self.random.below(2) == 0 { self.sim.drop(i) } else { self.sim.unpark(i) }
        }
        let last = self.sim.time.ms() + 1000;
        self.sim.to(last);
        self.waiting.clone().into_iter().for_each(|(i, _)| self.sim.drop(i));
        let stats = self.cache.stats();
        assert_clean(&stats);
        assert_eq!(self.batches.live(), 0);
        assert_eq!(self.sim.time.next_deadline(), None, "sleeps are left behind");
        assert!(stats.hits > 0 && stats.loads_failed > 0 && stats.loads_panicked > 0 && stats.joined > 0, "{stats:?}");
    }
}

fn is_right(key: u32, answer: &Answer, told: &str) {
    match answer {
        Answer::Outcome(outcome, _) => assert_eq!(**outcome.value() % 1000, key, "{told}"),
        Answer::Error(larder::LoadError::Reentrant) => panic!("{told}: no load calls from inside"),
        _ => {}
    }
}
