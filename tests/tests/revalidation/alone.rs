//! Loads outside any flight.

use larder::OnTimeout;
use larder_tests::*;

use crate::{assert_books, handed, pages, told};

on_every_runtime! {
    loaded_alone
    loaded_alone_with_nothing_to_keep
}

/// A caller that loads alone gets the previous value as well; its result is its own, and the stored value stays. (D25)
fn loaded_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_timeout(ms(20), OnTimeout::LoadAlone));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let first = sim.get(&cache, 7);
    let alone = sim.get(&cache, 7);
    sim.to(330);
    assert_eq!((sim.saw(alone).as_str(), told(&sim, alone)), ("330: V1 Expired", (330, Some(0), generation)));
    assert_eq!(handed(&loads), [Some(1); 2]);
    assert!(!cache.contains(&7), "nothing is stored");
    sim.drop(first);
    assert_books(&cache, 1);
}

/// A caller that loads alone and returns "unchanged" without a previous value gets the same failure as others.
fn loaded_alone_with_nothing_to_keep<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_timeout(ms(20), OnTimeout::LoadAlone));
    let first = sim.get(&cache, 7);
    let alone = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!(sim.saw(alone), "30: NothingToKeep");
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.loads_succeeded), (1, 0));
    sim.drop(first);
    assert_books(&cache, 1);
}
