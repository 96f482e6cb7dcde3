//! Calls of the cache from inside: from loads, and from everything else of the user's that it runs.

use std::sync::OnceLock;
use std::task::Wake;

use larder::{Cache, Load, Loaded, Loader, LookupOptions, ManualClock, parts::Std};
use larder_tests::*;

on_every_runtime! {
    c82_a_load_that_asks_for_its_own_key
    c82_with_other_callers_waiting
    c82_with_a_stale_value
    c82_a_chain_of_loads
    c83_weigher_predicate_and_drop_call_the_cache
}

/// A loader that asks the cache it loads for.
struct Asking<R: Host>(Rc<Inner<R>>);

struct Inner<R: Host> {
    cache: RefCell<Option<Cache<u32, Loader<Asking<R>>, R>>>,
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
            match cache.lookup(&next, LookupOptions::new()).await {
                // Each load adds one to what it found.
                Ok(outcome) => Ok(Loaded::new(V::new(**outcome.value() + 1))),
                Err(larder::LoadError::Reentrant) => Err(Boom(82)),
                Err(_) => Err(Boom(1)),
            }
        })
    }
}

fn asking<R: Host>(
    sim: &Sim,
    gate: &Gate,
    next: fn(u32) -> Option<u32>,
) -> (Cache<u32, Loader<Asking<R>>, R>, Rc<Inner<R>>) {
    let inner = Rc::new(Inner { cache: RefCell::new(None), next, gate: gate.clone() });
    let builder = Cache::builder(R::on(sim.clock())).loader(Asking(inner.clone())).shards(1);
    let cache = builder.ttl(ms(100)).stale_while_refresh(ms(50)).build().expect("valid");
    inner.cache.replace(Some(cache.clone()));
    (cache, inner)
}

fn ask<R: Host>(sim: &mut Sim, cache: &Cache<u32, Loader<Asking<R>>, R>, key: u32) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.get(&key).await })
}

/// C82: a load that asks for its own key is told so, and does not wait for itself. (P3)
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

/// C82: with a value inside the stale limit the load is served that. (P3)
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

std::thread_local! {
    /// What weigher, predicate and `Drop` do with the cache; it knows nothing of types.
    static CALL: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

fn call_the_cache() {
    // When a test has failed, values are dropped as late as that.
    let call = CALL.try_with(|call| call.borrow().clone());
    if let Ok(Some(call)) = call {
        call();
    }
}

#[derive(Clone)]
struct Calling(#[expect(dead_code, reason = "it makes the value a value")] u32);

impl Drop for Calling {
    fn drop(&mut self) {
        call_the_cache();
    }
}

/// C83: weigher, `retain` predicate and `Drop` of a value call `get_if_present` and `insert` of the same cache. (P13)
fn c83_weigher_predicate_and_drop_call_the_cache<R: Host>() {
    call_from_everywhere::<R>(20);
    call_from_everywhere::<R>(10_000);
}

fn call_from_everywhere<R: Host>(capacity: u64) {
    let mut sim = Sim::new();
    let load = |key: u32| async move { Ok::<_, Boom>(Calling(key)) };
    let cache = Cache::builder(R::on(sim.clock()))
        .capacity(capacity)
        .ttl(ms(100))
        .load_fn(load)
        .weigher(|_: &u32, _: &Calling| {
            call_the_cache();
            1
        })
        .build()
        .expect("valid");
    let busy = Rc::new(Cell::new(false));
    let calls = Rc::new(Cell::new(0));
    let inside = {
        let (cache, busy, calls) = (cache.clone(), busy.clone(), calls.clone());
        move || {
            if !busy.replace(true) {
                calls.set(calls.get() + 1);
                cache.get_if_present(&1);
                cache.insert(1, Calling(1));
                cache.remove(&2);
                busy.set(false);
            }
        }
    };
    CALL.set(Some(Rc::new(inside)));
    for key in 10..100 {
        cache.insert(key, Calling(key));
        let own = cache.clone();
        let i = sim.call(async move { own.get(&(key + 100)).await.map(|_| V::new(0)) });
        assert_eq!(sim.saw(i), "0: V0");
        assert!(cache.weight() <= capacity);
        assert!(capacity == 20 || cache.contains(&key) && cache.contains(&(key + 100)));
    }
    cache.retain(|key, _| {
        call_the_cache();
        key % 2 == 0
    });
    assert!(cache.iter().all(|(key, _)| key % 2 == 0 || key == 1));
    cache.remove(&1);
    cache.clear();
    CALL.set(None);
    assert!(calls.get() > 90, "{} calls from inside", calls.get());
    drop(cache);
}

/// C83: a waker calls the cache, from wherever it is woken. (P13)
#[test]
fn c83_a_waker_calls_the_cache() {
    struct Asks(OnceLock<Box<dyn Fn() + Send + Sync>>);

    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            (self.0.get().expect("set at once"))();
        }
    }

    let clock = ManualClock::new();
    let due = clock.clone();
    let load = move |key: u32| {
        let sleep = larder::Timer::sleep_until(&due, larder::Instant::from_nanos(50));
        async move {
            sleep.await;
            Ok::<_, Boom>(key)
        }
    };
    let cache = Cache::builder(Std::new(clock.clone())).load_fn(load).build().expect("valid");
    let asks = Arc::new(Asks(OnceLock::new()));
    let inside = cache.clone();
    let call = move || {
        inside.get_if_present(&7);
        inside.insert(8, 8);
        inside.remove(&9);
    };
    assert!(asks.0.set(Box::new(call)).is_ok());
    let waker = Waker::from(asks);
    let mut waiters: Vec<_> = (0..3).map(|_| cache.get(&7)).collect();
    for waiter in &mut waiters {
        assert!(wakers::poll_with(waiter, &waker).is_pending());
    }
    clock.advance(Duration::from_nanos(50));
    for waiter in &mut waiters {
        assert!(matches!(wakers::poll_with(waiter, &waker), Poll::Ready(Ok(7))));
    }
    assert!(cache.contains(&8));
    assert_clean(&cache.stats());
}
