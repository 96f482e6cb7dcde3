//! Calls of the cache from inside its loads.

use larder::{Cache, Load, Loaded};
use larder_tests::*;

on_every_runtime! {
    c82_a_load_that_asks_for_its_own_key
    c82_with_other_callers_waiting
    c82_with_a_stale_value
    c82_a_chain_of_loads
}

/// A loader that asks the cache it loads for.
struct Asking<R: Host>(Rc<Inner<R>>);

struct Inner<R: Host> {
    cache: RefCell<Option<Cache<u32, V, Boom, R>>>,
    /// The key to ask for while this one is loaded.
    next: fn(u32) -> Option<u32>,
    gate: Gate,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

impl<R: Host> Load<u32> for Asking<R> {
    type Value = V;
    type Error = Boom;
    type Future = Boxed<Result<Loaded<V>, Boom>>;

    fn load(&self, key: u32) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            core::future::poll_fn(|context| inner.gate.poll(context)).await;
            let Some(next) = (inner.next)(key) else { return Ok(Loaded::new(V::new(0))) };
            let cache = inner.cache.borrow().clone().expect("set before the first call");
            match cache.lookup(&next).await {
                // Each load adds one to the value that it found.
                Ok(outcome) => Ok(Loaded::new(V::new(**outcome.value() + 1))),
                Err(larder::LoadError::Reentrant) => Err(Boom(82)),
                Err(_) => Err(Boom(1)),
            }
        })
    }
}

fn asking<R: Host>(sim: &Sim, gate: &Gate, next: fn(u32) -> Option<u32>) -> (Cache<u32, V, Boom, R>, Rc<Inner<R>>) {
    let inner = Rc::new(Inner { cache: RefCell::new(None), next, gate: gate.clone() });
    let builder = Cache::builder(R::on(sim.clock())).loader(Asking(inner.clone())).shards(1);
    let cache = builder.ttl(ms(100)).stale_while_refresh(ms(50)).build().expect("valid");
    inner.cache.replace(Some(cache.clone()));
    (cache, inner)
}

fn ask<R: Host>(sim: &mut Sim, cache: &Cache<u32, V, Boom, R>, key: u32) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.get(&key).await })
}

/// C82: a load that asks for its own key gets an error, and does not wait for itself. (P3)
fn c82_a_load_that_asks_for_its_own_key<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    gate.open();
    let (cache, inner) = asking::<R>(&sim, &gate, Some);
    let i = ask(&mut sim, &cache, 7);
    assert_eq!(sim.saw(i), "0: E82");
    assert_clean(&cache.stats());
    inner.cache.take();
}

/// C82: the same when others wait for that load and the flight's own waker polls it. (P3)
fn c82_with_other_callers_waiting<R: Host>() {
    for waiters in 1..4 {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let (cache, inner) = asking::<R>(&sim, &gate, Some);
        let callers: Vec<_> = (0..=waiters).map(|_| ask(&mut sim, &cache, 7)).collect();
        gate.open();
        sim.run();
        for i in callers {
            assert_eq!(sim.saw(i), "0: E82");
        }
        assert_clean(&cache.stats());
        inner.cache.take();
    }
}

/// C82: if a value is within the stale limit, the load gets it. (P3)
fn c82_with_a_stale_value<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    gate.open();
    let (cache, inner) = asking::<R>(&sim, &gate, Some);
    cache.insert(7, V::new(40));
    sim.to(120);
    let i = ask(&mut sim, &cache, 7);
    assert_eq!(sim.saw(i), "120: V41");
    assert_clean(&cache.stats());
    inner.cache.take();
}

/// C82: 64 loads over 64 keys, each asking for the next, just work. (P3, P13)
fn c82_a_chain_of_loads<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let (cache, inner) = asking::<R>(&sim, &gate, |key| (key < 63).then_some(key + 1));
    let i = ask(&mut sim, &cache, 0);
    let joined = ask(&mut sim, &cache, 0);
    gate.open();
    sim.run();
    assert_eq!([sim.saw(i), sim.saw(joined)], ["0: V63", "0: V63"]);
    let middle = ask(&mut sim, &cache, 32);
    assert_eq!(sim.saw(middle), "0: V31");
    assert_eq!(cache.stats().loads_begun, 64);
    assert_clean(&cache.stats());
    inner.cache.take();
}
