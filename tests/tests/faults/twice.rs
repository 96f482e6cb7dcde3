//! Panics beside a write or another panic: no load stays claimed, and the process goes on.

use core::{panic::AssertUnwindSafe, task::Context};
use std::panic::catch_unwind;

use larder::Cache;
use larder_tests::*;

use super::traps::{Key, Value};

on_every_runtime! {
    p5_a_waker_panics_before_a_load_of_two_epochs_is_made
    p5_eq_panics_while_the_panic_of_a_load_is_told
}

/// P5, D11: a caller from before a write would begin a load after it, and does not come to it: the newer epoch does not
/// wait for that.
fn p5_a_waker_panics_before_a_load_of_two_epochs_is_made<R: Host>() {
    for is_empty in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([never(), ready().gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(50)));
        let (mut first, mut second) = (Box::pin(cache.get(&7)), Box::pin(cache.get(&7)));
        assert!(first.as_mut().poll(&mut Context::from_waker(&wakers::panicking())).is_pending());
        assert!(wakers::poll_once(&mut second).is_pending());
        cache.remove(&7);
        sim.to(50);
        assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut second).is_ready())).is_err());
        let waiting = Some((first, second)).filter(|_| !is_empty);
        assert_eq!(cache.stats().loads_in_flight, u64::from(!is_empty));
        let later = sim.get(&cache, 7);
        assert_eq!(sim.saw(later), "50: V2 Miss");
        drop(waiting);
        assert_clean(&cache.stats());
    }
}

static KEY: Key = Key(7);

/// P5: a failure is to be kept, and `Eq` panics as its place is looked for: all that wait are told all the same.
fn p5_eq_panics_while_the_panic_of_a_load_is_told<R: Host>() {
    let mut met = 0;
    for passes in 0..6 {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let opens = gate.clone();
        let load = move |_: Key| {
            let opens = opens.clone();
            async move {
                core::future::poll_fn(|context| opens.poll(context)).await;
                panics_twice(passes)
            }
        };
        let builder = Cache::builder(R::on(sim.clock())).ttl(ms(10)).stale_if_error(ms(500)).error_ttl(ms(100));
        let cache: Cache<Key, Value, Boom, R> = builder.load_fn(load).build().expect("valid");
        cache.insert(Key(7), Value(1));
        sim.to(20);
        let mut leads = cache.get(&KEY);
        assert!(wakers::poll_once(&mut leads).is_pending());
        let at = cache.clone();
        let waits = sim.call(async move { at.get(&KEY).await.map(|value| V::new(value.0)) });
        gate.open_quietly();
        let unwound = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut leads).is_ready()));
        assert_eq!(unwound.err().and_then(|panic| panic.downcast().ok()), Some(Box::new(Bang(1))));
        met += u32::from(!calm());
        sim.run();
        assert_eq!(sim.saw(waits), "20: V1", "{passes}");
        drop(leads);
        assert_clean(&cache.stats());
    }
    assert!(met > 1, "{met}");
}

/// Panics, and once more as a key is compared meanwhile.
fn panics_twice(passes: u32) -> Result<Value, Boom> {
    arm("eq", passes);
    std::panic::panic_any(Bang(1))
}
