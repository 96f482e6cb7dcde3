//! Random schedules in a small cache: each caller that waits must have a reason, I/O under way or pins.

mod busy;

use super::*;
use busy::{Busy, KEYS, Key, State};

on_every_runtime! {
    who_waits_has_a_reason
    who_waits_has_a_reason_where_much_fails
    who_waits_has_a_reason_where_hashes_are_equal
}

/// How many schedules there are of each kind on each runtime.
const SEEDS: u64 = 200;

fn who_waits_has_a_reason<R: Host>() {
    (0..SEEDS).for_each(|seed| Storm::<R>::new(seed, 0, u32::MAX).rage());
}

fn who_waits_has_a_reason_where_much_fails<R: Host>() {
    (0..SEEDS).for_each(|seed| Storm::<R>::new(seed + 10_000, 30, u32::MAX).rage());
}

/// P9.
fn who_waits_has_a_reason_where_hashes_are_equal<R: Host>() {
    (0..SEEDS).for_each(|seed| Storm::<R>::new(seed + 20_000, 10, 1 + (seed % 2) as u32).rage());
}

/// What a caller wants, and until when it waits for room.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Get(u32, Option<u64>),
    Insert(u32, Option<u64>),
    Remove,
    Flush,
}

type Handles<R> = Rc<RefCell<Vec<Pinned<Key, u32, Boom, R>>>>;

struct Storm<R: Host> {
    seed: u64,
    sim: Sim,
    random: Random,
    state: Rc<State>,
    hashes: u32,
    capacity: usize,
    pages: WriteBack<Key, u32, Boom, R>,
    callers: Vec<(usize, Wish)>,
    parked: Vec<usize>,
    kept: Handles<R>,
    stamp: u32,
}

impl<R: Host> Storm<R> {
    fn new(seed: u64, trouble: u64, hashes: u32) -> Self {
        let (sim, mut random) = (Sim::new(), Random::new(seed));
        let state = State::new(&sim.time, seed, trouble);
        let capacity = 1 + random.below(3) as usize;
        let pages = WriteBack::builder(R::on(sim.clock()), Busy(state.clone()))
            .capacity(capacity)
            .flush_limit(1 + random.below(2) as usize)
            .build()
            .expect("valid");
        let (callers, parked, kept) = (Vec::new(), Vec::new(), Handles::default());
        Self { seed, sim, random, state, hashes, capacity, pages, callers, parked, kept, stamp: 0 }
    }

    fn rage(mut self) {
        for nth in 0..100 {
            self.step();
            if nth == 90 && self.seed % 4 == 0 {
                let close = self.pages.clone();
                let i = self.sim.spawn(async move { drop(close.close().await) });
                self.callers.push((i, Wish::Flush));
            }
            if self.random.below(3) > 0 {
                self.sim.run();
                self.judge();
            }
        }
        self.end();
    }

    fn step(&mut self) {
        let key = self.random.below(KEYS.into()) as u32;
        self.stamp += 1;
        match self.random.below(24) {
            0..8 => self.get(key),
            8 | 9 => self.insert(key),
            10 => {
                let (pages, key) = (self.pages.clone(), Key(key, self.hashes));
                let i = self.sim.spawn(async move { drop(pages.remove(&key).await) });
                self.callers.push((i, Wish::Remove));
            }
            11 => self.flush(key),
            12 => {
                let (pages, state) = (self.pages.clone(), self.state.clone());
                let i = self.sim.spawn(async move {
                    if pages.invalidate().await.is_ok() {
                        state.invalidated();
                    }
                });
                self.callers.push((i, Wish::Remove));
            }
            13..16 => {
                let kept = self.kept.borrow_mut().pop();
                drop(kept);
            }
            16 => {
                let kept = if self.kept.borrow().is_empty() { None } else { Some(self.kept.borrow_mut().remove(0)) };
                drop(kept);
            }
            17 | 18 => {
                if let Some(handle) = self.kept.borrow().last() {
                    self.state.acknowledge(handle.key().0, self.stamp);
                    handle.set(self.stamp);
                }
            }
            19 => self.with_one(Sim::drop),
            20 if self.seed % 2 == 0 => {
                if let Some(i) = self.pick() {
                    self.sim.park(i);
                    self.parked.push(i);
                }
            }
            21 => self.with_one(Sim::poll),
            _ => {
                let next = self.sim.time.ms() + self.random.below(6);
                self.sim.to(next);
            }
        }
    }

    fn pick(&mut self) -> Option<usize> {
        let waiting: Vec<_> = self.callers.iter().map(|(i, _)| *i).filter(|i| self.sim.end(*i).is_none()).collect();
        (!waiting.is_empty()).then(|| waiting[self.random.below(waiting.len() as u64) as usize])
    }

    fn with_one(&mut self, does: fn(&mut Sim, usize)) {
        if let Some(i) = self.pick() {
            does(&mut self.sim, i);
        }
    }

    /// A rule for room, and until when it waits.
    fn room(&mut self) -> (Room, Option<u64>) {
        let now = self.sim.time.ms();
        match self.random.below(3) {
            0 => (Room::Wait, None),
            1 => (Room::Try, Some(now)),
            _ => (Room::Within(ms(6)), Some(now + 6)),
        }
    }

    fn get(&mut self, key: u32) {
        let (room, until) = self.room();
        let (pages, own, keeps) = (self.pages.clone(), Key(key, self.hashes), self.random.below(2) == 0);
        let (kept, state) = (self.kept.clone(), self.state.clone());
        let i = self.sim.spawn(async move {
            if let Ok(handle) = pages.get_or_load_with(&own, room).await {
                assert_eq!(handle.value(), state.latest.borrow()[key as usize], "what is read");
                if keeps {
                    kept.borrow_mut().push(handle);
                }
            }
        });
        self.callers.push((i, Wish::Get(key, until)));
        // Polled now, so that its time counts from here.
        self.sim.poll(i);
    }

    fn insert(&mut self, key: u32) {
        let (room, until) = self.room();
        let (pages, own, stamp, keeps) =
            (self.pages.clone(), Key(key, self.hashes), self.stamp, self.random.below(2) == 0);
        let (kept, state) = (self.kept.clone(), self.state.clone());
        let i = self.sim.spawn(async move {
            if let Ok(handle) = pages.insert(own, stamp, room).await {
                state.acknowledge(key, stamp);
                if keeps {
                    kept.borrow_mut().push(handle);
                }
            }
        });
        self.callers.push((i, Wish::Insert(key, until)));
        self.sim.poll(i);
    }

    /// D79: what was dirty at the call is on disk in that state or a later one.
    fn flush(&mut self, key: u32) {
        let kind = self.random.below(4);
        let flush = match kind {
            0 => self.pages.flush_key(&Key(key, self.hashes)),
            1 => self.pages.flush_older_than(ms(0)),
            _ => self.pages.flush(),
        };
        let (latest, state) = (*self.state.latest.borrow(), self.state.clone());
        let before = state.invalidations.get();
        let i = self.sim.spawn(async move {
            if flush.await.is_ok() && state.invalidations.get() == before {
                for other in 0..KEYS {
                    let (is, was) = (state.pages.borrow()[other as usize], latest[other as usize]);
                    let is_done = state.rank(is) >= state.rank(was);
                    assert!(is_done || kind == 0 && other != key, "{other} is {is} on disk and was {was}");
                }
            }
        });
        self.callers.push((i, Wish::Flush));
        self.sim.poll(i);
    }

    /// Asserts that each caller that waits has to.
    fn judge(&mut self) {
        assert!(self.pages.len() <= self.capacity && self.pages.pinned() <= self.capacity, "seed {}", self.seed);
        for key in 0..KEYS {
            let there = self.pages.try_get(&Key(key, self.hashes)).map(|handle| handle.value());
            let there = there.unwrap_or_else(|| self.state.pages.borrow()[key as usize]);
            assert_eq!(there, self.state.latest.borrow()[key as usize], "seed {}: key {key}", self.seed);
        }
        // The check has used some entries.
        self.sim.run();
        if self.parked.iter().any(|i| self.sim.end(*i).is_none()) {
            return;
        }
        let now = self.sim.time.ms();
        let flushes = self.state.flushing.get() > 0;
        let loads = self.state.loading.borrow().iter().any(|loads| *loads > 0);
        let is_full = self.pages.pinned() >= self.capacity;
        for (i, wish) in &self.callers {
            if self.sim.end(*i).is_some() {
                continue;
            }
            let is_over = |until: Option<u64>| until.is_some_and(|until| until <= now);
            let has_reason = match *wish {
                Wish::Get(key, until) => {
                    let is_loading = self.state.loading.borrow()[key as usize] > 0;
                    let is_there = self.pages.try_get(&Key(key, self.hashes)).is_some();
                    is_loading || flushes || !is_there && !is_over(until) && (loads || is_full)
                }
                Wish::Insert(key, until) => {
                    let is_there = self.pages.try_get(&Key(key, self.hashes)).is_some();
                    flushes || !is_there && !is_over(until) && (loads || is_full) && !self.pages.is_closed()
                }
                Wish::Remove | Wish::Flush => flushes,
            };
            assert!(has_reason, "seed {}: at {now} caller {i} waits: {wish:?}, {:?}", self.seed, self.pages);
        }
    }

    fn end(mut self) {
        let parked = core::mem::take(&mut self.parked);
        parked.into_iter().for_each(|i| self.sim.unpark(i));
        self.sim.run();
        self.judge();
        self.kept.take();
        for _ in 0..100 {
            let next = self.sim.time.ms() + 50;
            self.sim.to(next);
            self.kept.take();
            self.sim.run();
        }
        let callers: Vec<_> = self.callers.iter().map(|(i, _)| *i).collect();
        self.sim.assert_nobody_is_forgotten(callers.iter().copied());
        for i in callers {
            let saw = self.sim.saw(i);
            assert!(saw != "waits" && !saw.contains("panic"), "seed {}: {saw}", self.seed);
        }
        self.judge();
        assert_eq!(self.pages.pinned(), 0, "seed {}", self.seed);
        if self.pages.is_closed() {
            return;
        }
        // All places can be used.
        self.state.trouble.set(0);
        for key in 0..self.capacity as u32 {
            let (pages, key, kept) = (self.pages.clone(), Key(key, self.hashes), self.kept.clone());
            self.sim.spawn(async move {
                let handle = pages.get_or_load(&key).await.expect("it works");
                kept.borrow_mut().push(handle);
            });
        }
        let late = self.sim.time.ms() + 1_000;
        self.sim.to(late);
        assert_eq!(self.pages.pinned(), self.capacity, "seed {}", self.seed);
        self.kept.take();
    }
}
