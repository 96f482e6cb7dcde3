//! The parts of scenarios: callers, loads that end when told to, and caches that count.

use core::future::poll_fn;
use core::pin::pin;

use alloc::rc::Rc;

use larder::{Builder, Cache};

use super::{
    What,
    counting::{Key, Value},
    note,
};
use crate::{Boom, Counted, Gate, Random, Sim};

/// A cache that counts.
pub(super) type Store = Cache<Key, Value, Boom, Counted>;

/// How such a cache is built.
pub(super) type Setup = Builder<Key, Value, Boom, Counted>;

/// Callers in virtual time, and a gate for the load of each key.
pub(super) struct World {
    pub(super) sim: Sim,
    pub(super) gates: Rc<Vec<Gate>>,
    n: u32,
}

/// The order in which things come or go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Forward,
    Backward,
    Random,
}

impl Order {
    /// This many numbers in this order.
    pub(super) fn of(self, n: u32) -> Vec<u32> {
        let mut numbers: Vec<_> = (0..n).collect();
        match self {
            Self::Forward => {}
            Self::Backward => numbers.reverse(),
            Self::Random => {
                let mut random = Random::new(7);
                (1..numbers.len()).rev().for_each(|at| numbers.swap(at, random.below(at as u64 + 1) as usize));
            }
        }
        numbers
    }
}

/// This many keys.
pub(super) fn keys(n: u32) -> Vec<Key> {
    (0..n).map(Key).collect()
}

impl World {
    pub(super) fn new(n: u32) -> Self {
        Self { sim: Sim::new(), gates: Rc::new((0..n).map(|_| Gate::default()).collect()), n }
    }

    pub(super) fn runtime(&self) -> Counted {
        Counted::new(self.sim.clock())
    }

    /// The load of a key, which ends well once its gate is open.
    pub(super) fn load(&self) -> impl Fn(Key) -> Ends + 'static {
        let gates = Rc::clone(&self.gates);
        move |key| Ends { gate: gates[key.0 as usize].clone(), number: key.0 }
    }

    /// A builder for a cache of four shards, each with room for `2 * n` entries.
    pub(super) fn builder(&self) -> Setup {
        Cache::builder(self.runtime()).capacity(8 * u64::from(self.n)).shards(4).hash_seed(7)
    }

    /// A cache that loads single keys.
    pub(super) fn store(&self, setup: impl FnOnce(Setup) -> Setup) -> Store {
        let load = self.load();
        let load = move |key: Key| {
            let ends = load(key);
            async move { Ok(Value(ends.ended().await)) }
        };
        setup(self.builder().load_fn(load)).build().expect("valid")
    }

    /// A cache that loads many keys at once; each load ends with the gate of its first key.
    pub(super) fn batched(&self, setup: impl FnOnce(Setup) -> Setup) -> Store {
        let load = self.load();
        let load = move |keys: Vec<Key>| {
            let ends = load(Key(keys[0].0));
            async move {
                ends.ended().await;
                Ok(keys.into_iter().map(|key| (Key(key.0), Value(key.0))))
            }
        };
        setup(self.builder().load_many_fn(load)).build().expect("valid")
    }

    /// A cache whose gates are all open, so each load ends in its first poll.
    pub(super) fn ready(&self, setup: impl FnOnce(Setup) -> Setup) -> Store {
        self.gates.iter().for_each(Gate::open_quietly);
        self.store(setup)
    }

    /// A cache with a value for each key.
    pub(super) fn full(&self, setup: impl FnOnce(Setup) -> Setup) -> Store {
        let store = self.store(setup);
        keys(self.n).into_iter().for_each(|key| _ = store.insert(Key(key.0), Value(key.0)));
        store
    }

    /// A caller whose polls are counted, run until all callers are idle.
    pub(super) fn call<T>(&mut self, future: impl Future<Output = T> + 'static) -> usize {
        self.sim.call(async move {
            let mut future = pin!(future);
            let polled = poll_fn(|cx| {
                note(What::Callers);
                future.as_mut().poll(cx)
            });
            drop(polled.await);
        })
    }

    pub(super) fn get(&mut self, store: &Store, key: u32) -> usize {
        let store = store.clone();
        self.call(async move { store.get(&Key(key)).await.is_ok() })
    }

    /// A caller for each key.
    pub(super) fn get_each(&mut self, store: &Store) -> Vec<usize> {
        (0..self.n).map(|key| self.get(store, key)).collect()
    }

    /// This many callers for one key.
    pub(super) fn crowd(&mut self, store: &Store, n: u32) -> Vec<usize> {
        (0..n).map(|_| self.get(store, 0)).collect()
    }

    pub(super) fn get_many(&mut self, store: &Store, keys: Vec<Key>) -> usize {
        let store = store.clone();
        self.call(async move { store.get_many(&keys).await.len() })
    }

    /// Opens the gates one after another; callers that are woken are polled in between.
    pub(super) fn open(&mut self, order: Order) {
        for number in order.of(self.n) {
            self.gates[number as usize].open();
            self.sim.run();
        }
    }

    /// Drops these callers one after another.
    pub(super) fn leave(&mut self, callers: &[usize], order: Order) {
        for number in order.of(callers.len() as u32) {
            self.sim.drop(callers[number as usize]);
            self.sim.run();
        }
    }

    /// Asserts that these callers have ended.
    #[track_caller]
    pub(super) fn assert_over(&self, callers: &[usize]) {
        assert!(callers.iter().all(|caller| self.sim.saw(*caller).ends_with("done")), "each is told");
    }
}

/// A load that ends with its gate.
pub(super) struct Ends {
    gate: Gate,
    number: u32,
}

impl Ends {
    pub(super) async fn ended(self) -> u32 {
        poll_fn(|cx| {
            note(What::Loads);
            self.gate.poll(cx)
        })
        .await;
        self.number
    }
}
