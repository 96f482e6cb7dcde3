//! What the loads of a medley read, and the record of what was written.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use larder::{Loaded, Revalidated, Ttl};
use larder_tests::*;

/// After which writes to its key something was read or asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// All of them.
    pub(crate) any: u64,
    /// Those that leave nothing of the old value, not even a stale one.
    pub(crate) hard: u64,
}

pub(crate) type Asks = Rc<dyn Fn(u32) -> Pin<Box<dyn Future<Output = ()>>>>;

pub(crate) struct World {
    random: RefCell<Random>,
    pub(crate) time: RefCell<Time>,
    epochs: RefCell<HashMap<u32, Epoch>>,
    all: Cell<Epoch>,
    /// For each value its key, and after which writes it was read.
    values: RefCell<Vec<(u32, Epoch)>>,
    /// Asks the cache for a key from inside a load.
    pub(crate) inside: RefCell<Option<Asks>>,
    pub(crate) live: Rc<Cell<usize>>,
}

pub(crate) type Said = Vec<(u32, Result<Loaded<V>, Boom>)>;

impl World {
    pub(crate) fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            random: RefCell::new(Random::new(seed.wrapping_mul(0x9e37_79b9))),
            time: RefCell::default(),
            epochs: RefCell::default(),
            all: Cell::default(),
            values: RefCell::default(),
            inside: RefCell::default(),
            live: Rc::default(),
        })
    }

    pub(crate) fn simulation(&self) -> (Sim, Spawning) {
        let sim = Sim::new();
        self.time.replace(sim.time.clone());
        let spawner = Spawning::new(sim.clock());
        (sim, spawner)
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn epoch(&self, key: u32) -> Epoch {
        let (all, own) = (self.all.get(), self.epochs.borrow().get(&key).copied().unwrap_or_default());
        Epoch { any: all.any + own.any, hard: all.hard + own.hard }
    }

    /// Notes a write to this key, or to all.
    pub(crate) fn written(&self, key: Option<u32>, is_hard: bool) {
        let next = |Epoch { any, hard }: Epoch| Epoch { any: any + 1, hard: hard + u64::from(is_hard) };
        match key {
            Some(key) => {
                let mut epochs = self.epochs.borrow_mut();
                let own = epochs.entry(key).or_default();
                *own = next(*own);
            }
            None => self.all.set(next(self.all.get())),
        }
    }

    /// Makes a value that was read after these writes.
    pub(crate) fn value(&self, key: u32, epoch: Epoch) -> V {
        let mut values = self.values.borrow_mut();
        values.push((key, epoch));
        V::new(values.len() as u32 - 1)
    }

    /// Of which key a value is, and after which writes it was read.
    pub(crate) fn of(&self, value: &V) -> (u32, Epoch) {
        self.values.borrow()[**value as usize]
    }

    /// Notes that a value has been found to be good still.
    pub(crate) fn confirm(&self, value: &V, epoch: Epoch) {
        let any = &mut self.values.borrow_mut()[**value as usize].1.any;
        *any = epoch.any.max(*any);
    }

    pub(crate) fn ttl(&self) -> Ttl {
        match self.below(12) {
            0 => Ttl::NotStored,
            1 => Ttl::Forever,
            2 => Ttl::ExpiresAtOnce,
            3..6 => Ttl::For(ms(self.below(80))),
            _ => Ttl::Inherit,
        }
    }

    pub(crate) fn loaded(&self, key: u32, epoch: Epoch) -> Loaded<V> {
        let loaded = Loaded::new(self.value(key, epoch)).ttl(self.ttl());
        if self.below(3) == 0 { loaded.weight(self.below(5)) } else { loaded }
    }

    /// A load of one key.
    pub(crate) fn load(
        self: &Rc<Self>,
        key: u32,
        old: Option<V>,
    ) -> Pin<Box<dyn Future<Output = Result<Revalidated<V>, Boom>>>> {
        let (world, epoch, live) = (Rc::clone(self), self.epoch(key), Live::new(&self.live));
        Box::pin(async move {
            let _live = live;
            match world.wait(key).await {
                0 => Err(Boom(key)),
                1 => match old {
                    Some(old) => {
                        world.confirm(&old, epoch);
                        Ok(Revalidated::Unchanged(world.ttl()))
                    }
                    None => Ok(Revalidated::Unchanged(world.ttl())),
                },
                _ => Ok(Revalidated::New(world.loaded(key, epoch))),
            }
        })
    }

    /// A load of many keys, with answers that are missing, double and not asked for.
    pub(crate) fn load_many(self: &Rc<Self>, keys: &[u32]) -> Pin<Box<dyn Future<Output = Result<Said, Boom>>>> {
        let mut keys = keys.to_vec();
        let first = keys[0];
        if self.below(3) == 0 {
            keys.push(self.below(12) as u32);
        }
        let epochs: Vec<_> = keys.iter().map(|key| (*key, self.epoch(*key))).collect();
        let (world, live) = (Rc::clone(self), Live::new(&self.live));
        Box::pin(async move {
            let _live = live;
            if world.wait(first).await == 0 {
                return Err(Boom(first));
            }
            let answer = |(key, epoch): (u32, Epoch)| match world.below(10) {
                0 => (key, Err(Boom(key))),
                _ => (key, Ok(world.loaded(key, epoch))),
            };
            Ok(epochs.into_iter().filter(|_| world.below(10) > 0).map(answer).collect())
        })
    }

    /// A load of one key that is handed nothing.
    pub(crate) async fn load_one(self: &Rc<Self>, key: u32) -> Result<Loaded<V>, Boom> {
        let said = self.load_many(&[key]).await?;
        said.into_iter().find(|(k, _)| *k == key).map_or(Err(Boom(key)), |(_, answer)| answer)
    }

    /// Lets a load last for a while; returns how it ends.
    async fn wait(&self, key: u32) -> u64 {
        if self.below(8) == 0 {
            self.ask_inside(key).await;
        }
        for _ in 0..self.below(4) {
            if self.below(2) == 0 {
                futures_lite::future::yield_now().await;
            } else {
                let time = self.time.borrow().clone();
                let length = self.below(40);
                sleep(&time, length).await;
            }
        }
        if self.below(12) == 0 {
            std::panic::panic_any(Bang(key));
        }
        if self.below(12) == 0 {
            self.ask_inside(key).await;
        }
        self.below(7)
    }

    async fn ask_inside(&self, key: u32) {
        let asks = self.inside.borrow().clone();
        if let Some(asks) = asks {
            asks(key).await;
        }
    }
}

struct Live(Rc<Cell<usize>>);

impl Live {
    fn new(live: &Rc<Cell<usize>>) -> Self {
        live.set(live.get() + 1);
        Self(Rc::clone(live))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
