//! Calls of the cache from inside user code other than loads.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use larder::{
    Cache, Change, Computed, Failed, LoadError, Loaded, LocalBoxRevalidate, LookupOptions, ManualClock, OnTimeout,
    Previous, Revalidate, Ttl, parts::Std,
};
use larder_tests::*;

on_every_runtime! {
    c83_whatever_the_cache_runs_calls_the_cache
    c83_whatever_makes_values_leave_is_heard_by_who_calls_the_cache
    errors_are_dropped_outside_the_lock
    d44_a_key_of_a_load_that_a_write_came_after
}

std::thread_local! {
    /// What each of them does with the cache, with its type erased.
    static CALL: RefCell<Option<Rc<dyn Fn(&'static str)>>> = const { RefCell::new(None) };
}

fn call_the_cache(from: &'static str) {
    // If a test has failed, values are dropped only then.
    let call = CALL.try_with(|call| call.borrow().clone());
    if let Ok(Some(call)) = call {
        call(from);
    }
}

#[derive(Clone)]
struct Calling(#[expect(dead_code, reason = "it makes the value a value")] u32);

impl Drop for Calling {
    fn drop(&mut self) {
        call_the_cache("drop");
    }
}

/// C83: weigher, expiry closure, listener, `retain` predicate, entry closure and `Drop` of a value call
/// `get_if_present` and `insert` of the same cache. (P13)
fn c83_whatever_the_cache_runs_calls_the_cache<R: Host>() {
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
            call_the_cache("weigher");
            1
        })
        .expire_after(|_, _| {
            call_the_cache("expiry");
            Ttl::Inherit
        })
        .listener(|_, _, _| call_the_cache("listener"))
        .build()
        .expect("valid");
    let busy = Rc::new(Cell::new(false));
    let calls = Rc::new(Cell::new(0));
    let from = Rc::new(RefCell::new(BTreeSet::new()));
    let inside = {
        let (cache, busy, calls, from) = (cache.clone(), busy.clone(), calls.clone(), from.clone());
        move |name| {
            if !busy.replace(true) {
                calls.set(calls.get() + 1);
                from.borrow_mut().insert(name);
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
        let changed = cache.compute(&key, |_| {
            call_the_cache("entry");
            Change::Store(Loaded::new(Calling(key)))
        });
        // (With little room, it may have left before.)
        let is_changed = matches!(changed, Ok(Computed::Replaced(_) | Computed::Inserted(_)));
        assert!(is_changed, "a call from inside does not undo the outer one");
    }
    cache.retain(|key, _| {
        call_the_cache("predicate");
        key % 2 == 0
    });
    assert!(cache.iter().all(|(key, _)| key % 2 == 0 || key == 1));
    cache.remove(&1);
    cache.clear();
    CALL.set(None);
    assert!(calls.get() > 90, "{} calls from inside", calls.get());
    assert_eq!(from.take(), ["drop", "entry", "expiry", "listener", "predicate", "weigher"].into());
    drop(cache);
}

/// C83: whichever call makes values leave, a listener and the drop of a value call the cache. (P13)
fn c83_whatever_makes_values_leave_is_heard_by_who_calls_the_cache<R: Host>() {
    let mut sim = Sim::new();
    let load = |_: Vec<u32>| async { Ok::<_, Boom>([1, 2, 3].map(|key| (key, Calling(key)))) };
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).stale_if_error(ms(10)).load_many_fn(load);
    let cache =
        builder.store_surplus().shards(1).listener(|_, _, _| call_the_cache("listener")).build().expect("valid");
    let (inside, from) = (cache.clone(), Rc::new(RefCell::new(BTreeSet::new())));
    let heard = from.clone();
    let not_kept = || LookupOptions::new().reload().ttl(Ttl::NotStored);
    // Each call finds two values of this age.
    let acts: [(u64, &str, &dyn Fn()); 6] = [
        (0, "a smaller capacity", &|| cache.set_capacity(1)),
        (0, "an entry call", &|| assert!(matches!(cache.compute(&1, |_| Change::Remove), Ok(Computed::Removed(_))))),
        (0, "a load that is not to be stored", &|| assert!(wakers::now(cache.lookup(&1).options(not_kept())).is_ok())),
        (105, "surplus", &|| assert!(wakers::now(cache.get(&3)).is_ok())),
        (111, "a sweep", &|| assert_eq!(cache.sweep(), 2)),
        (111, "a call for many keys", &|| assert!(wakers::now(cache.get_many(&[2])).iter().all(Result::is_ok))),
    ];
    for (age, what, act) in acts {
        cache.set_capacity(1000);
        cache.clear();
        cache.insert(1, Calling(1));
        cache.insert(2, Calling(2));
        let now = sim.time.ms();
        sim.to(now + age);
        from.take();
        let (inside, heard) = (inside.clone(), heard.clone());
        CALL.set(Some(Rc::new(move |name| {
            heard.borrow_mut().insert(name);
            assert!(inside.get_if_present(&99).is_none());
        })));
        act();
        CALL.set(None);
        assert_eq!(from.take(), ["drop", "listener"].into(), "{what}");
    }
}

/// C83: a waker calls the cache, wherever it is woken from. (P13)
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

/// D44, P13: two attempts fail in one step, one by an error that calls the cache when it is dropped, the other by its
/// budget.
fn errors_are_dropped_outside_the_lock<R: Host>() {
    type Touched<R> = Cache<u32, u32, Touching<R>, R>;

    struct Touching<R: Host>(Weak<Touched<R>>, Rc<Cell<u32>>);

    impl<R: Host> Drop for Touching<R> {
        fn drop(&mut self) {
            if let Some(cache) = self.0.upgrade() {
                assert!(!cache.contains(&7));
                self.1.set(self.1.get() + 1);
            }
        }
    }

    let sim = Sim::new();
    let builder = Cache::builder(R::on(sim.clock())).load_budget(ms(50));
    let cache: Rc<Touched<R>> = Rc::new(builder.build().expect("valid"));
    let (gate, dropped) = (Gate::default(), Rc::default());
    let (opens, error) = (gate.clone(), Touching(Rc::downgrade(&cache), Rc::clone(&dropped)));
    let mut first = cache.get_or_load(&7, move || async move {
        core::future::poll_fn(|context| opens.poll(context)).await;
        Err(error)
    });
    assert!(wakers::poll_once(&mut first).is_pending());
    let endless = || core::future::pending::<Result<Loaded<u32>, Touching<R>>>();
    let hurry = LookupOptions::new().lock_timeout(ms(20), OnTimeout::Load);
    let mut second = cache.lookup(&7).options(hurry).lend(endless);
    assert!(wakers::poll_once(&mut second).is_pending());
    sim.time.set(20);
    assert!(wakers::poll_once(&mut second).is_pending());
    drop(first);
    gate.open_quietly();
    sim.time.set(70);
    let third = wakers::now(cache.lookup(&7).by(endless));
    assert!(matches!(third, Err(LoadError::Failed(failure)) if failure.is_budget_exceeded()));
    assert_eq!((dropped.get(), cache.stats().loads_failed), (1, 2));
    drop(second);
    assert_clean(&cache.stats());
}

/// D44: a key whose drop calls the cache leaves when a load has answered that a write came after.
fn d44_a_key_of_a_load_that_a_write_came_after<R: Host>() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Calls(u32);

    impl Drop for Calls {
        fn drop(&mut self) {
            call_the_cache("key");
        }
    }

    struct Brings(Gate, bool);

    impl Revalidate<Calls> for Brings {
        type Value = V;
        type Error = Boom;
        type Future = LocalBoxRevalidate<V, Boom>;

        fn revalidate(&self, _: Calls, _: Option<Previous<V>>) -> Self::Future {
            let (gate, is_private) = (self.0.clone(), self.1);
            Box::pin(async move {
                core::future::poll_fn(|context| gate.poll(context)).await;
                let value = Loaded::new(V::new(1));
                if is_private {
                    return Ok(value.ttl(Ttl::private(ms(10))).into());
                }
                Err(Failed::new(Boom(1)).instead(value))
            })
        }
    }

    for is_private in [true, false] {
        let gate = Gate::default();
        let builder = Cache::builder(R::on(ManualClock::new())).stale_if_error(ms(1000)).shards(1);
        let cache = builder.revalidator(Brings(gate.clone(), is_private)).build().expect("valid");
        let (inside, calls, asked) = (cache.clone(), Rc::new(Cell::new(0)), Calls(99));
        let count = calls.clone();
        CALL.set(Some(Rc::new(move |_| {
            count.set(count.get() + 1);
            assert!(inside.get_if_present(&asked).is_none());
        })));
        let key = Calls(7);
        let mut get = cache.get(&key);
        assert!(wakers::poll_once(&mut get).is_pending());
        cache.remove(&key);
        gate.open_quietly();
        assert!(wakers::poll_once(&mut get).is_ready());
        drop(get);
        drop(key);
        assert!(calls.get() > 1);
        // It has a key, whose drop is not to find it.
        drop(CALL.take());
        assert_clean(&cache.stats());
    }
}
