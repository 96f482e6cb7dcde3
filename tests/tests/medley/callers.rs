//! Who calls the cache, and what is seen of it.

use std::{collections::BTreeSet, marker::PhantomData, rc::Rc};

use larder::{Change, Loaded, LookupOptions, OnTimeout, Outcome, Status};
use larder_tests::*;

use super::{
    STEPS,
    ways::{In, Ways},
    world::{Epoch, World},
};

const KEYS: u64 = 8;

pub(crate) struct Medley<W> {
    world: Rc<World>,
    sim: Sim,
    spawner: Spawning,
    cache: In,
    ways: PhantomData<W>,
    /// For which keys each caller asks, and after which writes to them.
    asked: Vec<Vec<(u32, Epoch)>>,
    waiting: Vec<usize>,
    tickets: Vec<Ticket>,
    /// How many lookups have to be counted in the end, and of how many that is not known as they unwound.
    lookups: u64,
    unsure: u64,
    inside: Rc<std::cell::Cell<u64>>,
    /// Whether the clock jumps back, which makes fresh again what has expired.
    jumps: bool,
}

impl<W: Ways + 'static> Medley<W> {
    pub(crate) fn new(world: Rc<World>, sim: Sim, spawner: Spawning, cache: In, _: W) -> Self {
        let (asked, waiting, tickets) = (Vec::new(), Vec::new(), Vec::new());
        let (inside, jumps) = (Rc::default(), world.below(2) == 0);
        Self {
            ways: PhantomData,
            world,
            sim,
            spawner,
            cache,
            asked,
            waiting,
            tickets,
            lookups: 0,
            unsure: 0,
            inside,
            jumps,
        }
    }

    pub(crate) fn play(mut self) {
        let (world, cache, inside) = (Rc::clone(&self.world), self.cache.clone(), Rc::clone(&self.inside));
        self.world.inside.replace(Some(Rc::new(move |key| {
            let (world, cache, inside) = (Rc::clone(&world), cache.clone(), Rc::clone(&inside));
            Box::pin(async move {
                inside.set(inside.get() + 1);
                let _told = W::lookup(&world, cache, key, LookupOptions::new()).await;
            })
        })));
        for _ in 0..STEPS {
            self.step();
            self.sim.run();
            self.settle();
        }
        self.end();
    }

    fn below(&self, bound: u64) -> u64 {
        self.world.below(bound)
    }

    fn key(&self) -> u32 {
        self.below(KEYS) as u32
    }

    fn step(&mut self) {
        let (key, cache, world) = (self.key(), self.cache.clone(), Rc::clone(&self.world));
        match self.below(100) {
            0..16 => {
                let options = self.options();
                self.ask(&[key], W::lookup(&world, cache, key, options));
            }
            16..26 => {
                let options = self.options();
                self.ask(&[key], W::stale(&world, cache, key, options));
            }
            26..34 => {
                let (keys, options) = (self.keys(), self.options());
                self.ask(&keys.clone(), W::many(&world, cache, keys, options));
            }
            34..40 => {
                let (keys, options) = (self.keys(), self.options());
                self.ask(&keys.clone(), async move {
                    cache.lookup_many(&keys).options(options).by(|keys| world.load_many(&keys)).await
                });
            }
            40..46 => {
                let options = self.options();
                self.ask(&[key], async move { cache.lookup(&key).options(options).lend(|| world.load_one(key)).await });
            }
            46..54 => self.with_one_who_waits(Sim::drop),
            54..58 => self.with_one_who_waits(Sim::park),
            58..63 => self.with_one_who_waits(Sim::unpark),
            63..65 => self.with_one_who_waits(Sim::poll),
            65..68 => {
                if !self.tickets.is_empty() {
                    let ticket = self.tickets.swap_remove(self.below(self.tickets.len() as u64) as usize);
                    if self.below(2) == 0 {
                        self.ask(&[], ticket);
                    }
                }
            }
            68..78 => self.write(key),
            78 => self.cache.set_capacity([0, 1, 3, 30][self.below(4) as usize]),
            79 => drop(self.cache.sweep()),
            80 => {
                self.lookups += 1;
                drop(self.cache.get_if_present(&key));
            }
            81 if self.jumps => {
                let back = self.sim.time.ms().saturating_sub(self.below(60));
                self.sim.jump(back);
            }
            _ => {
                let to = self.sim.time.ms() + self.below(25);
                self.sim.to(to);
            }
        }
    }

    fn write(&mut self, key: u32) {
        let (world, cache) = (&self.world, &self.cache);
        match self.below(8) {
            0 => {
                world.written(Some(key), true);
                let loaded = world.loaded(key, world.epoch(key));
                cache.insert_with(key, loaded);
            }
            1 => {
                world.written(Some(key), true);
                drop(cache.remove(&key));
            }
            2 => {
                world.written(None, true);
                cache.clear();
            }
            3 => {
                world.written(None, false);
                cache.retain(|key, value| {
                    let keeps = world.below(2) == 0;
                    if keeps {
                        world.confirm(value, world.epoch(*key));
                    } else {
                        world.written(Some(*key), true);
                    }
                    keeps
                });
            }
            4 => {
                world.written(Some(key), false);
                cache.expire(&key);
            }
            5 => {
                if let Some(generation) = cache.peek(&key).and_then(|outcome| outcome.generation()) {
                    assert!(cache.invalidate_if(&key, generation));
                    assert!(!cache.invalidate_if(&key, generation));
                    world.written(Some(key), true);
                }
            }
            6 => {
                let epoch = world.epoch(key);
                let next = Epoch { any: epoch.any + 1, hard: epoch.hard + 1 };
                let _computed = cache.compute(&key, |_| Change::Store(Loaded::new(world.value(key, next))));
                world.written(Some(key), true);
            }
            _ => {
                let was = cache.contains(&key);
                let _computed = cache.compute(&key, |_| Change::Remove);
                if was {
                    world.written(Some(key), true);
                }
            }
        }
    }

    fn keys(&self) -> Vec<u32> {
        (0..1 + self.below(4)).map(|_| self.key()).collect()
    }

    fn options(&self) -> LookupOptions {
        let options = LookupOptions::new().ttl(self.world.ttl());
        let patience = ms(self.below(30));
        match self.below(10) {
            0 => options.lock_timeout(patience, OnTimeout::Fail),
            1 => options.lock_timeout(patience, OnTimeout::Stale).stale_while_refresh(ms(20)),
            2 => options.lock_timeout(patience, OnTimeout::LoadAlone),
            3 => options.lock_timeout(patience, OnTimeout::Load),
            4 => options.no_lock_timeout(),
            5 => options.reload(),
            6 => options.stale_if_error(patience),
            _ => options,
        }
    }

    fn ask<A: Into<Answer>>(&mut self, keys: &[u32], future: impl Future<Output = A> + 'static) {
        self.lookups += keys.iter().collect::<BTreeSet<_>>().len() as u64;
        self.asked.push(keys.iter().map(|key| (*key, self.world.epoch(*key))).collect());
        let caller = self.sim.call(future);
        assert_eq!(caller + 1, self.asked.len());
        self.waiting.push(caller);
    }

    fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let i = self.waiting[self.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    fn settle(&mut self) {
        for task in self.spawner.take() {
            if self.below(4) > 0 {
                self.ask(&[], task);
            }
        }
        let ended: Vec<_> = self.waiting.iter().copied().filter(|i| self.sim.end(*i).is_some()).collect();
        self.waiting.retain(|i| self.sim.end(*i).is_none());
        for i in ended {
            let asked = &self.asked[i];
            match self.sim.end(i) {
                Some(Saw::Answer(Answer::Outcome(outcome, ticket))) => {
                    self.check(i, asked[0], outcome);
                    if ticket.is_some() {
                        let ticket = self.sim.ticket(i);
                        self.tickets.push(ticket);
                    }
                }
                Some(Saw::Answer(Answer::Many(answers))) => {
                    assert_eq!(answers.len(), asked.len());
                    for (answer, asked) in answers.iter().zip(asked) {
                        if let Answer::Outcome(outcome, _) = answer {
                            self.check(i, *asked, outcome);
                        }
                    }
                }
                Some(Saw::Bang(_)) if asked.len() > 1 => self.unsure += asked.len() as u64,
                Some(Saw::Panic(message)) => panic!("caller {i}: {message}"),
                _ => {}
            }
        }
        let stats = self.cache.stats();
        assert_sums(&stats);
        assert!(self.cache.weight() <= self.cache.capacity());
        assert_eq!(stats.held, self.cache.len() as u64);
    }

    fn check(&self, caller: usize, (key, asked): (u32, Epoch), outcome: &Outcome<V, Boom>) {
        let (of, read) = self.world.of(outcome.value());
        assert_eq!(of, key, "caller {caller} has the value of another key");
        let is_stale = matches!(outcome.status(), Status::Stale(_));
        assert!(read.hard >= asked.hard, "caller {caller} of key {key}: {read:?} {asked:?} {outcome:?}");
        assert!(
            self.jumps || is_stale || read.any >= asked.any,
            "caller {caller} of key {key}: {read:?} {asked:?} {outcome:?}"
        );
    }

    fn end(mut self) {
        self.tickets.clear();
        for i in self.waiting.clone() {
            self.sim.unpark(i);
        }
        for _ in 0..40 {
            let to = self.sim.time.ms() + 100;
            self.sim.to(to);
            self.settle();
        }
        for i in &self.waiting {
            println!("caller {i} of {:?} {}", self.asked[*i], self.sim.saw(*i));
        }
        assert_eq!(self.waiting.len(), 0, "waits for ever: {:?}", self.cache.stats());
        self.tickets.clear();
        let stats = self.cache.stats();
        assert_clean(&stats);
        assert_eq!(self.world.live.get(), 0);
        let counted =
            stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors + stats.abandoned;
        let lookups = self.lookups + self.inside.get();
        assert!(counted <= lookups && counted + self.unsure >= lookups, "{lookups} {} {stats:?}", self.unsure);
        self.world.inside.take();
    }
}
