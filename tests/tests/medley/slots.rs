//! The same for a slot: forced refreshes, values set and invalidated by hand, watchers, and a task that keeps it fresh.

use std::rc::Rc;

use larder::{LazySlot, OnTimeout, Previous, SlotBuilder, Ttl};
use larder_tests::*;

use super::{
    CALLS,
    asking::{Asking, Going},
    crowd::{Crowd, LAST, counted},
    plain::{Call, Kind, Ns, Options, Rules},
    settings::options,
    world::World,
};

type Slot<R> = LazySlot<V, Boom, Spawning<R>>;

/// Random rules for a slot.
pub(crate) fn rules(random: &mut Random) -> Rules {
    let mut below = |bound| random.below(bound);
    let mut rules = Rules { is_slot: true, revalidates: true, hold: Some(Ns::MAX), ..Rules::NONE };
    let mut t = |one_in: u64, most: u64| (below(one_in) == 0).then(|| below(most) * 1_000_000);
    rules.ttl =
        t(1, 100).filter(|ttl| *ttl < 80_000_000).map_or(Ttl::Inherit, |ttl| Ttl::For(Duration::from_nanos(ttl)));
    rules.error_ttl = t(1, 30).unwrap_or(0);
    (rules.factor, rules.cap) = (1.5, 60_000_000);
    rules.stale = Some(t(2, 60).unwrap_or(Ns::MAX));
    rules.stale_if_error = rules.stale;
    rules.margin = t(2, 40);
    rules.lock_age = t(2, 50);
    rules.budget = t(4, 70);
    let patience = t(2, 60);
    rules.inline = rules.margin.is_some() && below(3) == 0;
    rules.slot_jitter = (below(5) == 0).then_some(0.5);
    rules.attempts = 1 + below(4) as usize;
    rules.delays_empty = below(3) == 0;
    let then = [OnTimeout::Load, OnTimeout::Fail, OnTimeout::LoadAlone, OnTimeout::Stale][below(4) as usize];
    rules.patience = patience.map(|length| (length, then));
    rules.finishes = below(2) == 0;
    rules.is_kept_fresh = below(6) == 0;
    rules
}

type Build<R> = SlotBuilder<V, Boom, Spawning<R>>;

fn settings<R: Host>(rules: &Rules, seed: u64, mut c: Build<R>) -> Slot<R> {
    let length = Duration::from_nanos;
    c = c.retry_after(length(rules.error_ttl)).retry_backoff(rules.factor, length(rules.cap)).ttl(rules.ttl);
    c = c.attempts(rules.attempts as u32);
    let times: [(Option<Ns>, fn(Build<R>, Duration) -> Build<R>); 4] = [
        (rules.stale.filter(|limit| *limit < Ns::MAX), Build::stale_limit),
        (rules.margin, Build::refresh_ahead),
        (rules.lock_age, Build::lock_age),
        (rules.budget, Build::fetch_budget),
    ];
    for (value, with) in times {
        c = value.into_iter().fold(c, |c, value| with(c, length(value)));
    }
    c = if rules.inline { c.refresh_inline() } else { c };
    c = if rules.delays_empty { c.retry_when_empty() } else { c };
    c = if rules.finishes { c.finish_abandoned() } else { c };
    c = rules.slot_jitter.into_iter().fold(c, |c, share| c.jitter(share, seed));
    c = rules.patience.into_iter().fold(c, |c, (patience, then)| c.lock_timeout(length(patience), then));
    c.build().expect("valid")
}

pub(crate) struct Medley<R: Host> {
    crowd: Crowd,
    slot: Slot<R>,
    keeper: Option<usize>,
    watcher: usize,
    seen: Sightings,
    generation: Option<larder::Generation>,
    changes: usize,
}

impl<R: Host> Medley<R> {
    pub(crate) fn new(seed: u64, world: Rc<World>, mut sim: Sim, spawner: &Spawning<R>) -> Self {
        let loads = Rc::downgrade(&world);
        let fetch = move |previous: Option<Previous<V>>| {
            loads.upgrade().expect("it is played in it").load(0, previous, Kind::Loader)
        };
        let builder = LazySlot::builder(spawner.clone()).fetch_fn(fetch);
        let slot = settings(&world.plain.borrow().rules.clone(), seed, builder);
        let (watcher, seen) = sim.watch(&slot);
        let (keeper, generation, changes) = (None, None, 0);
        Self { crowd: Crowd::new(world, sim), slot, keeper, watcher, seen, generation, changes }
    }

    pub(crate) fn play(mut self) {
        let (world, slot) = (Rc::downgrade(&self.crowd.world), self.slot.clone());
        self.crowd.world.inside.replace(Some(Rc::new(move |_| {
            let (world, slot) = (world.upgrade().expect("it is played in it"), slot.clone());
            let call = world.plain.borrow().rules.call(Options::NONE, false, true);
            let asks = async move { slot.lookup(Options::NONE.for_lookup()).await };
            let asking = Asking::new(&world, call, &[0], asks);
            Box::pin(async move { drop(asking.await) })
        })));
        let slot = self.slot.clone();
        self.crowd.world.peeks.replace(Some(Rc::new(move |key| slot.peek().filter(|_| key == 0))));
        for _ in 0..CALLS {
            self.step();
            self.crowd.run();
            self.settle();
        }
        self.end();
    }

    fn step(&mut self) {
        let (slot, world) = (self.slot.clone(), Rc::clone(&self.crowd.world));
        let (options, now) = (Options { weight: None, ..options(&world) }, world.now());
        let (plain, loads) = (|| world.plain.borrow_mut(), Rc::clone(&world));
        let call =
            |wants_ticket, brings| Call { brings, ..world.plain.borrow().rules.call(options, wants_ticket, false) };
        let for_lookup = options.for_lookup();
        match world.below(100) {
            0..16 => self.ask(call(false, false), async move { slot.lookup(for_lookup).await }),
            16..26 => self.ask(call(true, false), async move { slot.lookup_stale(for_lookup).await }),
            26..28 => {
                let call = Call { spawns: true, ..plain().rules.call(Options::NONE, true, false) };
                self.ask(call, async move { slot.get_stale_spawn().await });
            }
            28..33 => {
                let forced = Options { reload: true, ..Options::NONE };
                let call = plain().rules.call(forced, false, false);
                self.ask(call, async move { slot.refresh().await });
            }
            33..37 => self.ask(call(false, true), async move {
                slot.lookup_with(for_lookup, |old| loads.load_one(0, old.as_ref())).await
            }),
            37..40 => self.ask(call(false, true), async move {
                slot.lookup_or_fetch(for_lookup, move |old| loads.load_one(0, old.as_ref())).await
            }),
            40..43 => self.ask(call(true, true), async move {
                slot.stale_or_fetch(for_lookup, move |old| loads.load_one(0, old.as_ref())).await
            }),
            43..50 => self.crowd.with_one_who_waits(Sim::drop),
            50..55 => self.crowd.with_one_who_waits(Sim::park),
            55..61 => self.crowd.with_one_who_waits(Sim::unpark),
            61..64 => self.crowd.with_one_who_waits(Sim::poll),
            64..68 => self.crowd.use_a_ticket(),
            68..71 => {
                let (loaded, (id, ttl, _)) = world.loaded();
                plain().insert(0, id, ttl, None, now);
                slot.set_with(loaded);
            }
            71..73 => {
                let fresh = plain().held(0).filter(|held| held.is_fresh(now)).map(|held| held.id);
                plain().remove(0, now);
                assert_eq!(slot.invalidate().map(|value| *value), fresh);
            }
            73..75 => {
                if let Some(generation) = { plain().held(0) }.and_then(|held| held.generation) {
                    plain().remove(0, now);
                    assert!(slot.invalidate_if(generation));
                    assert!(!slot.invalidate_if(generation));
                }
            }
            75..77 => {
                let was_fresh = plain().expire(0, now);
                assert_eq!(slot.expire(), was_fresh);
            }
            77 if self.keeper.is_none() && world.plain.borrow().rules.is_kept_fresh => {
                let keeper = Going { world: Rc::clone(&world), by: None, future: Box::pin(slot.keep_fresh()) };
                self.keeper = Some(self.crowd.sim.spawn(keeper));
            }
            78 => self.crowd.jump_back(),
            _ => self.crowd.wait(),
        }
        world.observe();
    }

    fn ask<A: Into<Answer>>(&mut self, call: Call, future: impl Future<Output = A> + 'static) {
        let asking = Asking::new(&self.crowd.world, call, &[0], future);
        self.crowd.ask(asking);
    }

    fn settle(&mut self) {
        self.crowd.settle();
        self.check();
    }

    fn check(&mut self) {
        self.crowd.world.check();
        let (now, stats) = (self.crowd.world.now(), self.slot.stats());
        if stats.flights == 0 {
            self.crowd.world.plain.borrow_mut().nothing_flies();
        }
        let plain = self.crowd.world.plain.borrow();
        assert_sums(&stats);
        let (least, most) = plain.running(now);
        let running = stats.loads_in_flight;
        assert!((least..=most).contains(&running), "D85: {least} {running} {most}: {}", plain.running_story());
        if let Some(outlook) = plain.outlook(0) {
            assert_eq!(
                (self.slot.failures(), self.slot.refresh_at().as_nanos()),
                outlook,
                "failures, and when to refresh"
            );
        }
        drop(plain);
        let generation = self.slot.peek().and_then(|outcome| outcome.generation());
        let has_changed = generation != core::mem::replace(&mut self.generation, generation);
        self.crowd.sim.poll(self.watcher);
        let changes = core::mem::replace(&mut self.changes, self.seen.changes());
        assert!(!has_changed || self.changes > changes, "a change that no watcher sees (D73)");
    }

    fn end(mut self) {
        for moment in 0..=LAST {
            self.crowd.last(moment);
            self.settle();
        }
        let stats = self.slot.stats();
        self.crowd.end(&stats);
        let Self { crowd, slot, keeper, .. } = self;
        let Crowd { mut sim, world, .. } = crowd;
        if keeper.is_none() {
            assert_clean(&stats);
            assert_eq!(world.live.get(), 0);
            assert_eq!(counted(&stats), world.lookups.get(), "D85: {stats:?}");
        }
        drop(slot);
        let to = sim.time.ms() + 10_000;
        sim.to(to);
        assert!(keeper.is_none_or(|keeper| sim.end(keeper).is_some()), "keeps what is gone");
        assert!(sim.end(self.watcher).is_some() && self.seen.is_over(), "watches what is gone");
        assert_eq!(world.live.get(), 0);
    }
}
