//! Keys, values and clocks whose own code panics.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Cache, Clock, Loaded, LookupOptions, ManualClock, OnTimeout};
use larder_tests::*;

use super::traps::{Key, Value, hostile};

on_every_runtime! {
    c17_hash_panics
    c17_eq_panics
    c17_clone_of_a_value_panics
    p5_a_clone_for_a_newer_epoch_panics
    c17_drop_of_an_evicted_value_panics
    c17_weigher_panics
    c17_listener_panics
    c17_clock_panics
    c17_a_clock_that_panics_again_and_again
    a_panic_in_clone_hits_one_caller_only
    p5_a_call_for_many_keys_goes_on_after_a_panic
    a_listener_and_the_drop_of_its_value_panic
}

/// C17: `Hash` of the key panics while a load runs. (P5)
fn c17_hash_panics<R: Host>() {
    survive::<R>("hash");
}

/// C17: `Eq` of the key panics while a load runs. (P5)
fn c17_eq_panics<R: Host>() {
    survive::<R>("eq");
}

/// C17: `Clone` of the value panics as the value is delivered. (P5)
fn c17_clone_of_a_value_panics<R: Host>() {
    survive::<R>("clone");
}

/// C17: `Drop` of a value that has to make room for the loaded one panics. (P5, P13)
fn c17_drop_of_an_evicted_value_panics<R: Host>() {
    survive::<R>("drop");
}

/// C17: the weigher panics as the loaded value is weighed. (P5)
fn c17_weigher_panics<R: Host>() {
    survive::<R>("weigh");
}

/// C17: the listener panics as it is told which value makes room for the loaded one. (P5, P13)
fn c17_listener_panics<R: Host>() {
    survive::<R>("listen");
}

/// C17: the clock panics as the load is published. (P5)
fn c17_clock_panics<R: Host>() {
    survive::<R>("now");
}

/// C17: a clock that panics is not read again during that panic, or the process would abort. (P5)
fn c17_a_clock_that_panics_again_and_again<R: Host>() {
    // The current panic is that of the clock, or that of the load.
    for (end, payload) in [((|load| load.gives(1)) as fn(Script) -> Script, 17), (|load| load.panics(3), 3)] {
        let sim = Sim::new();
        let (gate, broken) = (Gate::default(), Rc::new(Cell::new(false)));
        let loads = sim.loads_in_turn([end(gate.script()), ready().gives(1)]);
        let panics = broken.clone();
        let clock = Tells(sim.clock(), move |clock: &ManualClock| {
            if panics.get() {
                std::panic::panic_any(Bang(17));
            }
            clock.now()
        });
        let cache = Cache::builder(R::with(clock)).ttl(ms(100)).loader(loads.clone()).build().expect("valid");
        let mut waiters = [cache.get(&7), cache.get(&7)];
        waiters.iter_mut().for_each(|get| assert!(wakers::poll_once(get).is_pending()));
        gate.open_quietly();
        broken.set(true);
        let polled = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut waiters[0])));
        assert_eq!(polled.err().and_then(|panic| panic.downcast().ok()), Some(Box::new(Bang(payload))));
        broken.set(false);
        assert!(matches!(wakers::poll_once(&mut waiters[1]), Poll::Ready(Err(_))));
        assert_eq!(wakers::now(cache.get(&7)).ok().as_deref(), Some(&1));
        drop(waiters);
        assert_clean(&cache.stats());
    }
}

/// 21 callers of one key in a full cache; `point` panics once while the load runs; then everything goes on.
fn survive<R: Host>(point: &'static str) {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads_by({
        let gate = gate.clone();
        move |_, call| if call == 0 { gate.script().gives(1) } else { ready().gives(2) }
    });
    let load = {
        let loads = loads.clone();
        move |key: Key| {
            let load = larder::Load::load(&loads, key.0);
            async move { load.await.map(|_| Value(key.0)) }
        }
    };
    let cache = Cache::builder(R::with(hostile(sim.clock())))
        .capacity(64)
        .shards(1)
        .ttl(ms(1_000_000))
        .load_fn(load)
        .weigher(|_: &Key, _: &Value| {
            strike("weigh");
            1
        })
        .listener(|_, _, _| strike("listen"))
        .build()
        .expect("valid");
    for key in 1000..1064 {
        cache.insert(Key(key), Value(key));
    }
    if point == "eq" {
        cache.insert(Key(7), Value(6)); // the key is compared when the load is published
    }
    let ask = |key: u32, options: LookupOptions| {
        let cache = cache.clone();
        async move { cache.lookup(&Key(key)).options(options).await.map(|outcome| V::new(outcome.value().0)) }
    };
    let callers: Vec<_> = (0..21).map(|_| sim.call(ask(7, LookupOptions::new().reload()))).collect();
    assert_eq!(loads.calls(), 1);
    arm(point, 0);
    gate.open();
    sim.run();
    let fired = !calm();
    assert!(fired || point == "hash", "{point} was not reached");
    let mut unwound = 0;
    for i in callers {
        match sim.saw(i).as_str() {
            "0: unwound 17" => unwound += 1,
            "0: V7" | "0: Panicked" => {}
            other => panic!("{point}: {other}"),
        }
    }
    assert!(unwound <= 1, "{point}: {unwound} callers unwound");
    for key in [7, 8] {
        let again = sim.call(ask(key, LookupOptions::new().reload()));
        assert_eq!(sim.saw(again), format!("0: V{key}"), "{point}");
    }
    for key in 0..2000 {
        cache.insert(Key(key), Value(key));
        assert!(cache.weight() <= 64);
    }
    assert_eq!((cache.weight(), cache.len()), (64, 64), "{point}");
    assert_clean(&cache.stats());
}

/// P5, D11: `Clone` of the value panics as a load is delivered that was lent in two epochs of its key: in the newer one
/// it has failed as well, at once, and the key stays usable.
fn p5_a_clone_for_a_newer_epoch_panics<R: Host>() {
    let mut sim = Sim::new();
    let endless = |_: Key| core::future::pending::<Result<Value, Boom>>();
    let cache = Cache::builder(R::on(sim.clock())).load_fn(endless).build().expect("valid");
    let plain = LookupOptions::new();
    let lend = |gate: &Gate, options: LookupOptions| {
        let (cache, gate) = (cache.clone(), gate.clone());
        async move {
            let load = || async {
                core::future::poll_fn(|context| gate.poll(context)).await;
                Ok(Loaded::new(Value(2)))
            };
            let told = cache.lookup(&Key(7)).options(options).lend(load).await;
            told.map(|outcome| V::new(outcome.value().0))
        }
    };
    let (shut, gate) = (Gate::default(), Gate::default());
    let a = sim.call(lend(&shut, plain));
    let b = sim.call(lend(&gate, plain.lock_timeout(ms(100), OnTimeout::Load)));
    assert!(cache.remove(&Key(7)).is_none());
    sim.to(100);
    let c = sim.call(lend(&shut, plain));
    arm("clone", 0);
    gate.open();
    sim.run();
    assert!(!calm(), "a clone was made");
    assert_eq!([a, b, c].map(|i| sim.saw(i)), ["waits", "100: unwound 17", "100: Panicked"]);
    let d = sim.call(lend(&gate, plain));
    assert_eq!((sim.saw(d), cache.contains(&Key(7))), ("100: V2".into(), true));
    sim.drop(a);
    assert_clean(&cache.stats());
}

/// A panic in `Clone` at delivery affects that caller only; the outcome stays for the rest. (P5, P10)
fn a_panic_in_clone_hits_one_caller_only<R: Host>() {
    let sim = Sim::new();
    let load = |key: Key| async move { Ok::<_, Boom>(Value(key.0)) };
    let cache = Cache::builder(R::on(sim.clock())).load_fn(load).build().expect("valid");
    cache.insert(Key(7), Value(7));
    arm("clone", 0);
    let hit = catch_unwind(AssertUnwindSafe(|| cache.get_if_present(&Key(7)).is_some()));
    assert!(hit.is_err());
    assert_eq!(cache.get_if_present(&Key(7)).map(|v| v.0), Some(7));
    assert_clean(&cache.stats());
}

/// P5, D59: a call for many keys whose poll unwinds is polled again, wherever that was: each key has its answer then, and
/// those that are not the panic's are values.
fn p5_a_call_for_many_keys_goes_on_after_a_panic<R: Host>() {
    for point in ["hash", "eq", "clone"] {
        let mut unwound = 0;
        for passes in 0..40 {
            let sim = Sim::new();
            let load = |key: Key| async move { Ok::<_, Boom>(Value(key.0)) };
            let (cache, keys) =
                (Cache::builder(R::on(sim.clock())).load_fn(load).build().expect("valid"), [1, 2, 1, 3].map(Key));
            let mut call = Box::pin(cache.get_many(&keys));
            arm(point, passes);
            let polls = (0..10).map(|_| catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call))));
            let told = polls.inspect(|poll| unwound += u32::from(poll.is_err())).find_map(|poll| match poll {
                Ok(Poll::Ready(told)) => Some(told),
                _ => None,
            });
            calm();
            let told = told.expect("it ends");
            let values: Vec<_> = told.iter().map(|told| told.as_ref().ok().map(|value| value.0)).collect();
            let is_right = |(value, key): (&Option<u32>, &Key)| value.is_none_or(|value| value == key.0);
            let are_right = values.len() == 4 && values.iter().zip(&keys).all(is_right);
            assert!(are_right && values.iter().flatten().count() >= 2, "{point} {passes}: {values:?}");
            assert_clean(&cache.stats());
        }
        assert!(unwound > 0, "{point}");
    }
}

/// A listener panics, and during the unwinding so does the drop of the value: the first panic goes out, nothing aborts.
/// (P5)
fn a_listener_and_the_drop_of_its_value_panic<R: Host>() {
    #[derive(Clone)]
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            strike("bomb");
        }
    }

    let sim = Sim::new();
    let load = |key: u32| async move { Ok::<_, Boom>(Bomb(key)) };
    let cache = Cache::builder(R::on(sim.clock()))
        .load_fn(load)
        .listener(|key: &u32, bomb: &Bomb, _| {
            if *key == 7 {
                arm("bomb", 0);
                std::panic::panic_any(Bang(bomb.0));
            }
        })
        .build()
        .expect("valid");
    let acts: [&dyn Fn(); 5] = [
        &|| _ = cache.insert(7, Bomb(8)),
        &|| drop(cache.remove(&7)),
        &|| cache.clear(),
        &|| cache.retain(|_, _| false),
        &|| cache.set_capacity(0),
    ];
    for act in acts {
        cache.insert(7, Bomb(70));
        cache.insert(8, Bomb(80));
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("the listener's panic goes out");
        assert_eq!(panic.downcast_ref::<Bang>(), Some(&Bang(70)));
        assert!(!calm(), "the bomb went off");
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| cache.remove(&7))) {
            assert_eq!(panic.downcast_ref::<Bang>(), Some(&Bang(8)));
            calm();
        }
    }
    assert_clean(&cache.stats());
}
