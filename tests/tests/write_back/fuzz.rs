//! Random calls of three caches, each of which may be flushed before the one ahead of it, beside a plain model.
//! `LARDER_FUZZ` is the number of calls on each runtime (some thousands by default), and `LARDER_SEED` the first seed.
//! A seed that fails is printed, and plays the same again.

use core::cell::{Cell, RefCell};

use larder::{FlushError, WriteBackError};

use self::plain::{CACHES, Edge, File, KEYS, Model};
use super::*;

mod plain;

on_every_runtime! {
    random_calls
}

/// How many calls each seed makes.
const CALLS: u64 = 250;

type Files<R> = WriteBack<u32, u32, Boom, R>;
type Handle<R> = Pinned<u32, u32, Boom, R>;

struct Fuzz<R: Host> {
    sim: Sim,
    model: Rc<RefCell<Model>>,
    random: Rc<RefCell<Random>>,
    trouble: Vec<Rc<Cell<u64>>>,
    caches: Vec<Files<R>>,
    kept: Rc<RefCell<Vec<(usize, Handle<R>)>>>,
    callers: Vec<usize>,
    value: u32,
    capacity: usize,
}

fn random_calls<R: Host>() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (calls, first) = (number("LARDER_FUZZ").unwrap_or(10_000), number("LARDER_SEED").unwrap_or(0));
    (first..first + calls.div_ceil(CALLS)).for_each(|seed| with_seed(seed, || Fuzz::<R>::new(seed).play()));
}

impl<R: Host> Fuzz<R> {
    fn new(seed: u64) -> Self {
        let (sim, model) = (Sim::new(), Rc::<RefCell<Model>>::default());
        let random = Rc::new(RefCell::new(Random::new(seed)));
        let trouble: Vec<_> = (0..CACHES).map(|_| Rc::new(Cell::new(seed % 4 * 8))).collect();
        let capacity = 1 + seed as usize % 5;
        let make = |nth: usize| {
            let (time, model, random, trouble) =
                (sim.time.clone(), model.clone(), random.clone(), trouble[nth].clone());
            WriteBack::builder(R::on(sim.clock()), File { nth, time, model, random, trouble })
                .capacity(capacity)
                .flush_limit(1 + seed as usize % 3)
                .hash_seed(seed)
                .build()
                .expect("valid")
        };
        let caches = (0..CACHES).map(make).collect();
        let (kept, callers) = (Rc::default(), Vec::new());
        Self { sim, model, random, trouble, caches, kept, callers, value: 0, capacity }
    }

    fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    fn play(mut self) {
        for _ in 0..CALLS {
            self.step();
            if self.below(3) == 0 {
                self.sim.run();
            }
            self.judge();
        }
        self.end();
    }

    fn step(&mut self) {
        let (nth, key) = (self.below(CACHES as u64) as usize, self.below(u64::from(KEYS)) as u32);
        match self.below(24) {
            0..9 => self.entry(nth, key),
            9..12 => self.flush(nth, key),
            12 => self.invalidate(nth),
            13 | 14 => self.edge(nth),
            15 => {
                let kept = self.kept.borrow_mut().pop();
                drop(kept);
            }
            16 => {
                let kept = if self.kept.borrow().is_empty() { None } else { Some(self.kept.borrow_mut().remove(0)) };
                drop(kept);
            }
            17 => {
                self.value += 1;
                if let Some((nth, handle)) = self.kept.borrow().last() {
                    self.model.borrow_mut().acknowledge(*nth, *handle.key(), self.value);
                    handle.set(self.value);
                }
            }
            18 => {
                if !self.callers.is_empty() {
                    let one = self.below(self.callers.len() as u64) as usize;
                    self.sim.drop(self.callers[one]);
                }
            }
            19 => {
                let trouble = [0, 0, 20, 100][self.below(4) as usize];
                self.trouble[nth].set(trouble);
            }
            _ => {
                let next = self.sim.time.ms() + self.below(30);
                self.sim.to(next);
            }
        }
    }

    /// Gets, changes, stores or removes one entry.
    fn entry(&mut self, nth: usize, key: u32) {
        self.value += 1;
        let room = [Room::Wait, Room::Try, Room::Within(ms(10))][self.below(3) as usize];
        let (pages, model, kept, value) = (self.caches[nth].clone(), self.model.clone(), self.kept.clone(), self.value);
        let (kind, keeps) = (self.below(8), self.below(4) == 0);
        self.callers.push(self.sim.spawn(async move {
            let end = match kind {
                0..6 => pages.get_or_load_with(&key, room).await,
                6 => pages.insert(key, value, room).await,
                _ => match pages.remove(&key).await {
                    Ok(removed) => {
                        let model = model.borrow();
                        // The value it gives is on disk, or was never changed. (D83)
                        assert!(removed.is_none_or(|removed| removed == model.page(nth, key)), "removed {removed:?}");
                        return;
                    }
                    Err(error) => Err(error),
                },
            };
            let handle = match end {
                Ok(handle) => handle,
                Err(WriteBackError::Pinned(keys)) => return assert!(kind > 5 && keys == [key], "D83: {keys:?}"),
                Err(WriteBackError::Full) => return assert!(room != Room::Wait, "D76"),
                Err(error) => return assert!(matches!(error, WriteBackError::Failed(_)), "{error}"),
            };
            if kind == 6 {
                model.borrow_mut().acknowledge(nth, key, value);
            } else {
                assert_eq!(handle.value(), model.borrow().latest(nth, key), "P16: {nth}/{key}");
                if kind < 4 {
                    model.borrow_mut().acknowledge(nth, key, value);
                    handle.set(value);
                }
            }
            if keeps {
                kept.borrow_mut().push((nth, handle));
            }
        }));
    }

    /// D79: what was dirty at the call is on disk in that state or a later one.
    fn flush(&mut self, nth: usize, key: u32) {
        let (kind, pages, model) = (self.below(5), self.caches[nth].clone(), self.model.clone());
        self.callers.push(self.sim.spawn(async move {
            let (count, before) = (model.borrow().count, model.borrow().invalidations[nth]);
            let end: Result<(), FlushError<u32, Boom>> = match kind {
                0 => pages.flush_key(&key).await,
                1 => pages.flush_older_than(ms(0)).await,
                _ => pages.flush().await,
            };
            let model = model.borrow();
            // What was invalidated meanwhile need not be on disk. (D83)
            let holds = kind == 0 || model.invalidations[nth] != before || model.is_on_disk(nth, count);
            assert!(end.is_err() || holds, "D79: {nth}, {:?}", model.pages);
        }));
    }

    fn invalidate(&mut self, nth: usize) {
        let (pages, model) = (self.caches[nth].clone(), self.model.clone());
        self.callers.push(self.sim.spawn(async move {
            match pages.invalidate().await {
                Ok(()) => model.borrow_mut().discarded(nth),
                Err(WriteBackError::Pinned(keys)) => assert!(!keys.is_empty()),
                Err(error) => panic!("{error}"),
            }
        }));
        // Polled once and dropped: it ends at once, as the disks need not be asked, or not at all. The model could not
        // tell what came between.
        let i = self.callers[self.callers.len() - 1];
        self.sim.poll(i);
        self.sim.drop(i);
    }

    fn edge(&mut self, nth: usize) {
        let other = nth + 1 + self.below(2) as usize;
        if other >= CACHES {
            return;
        }
        let (from, to) = (&self.caches[nth], &self.caches[other]);
        let mut model = self.model.borrow_mut();
        let since = model.count;
        let kind = self.below(4);
        let edge = match kind {
            0 => from.depend_on(to).map(|()| Edge::Now(since)),
            1 => from.depend_until_flushed_on(to).map(|()| Edge::UntilFlushed(since)),
            2 => from.always_depend_on(to).map(|()| Edge::Always(since)),
            _ => {
                let is_such = |(one, two, edge): &(usize, usize, Edge)| {
                    (*one, *two) == (nth, other) && matches!(edge, Edge::Always(_))
                };
                assert_eq!(from.stop_depending_on(to), model.edges.iter().any(is_such), "D82");
                return model.edges.retain(|edge| !is_such(edge));
            }
        };
        model.edges.push((nth, other, edge.expect("no way leads back")));
    }

    /// P12, P16, and that each caller that waits has a reason.
    fn judge(&mut self) {
        for (nth, pages) in self.caches.iter().enumerate() {
            assert!(pages.len() <= self.capacity && pages.pinned() <= pages.len() && pages.dirty() <= pages.len());
            for key in 0..KEYS {
                let there = pages.try_get(&key).map(|handle| handle.value());
                let model = self.model.borrow();
                let there = there.unwrap_or_else(|| model.page(nth, key));
                assert_eq!(there, model.latest(nth, key), "P16: {nth}/{key}");
            }
        }
        let is_idle = {
            let model = self.model.borrow();
            model.loads == 0 && model.flushes == [0; CACHES] && self.kept.borrow().is_empty()
        };
        if is_idle {
            self.sim.run();
            let model = self.model.borrow();
            if model.loads == 0 && model.flushes == [0; CACHES] && self.kept.borrow().is_empty() {
                let waits = self.callers.iter().find(|i| self.sim.end(**i).is_none());
                assert!(waits.is_none(), "D76: {waits:?} waits for nothing");
            }
        }
    }

    fn end(mut self) {
        self.trouble.iter().for_each(|trouble| trouble.set(0));
        for _ in 0..60 {
            self.kept.take();
            let next = self.sim.time.ms() + 200;
            self.sim.to(next);
        }
        self.kept.take();
        self.sim.run();
        self.sim.assert_nobody_is_forgotten(self.callers.iter().copied());
        for i in &self.callers {
            let saw = self.sim.saw(*i);
            assert!(saw != "waits" && !saw.contains("panic"), "{saw}");
        }
        for (nth, pages) in self.caches.iter().enumerate() {
            let flush = pages.flush();
            let i = self.sim.call(async move { flush.await.expect("there is no trouble any more") });
            let next = self.sim.time.ms() + 1000;
            self.sim.to(next);
            assert!(self.sim.saw(i).ends_with("done"), "{}", self.sim.saw(i));
            assert_eq!((pages.dirty(), pages.pinned()), (0, 0));
            let model = self.model.borrow();
            (0..KEYS).for_each(|key| assert_eq!(model.page(nth, key), model.latest(nth, key), "P16: {nth}/{key}"));
        }
    }
}
