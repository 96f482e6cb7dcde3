//! After a burst, memory and work depend on what is left only, even if that hangs.

use core::future::pending;

use larder::{Cache, ManualClock, OneThread, Runtime};
use larder_tests::*;

on_every_runtime! {
    c114_all_gone_but_one_flight
    c114_all_gone_but_one_waiter
    c114_all_gone_but_one_in_many
    c114_by_many_keys
    c114_by_one_load_of_many
    c114_again_and_again
}

const BURST: u32 = 100_000;

/// How many bytes a flight and its parts may take.
const EACH: i64 = 1000;

type Own<R> = Cache<u32, u32, Boom, R>;

fn hanging<R: Runtime<Threads = OneThread>>(runtime: R, setup: impl FnOnce(Builder<R>) -> Builder<R>) -> Own<R> {
    let load = |_: u32| pending::<Result<u32, Boom>>();
    setup(Cache::builder(runtime).load_fn(load)).build().expect("valid")
}

type Builder<R> = larder::Builder<u32, u32, Boom, R>;

/// Polls each of these once; they wait.
fn begin<F: Future + Unpin>(calls: &mut [F]) {
    for call in calls {
        assert!(wakers::poll_once(call).is_pending());
    }
}

/// C114: the first, the last, or a middle one hangs; the memory is as before, apart from that one. (P2, D49)
fn c114_all_gone_but_one_flight<R: Host>() {
    for (shards, hangs) in [(1, 0), (1, BURST / 2), (16, BURST - 1)] {
        let cache = hanging(R::on(ManualClock::new()), |c| c.shards(shards));
        let keys: Vec<u32> = (0..BURST).collect();
        let mut left = None;
        let grown = memory::growth(|| {
            let mut calls: Vec<_> = keys.iter().map(|key| cache.get(key)).collect();
            begin(&mut calls);
            assert_eq!(cache.stats().flights, u64::from(BURST));
            left = Some(calls.swap_remove(hangs as usize));
        });
        assert!(grown <= EACH, "{grown} bytes for one flight");
        assert_eq!((cache.stats().flights, cache.stats().waiters, cache.stats().loads_in_flight), (1, 1, 1));
        let mut joins = cache.get(&keys[hangs as usize]);
        begin(core::slice::from_mut(&mut joins));
        assert_eq!((cache.stats().flights, cache.stats().waiters), (1, 2));
        cache.insert(hangs, 7);
        for call in left.iter_mut().chain([&mut joins]) {
            assert!(matches!(wakers::poll_once(call), Poll::Ready(Ok(7))));
        }
        assert_clean(&cache.stats());
    }
}

/// C114: the same for callers that wait for one key. (P2, D49)
fn c114_all_gone_but_one_waiter<R: Host>() {
    for hangs in [0, 1, BURST / 2, BURST - 1] {
        let cache = hanging(R::on(ManualClock::new()), |c| c);
        let mut left = None;
        let grown = memory::growth(|| {
            let mut calls: Vec<_> = (0..BURST).map(|_| cache.get(&7)).collect();
            begin(&mut calls);
            left = Some(calls.swap_remove(hangs as usize));
        });
        assert!(grown <= EACH, "{grown} bytes for one waiter");
        assert_eq!((cache.stats().flights, cache.stats().waiters), (1, 1));
        cache.insert(7, 7);
        assert!(left.is_some_and(|mut call| matches!(wakers::poll_once(&mut call), Poll::Ready(Ok(7)))));
        assert_clean(&cache.stats());
    }
}

/// C114: memory follows what is live: one flight in a thousand hangs. (D49)
fn c114_all_gone_but_one_in_many<R: Host>() {
    let cache = hanging(R::on(ManualClock::new()), |c| c.shards(4));
    let keys: Vec<u32> = (0..BURST).collect();
    let mut left = Vec::new();
    let grown = memory::growth(|| {
        let mut calls: Vec<_> = keys.iter().map(|key| cache.get(key)).collect();
        begin(&mut calls);
        left.extend(calls.into_iter().step_by(1000));
        left.shrink_to_fit();
    });
    let other = hanging(R::on(ManualClock::new()), |c| c.shards(4));
    let mut alone = Vec::new();
    let needed = memory::growth(|| {
        alone.extend(keys.iter().step_by(1000).map(|key| other.get(key)));
        begin(&mut alone);
    });
    assert_eq!((cache.stats().flights, other.stats().flights), (100, 100));
    assert!(grown <= 8 * needed, "{grown} bytes where {needed} would do");
}

/// C114: a call for this many keys, with loads of single keys, is dropped while another caller waits for one of them.
/// (D49)
fn c114_by_many_keys<R: Host>() {
    let cache = hanging(R::on(ManualClock::new()), |c| c);
    let keys: Vec<u32> = (0..BURST).collect();
    let mut left = None;
    let grown = memory::growth(|| {
        let mut many = cache.get_many(&keys);
        assert!(wakers::poll_once(&mut many).is_pending());
        left = Some(cache.get(&keys[77]));
        assert!(left.as_mut().is_some_and(|call| wakers::poll_once(call).is_pending()));
    });
    assert!(grown <= EACH, "{grown} bytes for one flight");
    assert_eq!((cache.stats().flights, cache.stats().waiters), (1, 1));
}

/// C114: the same if one load of many keys has ended, and another hangs. (D49)
fn c114_by_one_load_of_many<R: Host>() {
    let load = |keys: Vec<u32>| async move {
        if keys == [77] {
            pending::<()>().await;
        }
        Ok::<_, Boom>(keys.into_iter().map(|key| (key, key)))
    };
    let builder = Cache::builder(R::on(ManualClock::new())).load_many_fn(load);
    let cache = builder.capacity(0).build().expect("valid");
    let keys: Vec<u32> = (0..BURST).collect();
    let mut left = cache.get(&keys[77]);
    begin(core::slice::from_mut(&mut left));
    let grown = memory::growth(|| {
        let mut many = cache.get_many(&keys);
        assert!(wakers::poll_once(&mut many).is_pending());
        assert_eq!(cache.stats().loads_succeeded, u64::from(BURST) - 1);
    });
    assert!(grown <= EACH, "{grown} bytes for one flight");
    assert_eq!((cache.stats().flights, cache.stats().waiters), (1, 1));
}

/// C114: bursts one after another, each leaving one that hangs, take no more memory than those that hang. (P12, D49)
fn c114_again_and_again<R: Host>() {
    let cache = hanging(R::on(ManualClock::new()), |c| c.shards(1));
    let keys: Vec<u32> = (0..BURST).collect();
    let mut left = Vec::with_capacity(100);
    let grown = memory::growth(|| {
        for burst in keys.chunks(1000) {
            let mut calls: Vec<_> = burst.iter().map(|key| cache.get(key)).collect();
            begin(&mut calls);
            left.push(calls.swap_remove(500));
        }
    });
    assert!(grown <= 100 * EACH, "{grown} bytes for a hundred flights");
    assert_eq!((cache.stats().flights, cache.stats().waiters), (100, 100));
    let mut later: Vec<_> = keys.iter().take(50).map(|key| cache.get(key)).collect();
    begin(&mut later);
    for key in &keys {
        cache.insert(*key, *key);
    }
    assert!(left.iter_mut().chain(&mut later).all(|call| matches!(wakers::poll_once(call), Poll::Ready(Ok(_)))));
    assert_clean(&cache.stats());
}

/// C114: after the burst, `clear` and `stats` cost what they cost for the one that is left. (D49)
#[test]
fn c114_what_it_costs_afterwards() {
    let keys: Vec<u32> = (0..BURST).collect();
    let cost = |burst: &[u32]| {
        let cache = hanging(Counted::new(ManualClock::new()), |c| c.shards(4));
        let mut calls: Vec<_> = burst.iter().map(|key| cache.get(key)).collect();
        begin(&mut calls);
        calls.truncate(1);
        let mut taken = 0;
        let mut allocated = 0;
        let freed = -memory::growth(|| {
            allocated = memory::allocations(|| {
                taken = locks(|| {
                    assert_eq!(cache.stats().flights, 1);
                    cache.clear();
                });
            });
        });
        begin(&mut calls);
        (taken, allocated, freed)
    };
    assert_eq!(cost(&keys), cost(&keys[..1]));
}
