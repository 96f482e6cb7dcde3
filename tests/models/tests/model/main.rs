//! Random operations on the cache and on a plain model of it, compared: more than a million steps.
//!
//! They include callers that are dropped, parked and polled without a wake, loads that fail and panic, clocks that
//! jump, and calls of the cache from inside loads, weighers, listeners, predicates and drops of values.

mod callers;
mod loads;
mod plain;
mod world;

use larder::{Cache, Status, TimeLeft};
use larder_tests::*;

use self::{
    plain::{Call, Counts, Plain, Rules},
    world::World,
};

on_every_runtime! {
    nothing_expires
    values_expire
    stale_values_are_served
    failures_are_kept
    loads_are_overtaken
    loads_are_overtaken_beside_writes
    there_is_little_room
    idle_values_expire
}

const STEPS: u32 = 7_000;
const SEEDS: u64 = 7;
const PLAIN: Rules = Rules {
    keys: 24,
    ttl: None,
    idle: None,
    stale: None,
    stale_if_error: None,
    error_ttl: 0,
    lock_age: None,
    attempts: 4,
    is_small: false,
};

/// P1 to P5, P8 to P14.
fn nothing_expires<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, PLAIN));
}

/// P11.
fn values_expire<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, Rules { ttl: Some(60), ..PLAIN }));
}

/// P1 to P5, P8 to P14.
fn stale_values_are_served<R: Host>() {
    let rules = Rules { ttl: Some(40), stale: Some(50), stale_if_error: Some(90), ..PLAIN };
    (0..SEEDS).for_each(|seed| storm::<R>(seed, rules));
}

/// P4.
fn failures_are_kept<R: Host>() {
    let rules = Rules { ttl: Some(40), stale: Some(50), stale_if_error: Some(90), error_ttl: 20, ..PLAIN };
    (0..SEEDS).for_each(|seed| storm::<R>(seed, rules));
}

/// P6, P7.
fn loads_are_overtaken<R: Host>() {
    let rules = Rules { ttl: Some(60), stale: Some(50), lock_age: Some(30), attempts: 3, ..PLAIN };
    (0..SEEDS).for_each(|seed| storm::<R>(seed, rules));
}

/// P6, P7, D11: few keys, each written to while its loads hang, and little time.
fn loads_are_overtaken_beside_writes<R: Host>() {
    for seed in 0..3 * SEEDS {
        let keys = [3, 6, 24][seed as usize % 3];
        let (lock_age, attempts) = (Some(10 + seed % 4 * 7), 1 + seed as usize / 3 % 3);
        let (stale_if_error, error_ttl) = ((seed % 4 > 1).then_some(30), seed % 2 * 20);
        let rules = Rules { keys, ttl: Some(60), stale: Some(50), stale_if_error, error_ttl, ..PLAIN };
        storm::<R>(seed, Rules { lock_age, attempts, is_small: seed % 10 == 4, ..rules });
    }
}

/// P12.
fn there_is_little_room<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, Rules { ttl: Some(60), stale: Some(20), is_small: true, ..PLAIN }));
}

/// D53.
fn idle_values_expire<R: Host>() {
    (0..SEEDS).for_each(|seed| storm::<R>(seed, Rules { ttl: Some(70), idle: Some(30), stale: Some(20), ..PLAIN }));
}

fn storm<R: Host>(seed: u64, rules: Rules) {
    with_seed(seed, || play::<R>(seed, rules));
}

fn play<R: Host>(seed: u64, rules: Rules) {
    let sim = Sim::new();
    let world = World::<R>::new(&sim.time, seed, Plain::new(rules));
    let mut builder = Cache::builder(R::on(sim.clock()))
        .loader(world.loader())
        .hash_seed(seed)
        .weigher(world.weigher())
        .listener(world.listener())
        .attempts(rules.attempts as u32)
        .error_ttl(ms(rules.error_ttl));
    builder =
        if rules.is_small { builder.capacity(20).shards(1 + seed as usize % 4) } else { builder.capacity(100_000) };
    builder = rules.ttl.map(ms).into_iter().fold(builder, larder::Builder::ttl);
    builder = rules.idle.map(ms).into_iter().fold(builder, larder::Builder::time_to_idle);
    builder = rules.stale.map(ms).into_iter().fold(builder, larder::Builder::stale_while_refresh);
    builder = rules.stale_if_error.map(ms).into_iter().fold(builder, larder::Builder::stale_if_error);
    builder = rules.lock_age.map(ms).into_iter().fold(builder, larder::Builder::lock_age);
    *world.cache.borrow_mut() = Some(builder.build().expect("valid"));
    let mut storm = Storm { sim, world, waiting: Vec::new(), jumped: 0 };
    for step in 0..STEPS {
        storm.step();
        storm.check(step);
    }
    storm.end();
}

struct Storm<R: Host> {
    sim: Sim,
    world: Rc<World<R>>,
    waiting: Vec<usize>,
    /// An earlier caller may have seen a later time than the current one.
    jumped: usize,
}

impl<R: Host> Storm<R> {
    fn step(&mut self) {
        let world = self.world.clone();
        let key = world.key();
        match world.below(100) {
            0..30 => self.come(key),
            30..38 => self.spawn(callers::stale(world, key)),
            38..43 => {
                let keys = (0..world.below(6)).map(|_| world.key()).collect();
                let call = Call { reload: world.below(8) == 0, ..Call::default() };
                self.spawn(callers::many(world, keys, call));
            }
            43..52 => self.with_one_who_waits(Sim::drop),
            52..56 => self.with_one_who_waits(Sim::park),
            56..61 => self.with_one_who_waits(Sim::unpark),
            61..64 => self.with_one_who_waits(Sim::poll),
            64..68 => world.insert(key),
            68 => world.remove_if(key % 2),
            69..72 => world.remove(key),
            72 => world.clear(),
            73 => world.retain(key % 2),
            74 | 75 => world.expire(key),
            76 | 77 => world.invalidate(key),
            78 | 79 => world.compute(key),
            80..82 => world.get_if_present(key),
            82..98 => {
                let to = self.sim.time.ms() + world.below(25);
                self.sim.to(to);
            }
            98 => {
                // What the cache has forgotten does not come back when the clock jumps back.
                let now = self.sim.time.ms();
                world.cache().sweep();
                world.model.borrow_mut().forget(now);
                self.sim.jump(now.saturating_sub(world.below(60)));
                self.jumped = self.sim.callers();
            }
            _ => drop(world.cache().sweep()),
        }
        let tickets = core::mem::take(&mut *self.world.tickets.borrow_mut());
        for ticket in tickets {
            if self.world.below(4) > 0 {
                self.spawn(ticket);
            }
        }
        if self.world.below(3) > 0 {
            self.sim.run();
        }
        if self.world.below(16) == 0 {
            self.sim.run();
            self.world.quiet.set(true);
            // A clock that jumps back lengthens the waits that have begun.
            let others = self.waiting.iter().copied().filter(|i| *i >= self.jumped);
            self.sim.assert_nobody_is_forgotten(others);
            self.world.quiet.set(false);
        }
        let sim = &self.sim;
        self.waiting.retain(|i| match sim.end(*i) {
            Some(Saw::Panic(message)) => panic!("caller {i}: {message}"),
            end => end.is_none(),
        });
    }

    fn come(&mut self, key: u32) {
        let world = self.world.clone();
        let call = match world.below(8) {
            0 => Call { reload: true, ..Call::default() },
            1 | 2 if world.model.borrow().rules.lock_age.is_some() => {
                let then = callers::on_timeout(world.below(3));
                Call { timeout: Some((world.below(60), then)), ..Call::default() }
            }
            _ => Call::default(),
        };
        self.spawn(callers::lookup(world, key, call));
    }

    fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let i = self.sim.spawn(future);
        self.waiting.push(i);
    }

    fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let i = self.waiting[self.world.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    /// Compares everything that is visible from outside.
    fn check(&mut self, step: u32) {
        let (world, now) = (&self.world, self.sim.time.ms());
        let (cache, model) = (world.cache(), world.model.borrow());
        model.check();
        let stats = cache.stats();
        assert_sums(&stats);
        assert_eq!(stats.loads_in_flight as usize, world.live.get(), "step {step}");
        assert_eq!(stats.held as usize, model.held.len(), "step {step}");
        assert!(cache.weight() <= cache.capacity(), "step {step}");
        let counts = Counts {
            hits: stats.hits,
            misses: stats.misses,
            expired: stats.expired,
            joined: stats.joined,
            stale: stats.stale,
            errors: stats.errors,
            abandoned: stats.abandoned,
            stored: stats.stored,
        };
        if world.many.get() == 0 {
            assert_eq!(stats.waiters as usize, model.seats(), "step {step}");
            assert_eq!(counts.lookups(), model.counts.lookups(), "step {step}: {counts:?} {:?}", model.counts);
        }
        for key in 0..world.keys() as u32 {
            let found = cache.peek(&key);
            let held = model.held.get(&key);
            let seen = found.as_ref().map(|found| {
                let left = match found.time_left() {
                    TimeLeft::Forever => u64::MAX,
                    TimeLeft::For(left) => left.as_millis() as u64,
                };
                let stale = match found.status() {
                    Status::Stale(age) => Some(age.as_millis() as u64),
                    _ => None,
                };
                (found.value().id(), found.age().as_millis() as u64, left, stale)
            });
            let expected = held.map(|held| {
                // (Never more than the given lifetime, although the clock has jumped back.)
                let since = now.max(held.published);
                let most = model.rules.idle.unwrap_or(u64::MAX);
                let left =
                    if held.deadline == u64::MAX { u64::MAX } else { held.deadline.saturating_sub(since).min(most) };
                let stale = (!held.is_fresh(now)).then(|| now - held.deadline);
                (held.id, now.saturating_sub(held.published), left, stale)
            });
            assert_eq!(seen, expected, "step {step}, key {key}");
        }
    }

    fn end(mut self) {
        for i in self.waiting.clone() {
            if self.world.below(2) == 0 { self.sim.drop(i) } else { self.sim.unpark(i) }
        }
        let last = self.sim.time.ms() + 1000;
        self.sim.to(last);
        for i in self.waiting.clone() {
            self.sim.drop(i);
        }
        let left = core::mem::take(&mut *self.world.tickets.borrow_mut());
        drop(left);
        let cache = self.world.cache.borrow_mut().take().expect("it is there until the end");
        let stats = cache.stats();
        assert_clean(&stats);
        assert_eq!((self.world.live.get(), self.world.model.borrow().seats()), (0, 0));
        assert!(stats.hits > 0 && stats.loads_failed > 0 && stats.loads_panicked > 0 && stats.joined > 0, "{stats:?}");
    }
}
