//! The same for a slot: forced refreshes, values set and invalidated by hand, watchers, and a task that keeps it fresh.

use std::{cell::Cell, rc::Rc};

use larder::{LazySlot, LookupOptions, OnTimeout, Outcome, Previous, Revalidated, SlotBuilder, Status};
use larder_tests::*;

use super::{
    STEPS, seeds,
    world::{Epoch, World},
};

type Fetch = Box<dyn Fn(Option<Previous<V>>) -> Pin<Box<dyn Future<Output = Result<Revalidated<V>, Boom>>>>>;
type Slot = LazySlot<V, Boom, Spawning>;

/// P1 to P8, D67 to D75, D100.
#[test]
fn of_a_slot() {
    seeds(2000, |seed| {
        let world = World::new(seed);
        let (sim, spawner) = world.simulation();
        let loads = Rc::clone(&world);
        let fetch: Fetch = Box::new(move |previous| loads.load(0, previous.map(|old| old.value().clone())));
        let slot = settings(&world, LazySlot::builder(spawner.clone()).fetch_fn(fetch)).build().expect("valid");
        Medley::new(world, sim, spawner, slot).play();
    });
}

fn settings(world: &World, mut c: SlotBuilder<V, Boom, Spawning>) -> SlotBuilder<V, Boom, Spawning> {
    let t = |most| ms(world.below(most));
    let is = |one_in| world.below(one_in) == 0;
    c = c.retry_after(t(30)).retry_backoff(1.5, ms(60));
    if !is(4) {
        c = c.ttl(t(80));
    }
    if is(2) {
        c = c.stale_limit(t(60));
    }
    if is(2) {
        c = c.refresh_ahead(t(40));
        if is(3) {
            c = c.refresh_inline();
        }
    }
    if is(3) {
        c = c.retry_when_empty();
    }
    if is(3) {
        c = c.jitter(0.5, world.below(9));
    }
    if is(2) {
        c = c.attempts(1 + world.below(4) as u32);
    }
    if is(2) {
        c = c.lock_age(t(50));
    }
    if is(2) {
        let then = [OnTimeout::Load, OnTimeout::Fail, OnTimeout::LoadAlone, OnTimeout::Stale][world.below(4) as usize];
        c = c.lock_timeout(t(60), then);
    }
    if is(3) {
        c = c.fetch_budget(t(70));
    }
    if is(2) { c.finish_abandoned() } else { c }
}

struct Medley {
    world: Rc<World>,
    sim: Sim,
    spawner: Spawning,
    slot: Slot,
    /// After which writes each caller asked; nobody asks who only carries on.
    asked: Vec<Option<Epoch>>,
    waiting: Vec<usize>,
    tickets: Vec<Ticket>,
    lookups: u64,
    inside: Rc<Cell<u64>>,
    jumps: bool,
    keeper: Option<usize>,
    watcher: usize,
    seen: Sightings,
    generation: Option<larder::Generation>,
}

impl Medley {
    fn new(world: Rc<World>, mut sim: Sim, spawner: Spawning, slot: Slot) -> Self {
        let jumps = world.below(2) == 0;
        let (watcher, seen) = sim.watch(&slot);
        Self {
            world,
            sim,
            spawner,
            slot,
            asked: vec![None],
            waiting: Vec::new(),
            tickets: Vec::new(),
            lookups: 0,
            inside: Rc::default(),
            jumps,
            keeper: None,
            watcher,
            seen,
            generation: None,
        }
    }

    fn play(mut self) {
        let (slot, inside) = (self.slot.clone(), Rc::clone(&self.inside));
        self.world.inside.replace(Some(Rc::new(move |_| {
            let (slot, inside) = (slot.clone(), Rc::clone(&inside));
            Box::pin(async move {
                inside.set(inside.get() + 1);
                let _told = slot.lookup(LookupOptions::new()).await;
            })
        })));
        for _ in 0..STEPS {
            let changes = self.seen.changes();
            self.step();
            self.sim.run();
            self.settle(changes);
        }
        self.end();
    }

    fn step(&mut self) {
        let (slot, world) = (self.slot.clone(), Rc::clone(&self.world));
        let options = self.options();
        match world.below(100) {
            0..16 => self.ask(async move { slot.lookup(options).await }),
            16..28 => self.ask(async move { slot.lookup_stale(options).await }),
            28..34 => self.ask(async move { slot.refresh().await }),
            34..42 => self.ask(async move { slot.lookup_with(options, |_| world.load_one(0)).await }),
            42..50 => self.with_one_who_waits(Sim::drop),
            50..55 => self.with_one_who_waits(Sim::park),
            55..61 => self.with_one_who_waits(Sim::unpark),
            61..64 => self.with_one_who_waits(Sim::poll),
            64..68 => {
                if !self.tickets.is_empty() {
                    let ticket = self.tickets.swap_remove(world.below(self.tickets.len() as u64) as usize);
                    if world.below(2) == 0 {
                        self.carry_on(ticket);
                    }
                }
            }
            68..71 => {
                world.written(Some(0), true);
                slot.set_with(world.loaded(0, world.epoch(0)));
            }
            71..73 => {
                world.written(Some(0), true);
                drop(slot.invalidate());
            }
            73..75 => {
                if let Some(generation) = slot.peek().and_then(|outcome| outcome.generation()) {
                    assert!(slot.invalidate_if(generation));
                    world.written(Some(0), true);
                }
            }
            75..77 => {
                world.written(Some(0), false);
                slot.expire();
            }
            77 if self.keeper.is_none() && world.below(4) == 0 => {
                self.keeper = Some(self.asked.len());
                let keeper = slot.keep_fresh();
                self.asked.push(None);
                self.sim.call(keeper);
            }
            78 if self.jumps => {
                let back = self.sim.time.ms().saturating_sub(world.below(60));
                self.sim.jump(back);
            }
            _ => {
                let to = self.sim.time.ms() + world.below(25);
                self.sim.to(to);
            }
        }
    }

    fn options(&self) -> LookupOptions {
        let options = LookupOptions::new().ttl(self.world.ttl());
        let patience = ms(self.world.below(30));
        match self.world.below(10) {
            0 => options.lock_timeout(patience, OnTimeout::Fail),
            1 => options.lock_timeout(patience, OnTimeout::Stale),
            2 => options.lock_timeout(patience, OnTimeout::LoadAlone),
            3 => options.lock_timeout(patience, OnTimeout::Load),
            4 => options.no_lock_timeout(),
            _ => options,
        }
    }

    fn ask<A: Into<Answer>>(&mut self, future: impl Future<Output = A> + 'static) {
        self.lookups += 1;
        self.asked.push(Some(self.world.epoch(0)));
        let caller = self.sim.call(future);
        self.waiting.push(caller);
    }

    fn carry_on(&mut self, future: impl Future<Output = ()> + 'static) {
        self.asked.push(None);
        let caller = self.sim.call(future);
        self.waiting.push(caller);
    }

    fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let i = self.waiting[self.world.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    fn settle(&mut self, changes: usize) {
        for task in self.spawner.take() {
            if self.world.below(4) > 0 {
                self.carry_on(task);
            }
        }
        let ended: Vec<_> = self.waiting.iter().copied().filter(|i| self.sim.end(*i).is_some()).collect();
        self.waiting.retain(|i| self.sim.end(*i).is_none());
        for i in ended {
            match self.sim.end(i) {
                Some(Saw::Answer(Answer::Outcome(outcome, ticket))) => {
                    self.check(i, outcome);
                    if ticket.is_some() {
                        let ticket = self.sim.ticket(i);
                        self.tickets.push(ticket);
                    }
                }
                Some(Saw::Panic(message)) => panic!("caller {i}: {message}"),
                _ => {}
            }
        }
        assert_sums(&self.slot.stats());
        let generation = self.slot.peek().and_then(|outcome| outcome.generation());
        assert!(generation == self.generation || self.seen.changes() > changes, "a change that nobody sees");
        self.generation = generation;
    }

    fn check(&self, caller: usize, outcome: &Outcome<V, Boom>) {
        let Some(asked) = self.asked[caller] else { return };
        let (_, read) = self.world.of(outcome.value());
        let is_stale = matches!(outcome.status(), Status::Stale(_));
        assert!(read.hard >= asked.hard, "caller {caller}: {read:?} {asked:?} {outcome:?}");
        assert!(self.jumps || is_stale || read.any >= asked.any, "caller {caller}: {read:?} {asked:?} {outcome:?}");
    }

    fn end(mut self) {
        self.tickets.clear();
        for i in self.waiting.clone() {
            self.sim.unpark(i);
        }
        for _ in 0..40 {
            let (to, changes) = (self.sim.time.ms() + 100, self.seen.changes());
            self.sim.to(to);
            self.settle(changes);
            self.tickets.clear();
        }
        let stats = self.slot.stats();
        assert_eq!(self.waiting.len(), 0, "waits for ever: {stats:?}");
        self.world.inside.take();
        let Self { mut sim, slot, world, keeper, .. } = self;
        if keeper.is_none() {
            assert_clean(&stats);
            assert_eq!(world.live.get(), 0);
            let counted =
                stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors + stats.abandoned;
            assert_eq!(counted, self.lookups + self.inside.get(), "{stats:?}");
        }
        drop(slot);
        let to = sim.time.ms() + 10_000;
        sim.to(to);
        assert!(keeper.is_none_or(|keeper| sim.end(keeper).is_some()), "keeps what is gone");
        assert!(sim.end(self.watcher).is_some() && self.seen.is_over(), "watches what is gone");
        assert_eq!(world.live.get(), 0);
    }
}
