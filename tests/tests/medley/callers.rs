//! The callers of the cache, and what is seen from outside.

use std::rc::Rc;

use larder::{Change, Computed};
use larder_tests::*;

use super::{
    CALLS,
    asking::{Asking, In, lookup},
    crowd::{Crowd, LAST, counted},
    plain::{Call, Kind, Options},
    settings::options,
    world::{ALL_KEYS, KEYS, World},
};

pub(crate) struct Medley<R: Host> {
    crowd: Crowd,
    cache: In<R>,
    /// Whether calls bring their loads, because the cache has none.
    by_call: bool,
    /// Of how many lookups it is unknown whether they were counted, because they unwound.
    unsure: u64,
    /// How many keys each caller asks for.
    asked: Vec<u64>,
}

impl<R: Host> Medley<R> {
    pub(crate) fn new(world: Rc<World>, sim: Sim, cache: In<R>, by_call: bool) -> Self {
        Self { crowd: Crowd::new(world, sim), cache, by_call, unsure: 0, asked: Vec::new() }
    }

    pub(crate) fn play(mut self) {
        let (world, cache, by_call) = (Rc::downgrade(&self.crowd.world), self.cache.clone(), self.by_call);
        self.crowd.world.inside.replace(Some(Rc::new(move |key| {
            let world = world.upgrade().expect("it is played in it");
            let asking = lookup(&world, &cache, by_call, key, Options::NONE, true);
            Box::pin(async move { drop(asking.await) })
        })));
        let cache = self.cache.clone();
        self.crowd.world.peeks.replace(Some(Rc::new(move |key| cache.peek(&key))));
        for _ in 0..CALLS {
            self.step();
            self.crowd.run();
            self.settle();
        }
        self.end();
    }

    fn below(&self, bound: u64) -> u64 {
        self.crowd.world.below(bound)
    }

    fn key(&self) -> u32 {
        self.below(u64::from(KEYS)) as u32
    }

    fn call(&self, options: Options, wants_ticket: bool) -> Call {
        self.crowd.world.plain.borrow().rules.call(options, wants_ticket, false)
    }

    fn step(&mut self) {
        let (key, cache, world) = (self.key(), self.cache.clone(), Rc::clone(&self.crowd.world));
        match self.below(100) {
            0..16 => self.ask(1, lookup(&world, &cache, self.by_call, key, options(&world), false)),
            16..26 => self.stale(key),
            26..40 => self.many(),
            40..46 => {
                let options = options(&world);
                let loads = Rc::clone(&world);
                let lends = async move {
                    cache.lookup(&key).options(options.for_lookup()).lend(|| loads.load_one(key, None)).await
                };
                let call = Call { brings: true, ..self.call(options, false) };
                self.ask(1, Asking::new(&world, call, &[key], lends));
            }
            46..54 => self.crowd.with_one_who_waits(Sim::drop),
            54..58 => self.crowd.with_one_who_waits(Sim::park),
            58..63 => self.crowd.with_one_who_waits(Sim::unpark),
            63..65 => self.crowd.with_one_who_waits(Sim::poll),
            65..68 => self.crowd.use_a_ticket(),
            68..80 => self.write(key),
            80 => {
                world.lookups.set(world.lookups.get() + 1);
                let expected = world.plain.borrow_mut().uses(key, world.now());
                assert_eq!(cache.get_if_present(&key).map(|value| *value), expected);
            }
            81 => {
                let expected = world.plain.borrow().held(key).is_some_and(|held| held.is_fresh(world.now()));
                assert_eq!(cache.contains(&key), expected);
            }
            82 => {
                // What was swept does not come back if the clock jumps back.
                cache.sweep();
                world.plain.borrow_mut().forget(world.now());
                self.crowd.jump_back();
            }
            _ => self.crowd.wait(),
        }
    }

    fn stale(&mut self, key: u32) {
        let (world, cache) = (Rc::clone(&self.crowd.world), self.cache.clone());
        let options = options(&world);
        let call = Call { brings: self.by_call, ..self.call(options, true) };
        let loads = Rc::clone(&world);
        if self.by_call {
            let asks = async move {
                cache.lookup(&key).options(options.for_lookup()).by(move || loads.load_one(key, None)).stale().await
            };
            self.ask(1, Asking::new(&world, call, &[key], asks));
        } else if self.below(4) == 0 {
            let call = Call { spawns: true, ..self.call(Options::NONE, true) };
            let asks = async move { cache.get_stale_spawn(&key).await };
            self.ask(1, Asking::new(&world, call, &[key], asks));
        } else {
            let asks = async move { cache.lookup(&key).options(options.for_lookup()).stale().await };
            self.ask(1, Asking::new(&world, call, &[key], asks));
        }
    }

    fn many(&mut self) {
        let (world, cache) = (Rc::clone(&self.crowd.world), self.cache.clone());
        let keys: Vec<_> = (0..1 + self.below(4)).map(|_| self.key()).collect();
        let (options, asked) = (options(&world), keys.clone());
        let (loads, by_call) = (Rc::clone(&world), self.by_call || self.below(3) == 0);
        let call = Call { brings: by_call, is_for_many: true, ..self.call(options, false) };
        let asks = async move {
            let lookup = cache.lookup_many(&asked).options(options.for_lookup());
            if by_call {
                Answer::from(lookup.by(|keys| loads.load_many(&keys, Kind::Call)).await)
            } else {
                lookup.await.into()
            }
        };
        let mut distinct = keys.clone();
        distinct.sort_unstable();
        distinct.dedup();
        self.ask(distinct.len() as u64, Asking::new(&world, call, &keys, asks));
    }

    fn write(&mut self, key: u32) {
        let (world, cache, now) = (Rc::clone(&self.crowd.world), self.cache.clone(), self.crowd.world.now());
        let plain = || world.plain.borrow_mut();
        let held = plain().held(key);
        let fresh = held.filter(|held| held.is_fresh(now)).map(|held| held.id);
        match self.below(11) {
            0 | 1 => {
                let (loaded, (id, ttl, weight)) = world.loaded();
                let stored = plain().insert(key, id, ttl, weight, now);
                let generation = cache.insert_with(key, loaded);
                let is_there = plain().held(key).is_some_and(|held| held.id == id);
                let is_refused = plain().is_refused(id);
                assert_eq!(generation.is_some(), stored.is_some() && !is_refused, "key {key} is stored");
                assert!(is_there || is_refused || stored != Some(true), "D48: key {key} has left at once");
            }
            2 => {
                plain().remove(key, now);
                assert_eq!(cache.remove(&key).map(|value| *value), fresh, "D37: key {key}");
            }
            3 if self.below(3) == 0 => {
                (0..ALL_KEYS).for_each(|key| plain().remove(key, now));
                cache.clear();
                assert_eq!((cache.len(), cache.weight()), (0, 0));
            }
            4 => {
                let kept: Vec<_> = (0..ALL_KEYS).map(|_| world.below(3) > 0).collect();
                plain().retain(|key| kept[key as usize], ALL_KEYS, now);
                cache.retain(|key, _| kept[*key as usize]);
            }
            5 => {
                let was_fresh = plain().expire(key, now);
                assert_eq!(cache.expire(&key), was_fresh, "D96: key {key}");
            }
            6 => {
                if let Some(generation) = held.and_then(|held| held.generation) {
                    plain().remove(key, now);
                    assert!(cache.invalidate_if(&key, generation));
                    assert!(!cache.invalidate_if(&key, generation));
                }
            }
            7 => {
                plain().uses(key, now);
                let (loaded, (id, ttl, weight)) = world.loaded();
                plain().insert(key, id, ttl, weight, now);
                let told = cache.compute(&key, |seen| {
                    assert_eq!(seen.map(|value| **value), fresh, "key {key}");
                    Change::Store(loaded.clone())
                });
                let is_new = plain().held(key).is_some_and(|held| held.id == id);
                let expected = match (is_new, fresh) {
                    (true, None) => Some(Computed::Inserted(V::new(id))),
                    (true, Some(_)) => Some(Computed::Replaced(V::new(id))),
                    _ => None,
                };
                let told = told.expect("nothing is in the way");
                assert!(expected.is_none_or(|expected| told == expected), "key {key}: {told:?}");
            }
            8 => {
                plain().uses(key, now);
                if fresh.is_some() {
                    plain().remove(key, now);
                }
                let told = cache.compute(&key, |_| Change::Remove);
                let expected = fresh.map_or(Computed::Kept(None), |id| Computed::Removed(V::new(id)));
                assert_eq!(told, Ok(expected), "key {key}");
            }
            9 => {
                plain().uses(key, now);
                let told = cache.compute(&key, |_| Change::Keep);
                assert_eq!(told, Ok(Computed::Kept(fresh.map(V::new))), "key {key}");
            }
            // (What grows beyond 96 may have its shards split.)
            _ if !world.plain.borrow().rules.has_room => {
                cache.set_capacity([0, 1, 3, 30, 100, 400][self.below(6) as usize]);
            }
            _ if self.below(2) == 0 => cache.set_capacity((2 * cache.capacity()).min(1 << 16)),
            _ => _ = cache.sweep(),
        }
        world.observe();
    }

    fn ask<A: Into<Answer>>(&mut self, keys: u64, future: impl Future<Output = A> + 'static) {
        let caller = self.crowd.ask(future);
        self.asked.resize(caller, 0);
        self.asked.push(keys);
    }

    fn settle(&mut self) {
        for i in self.crowd.settle() {
            // A task that was spawned asks for nothing.
            self.unsure += self.asked.get(i).unwrap_or(&0);
        }
        self.check();
    }

    /// Compares everything that is seen from outside with the model.
    fn check(&self) {
        self.crowd.world.check();
        if self.cache.stats().flights == 0 {
            self.crowd.world.plain.borrow_mut().nothing_flies();
        }
        let (cache, plain, now) = (&self.cache, self.crowd.world.plain.borrow(), self.crowd.world.now());
        let stats = cache.stats();
        assert_sums(&stats);
        let held: Vec<_> = (0..ALL_KEYS).filter_map(|key| plain.held(key).map(|held| (key, held))).collect();
        assert_eq!((stats.held, cache.len()), (held.len() as u64, held.len()));
        let (least, most) = plain.weight(now);
        assert!((least..=most).contains(&cache.weight()), "P12: {least} {} {most}", cache.weight());
        assert!(cache.weight() <= cache.capacity(), "P12");
        let (least, most) = plain.running(now);
        let running = stats.loads_in_flight;
        assert!((least..=most).contains(&running), "D85: {least} {running} {most}: {}", plain.running_story());
        let mut seen: Vec<_> = cache.iter().map(|(key, value)| (key, *value)).collect();
        seen.sort_unstable();
        let fresh = held.iter().filter(|(_, held)| held.is_fresh(now)).map(|(key, held)| (*key, held.id));
        assert_eq!(seen, fresh.collect::<Vec<_>>(), "D36");
    }

    fn end(mut self) {
        for moment in 0..=LAST {
            self.crowd.last(moment);
            self.settle();
        }
        let stats = self.cache.stats();
        self.crowd.end(&stats);
        assert_clean(&stats);
        assert_eq!(self.crowd.world.live.get(), 0);
        let (counted, lookups) = (counted(&stats), self.crowd.world.lookups.get());
        assert!(counted <= lookups && counted + self.unsure >= lookups, "{lookups} {} {stats:?}", self.unsure);
    }
}
