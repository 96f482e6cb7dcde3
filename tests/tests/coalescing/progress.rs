//! Callers that are alive and never polled again block no other caller.

use larder::{Cache, LookupOptions};
use larder_tests::*;

on_every_runtime! {
    c09_first_callers_alive_and_never_polled_again
    c09_any_subset_parked
    c09_who_joins_while_the_load_is_polled
}

/// C09: the first 1, 2 or 11 callers are parked; a hundred behind them are served in every case. (P3)
fn c09_first_callers_alive_and_never_polled_again<R: Host>() {
    for parked in [1, 2, 11] {
        for (script, drop_first, expected) in [
            (after(50).gives(1), false, "50: V1 LockHit"),
            (after(50).fails(1), false, "50: E1"),
            (after(50).gives(1), true, "50: V1 LockHit"),
            (steps(4, 10).gives(1), true, "30: V1 LockHit"),
        ] {
            let mut sim = Sim::new();
            let loads = sim.loads(script);
            let cache = sim.cache::<R>(&loads, |c| c);
            let first = sim.crowd(&cache, 7, parked);
            for i in &first {
                sim.park(*i);
            }
            let others = sim.crowd(&cache, 7, 100);
            if drop_first {
                sim.to(15);
                sim.drop(first[0]);
            }
            sim.to(50);
            for i in others {
                assert_eq!(sim.saw(i), expected, "{parked} parked");
            }
            assert_eq!(loads.calls(), 1);
            for i in first {
                sim.unpark(i);
                assert!(sim.saw(i) == "50: dropped" || sim.saw(i) != "waits", "{}", sim.saw(i));
            }
            assert_clean(&cache.stats());
        }
    }
}

/// C09: of up to seven callers, any proper subset is parked, after any step of the load: the rest is served. (P3)
fn c09_any_subset_parked<R: Host>() {
    for callers in 2..=7_usize {
        for parked in 0..(1 << callers) - 1 {
            for (load, from) in [(steps(3, 10), 0), (steps(3, 10), 10), (polls(30), 0)] {
                let mut sim = Sim::new();
                let loads = sim.loads(load.gives(1));
                let cache = sim.cache::<R>(&loads, |c| c);
                let all: Vec<_> = (0..callers).map(|_| sim.queue_up(&cache, 7, LookupOptions::new())).collect();
                for i in &all {
                    sim.poll(*i);
                }
                if from > 0 {
                    sim.to(from);
                }
                for i in all.iter().filter(|i| parked >> **i & 1 == 1) {
                    sim.park(*i);
                }
                sim.to(20);
                for i in all {
                    if parked >> i & 1 == 0 {
                        let saw = sim.saw(i);
                        assert!(saw.contains(": V1 "), "{callers} callers, parked {parked:b}: caller {i} {saw}");
                    }
                }
                assert_eq!(loads.calls(), 1);
            }
        }
    }
}

/// C09: a caller that joins within a poll of the load is woken by it, though the polling caller is not polled again.
/// (P3)
fn c09_who_joins_while_the_load_is_polled<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let inside: Rc<RefCell<Option<Box<dyn FnOnce()>>>> = Rc::default();
    let (opens, joins) = (gate.clone(), inside.clone());
    let load = move |key: u32| {
        let (gate, joins) = (opens.clone(), joins.clone());
        core::future::poll_fn(move |context| {
            joins.take().into_iter().for_each(|join| join());
            gate.poll(context).map(|()| Ok::<_, Boom>(key))
        })
    };
    let cache = Cache::builder(R::on(sim.clock())).load_fn(load).build().expect("valid");
    let own = cache.clone();
    let second = Rc::new(RefCell::new(Box::pin(async move { own.get(&7).await.ok() })));
    let (counter, waker) = wakers::Counting::new();
    let (comes, by) = (second.clone(), waker.clone());
    let join = move || assert!(wakers::poll_with(&mut *comes.borrow_mut(), &by).is_pending());
    inside.replace(Some(Box::new(join)));
    let mut parked = cache.get(&7);
    assert!(wakers::poll_once(&mut parked).is_pending());
    gate.open();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(wakers::poll_with(&mut *second.borrow_mut(), &waker), Poll::Ready(Some(7)));
}
