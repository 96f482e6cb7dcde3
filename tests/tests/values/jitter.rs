//! Lifetimes that are shortened differently, so that they do not end together.

use std::collections::BTreeMap;

use larder::{LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    c38_jitter
    c38_jitter_of_every_lifetime
}

/// The deadline of a stored value, in milliseconds from now; `None` if it is not stored.
fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

fn for_ms(n: u64) -> Option<TimeLeft> {
    Some(TimeLeft::For(ms(n)))
}

/// The lifetimes of a thousand keys, inserted or loaded.
fn lifetimes<R: Host>(seed: u64, loaded: bool, hash_seed: u64) -> Vec<u64> {
    let mut sim = Sim::new();
    let loads = sim.loads(ready());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(0.1, seed).hash_seed(hash_seed));
    let lifetime = |key| {
        if loaded {
            let i = sim.get(&cache, key);
            assert_eq!(sim.saw(i), "0: V0 Miss");
        } else {
            cache.insert(key, V::new(0));
        }
        match left(&cache, key) {
            Some(TimeLeft::For(left)) => left.as_nanos() as u64,
            other => panic!("it is stored, and expires: {other:?}"),
        }
    };
    (0..1000).map(lifetime).collect()
}

/// C38: lifetimes differ by key, are the same for the same seed, and never longer. (P11)
fn c38_jitter<R: Host>() {
    let all = lifetimes::<R>(7, false, 1);
    assert!(all.iter().all(|left| (900_000_000..=1_000_000_000).contains(left)));
    let mut crowds = BTreeMap::<u64, u32>::new();
    for left in &all {
        *crowds.entry(left / 1_000_000).or_default() += 1;
    }
    assert!(crowds.len() > 90 && crowds.values().all(|count| *count <= 50), "in whole milliseconds: {crowds:?}");
    assert_eq!(lifetimes::<R>(7, false, 2), all, "whatever seed the hasher has");
    assert_eq!(lifetimes::<R>(7, true, 3), all, "be they loaded or inserted");
    let others = lifetimes::<R>(8, false, 1);
    let same = all.iter().zip(&others).filter(|(a, b)| a == b).count();
    assert!(same < 10, "{same} of 1000 are the same under another seed");
}

/// C38: "for ever" and "not stored" stay as they are, and lifetimes from other sources are shortened as well.
fn c38_jitter_of_every_lifetime<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| match key {
        0 => ready().ttl(Ttl::Forever),
        1 => ready().ttl(ms(100)),
        2 => ready().ttl(Duration::from_nanos(1)),
        3 => ready().ttl(ms(0)),
        _ => ready(),
    });
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(1.0, 7));
    for key in 0..5 {
        sim.get(&cache, key);
    }
    sim.ask(&cache, 5, LookupOptions::new().ttl(ms(100)));
    assert_eq!((left(&cache, 0), left(&cache, 3)), (Some(TimeLeft::Forever), None));
    assert_eq!(left(&cache, 2), Some(TimeLeft::For(Duration::from_nanos(1))), "never zero");
    for (key, ttl) in [(1, 100), (4, 1000), (5, 100)] {
        let Some(TimeLeft::For(left)) = left(&cache, key) else { panic!("it expires") };
        assert!(left > ms(0) && left < ms(ttl), "key {key}: {left:?}");
    }
    let plain = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).ttl_jitter(0.0, 7));
    plain.insert(4, V::new(0));
    assert_eq!(left(&plain, 4), for_ms(1000));
}
