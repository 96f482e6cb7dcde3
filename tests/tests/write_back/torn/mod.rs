//! The torn disk: whatever is dropped, fails or panics, and wherever the power is cut, disk and cache together hold
//! every acknowledged write, and nothing is on disk before its dependencies. (P16, P17)

mod every_order;
mod platter;
mod storm;

use super::*;
use platter::{CACHES, KEYS, Platter, Torn};

type Sheets<R> = WriteBack<u32, V, Boom, R>;

/// The caches, small ones, so that they evict all the time.
fn caches<R: Host>(sim: &Sim, platter: &Rc<Platter>, capacity: usize) -> Vec<Sheets<R>> {
    let make = |nth: usize| {
        WriteBack::builder(R::on(sim.clock()), Torn(platter.clone(), nth))
            .capacity(capacity)
            .flush_limit(1 + nth)
            .name(["a", "b", "c"][nth])
            .build()
            .expect("the configuration is valid")
    };
    (0..CACHES).map(make).collect()
}

/// Asserts that each acknowledged write is in its cache, or has left it for the disk.
#[track_caller]
fn assert_nothing_is_lost<R: Host>(platter: &Platter, caches: &[Sheets<R>]) {
    for (nth, pages) in caches.iter().enumerate() {
        for key in 0..KEYS {
            let there = pages.try_get(&key).map_or_else(|| platter.page(nth, key), |handle| *handle.value());
            assert_eq!(there, platter.latest(nth, key), "{nth}/{key}");
        }
    }
}

/// Flushes everything without trouble, and asserts that all is on disk and that no place or pin is left over.
fn assert_all_ends_well<R: Host>(sim: &mut Sim, platter: &Platter, caches: Vec<Sheets<R>>, capacity: usize) {
    platter.trouble(0);
    let end = |sim: &mut Sim, caller: usize| {
        let late = sim.time.ms() + 1000;
        sim.to(late);
        assert!(sim.saw(caller).ends_with("done"), "{}", sim.saw(caller));
    };
    for pages in &caches {
        let flush = pages.clone();
        let i = sim.spawn(async move { flush.flush().await.expect("there is no trouble any more") });
        end(sim, i);
        assert_eq!((pages.dirty(), pages.pinned()), (0, 0));
        let fills = pages.clone();
        let i = sim.spawn(async move {
            let mut kept = Vec::new();
            for key in 100..100 + capacity as u32 {
                kept.push(fills.get_or_load(&key).await.expect("there is room"));
            }
            assert_eq!((fills.len(), fills.pinned()), (capacity, capacity));
        });
        end(sim, i);
    }
    for nth in 0..CACHES {
        for key in 0..KEYS {
            assert_eq!(platter.page(nth, key), platter.latest(nth, key), "{nth}/{key}");
        }
    }
    drop(caches);
}
