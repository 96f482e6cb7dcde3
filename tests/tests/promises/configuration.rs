//! Configurations that are refused, with the field's name, and unusual ones that are not.

use larder::{Cache, ManualClock, OnTimeout, parts::Local};
use larder_tests::*;

type Setting = (&'static str, fn(Setup<Local<ManualClock>>) -> Setup<Local<ManualClock>>);

/// C88: each setting that cannot work is refused with an error that names it.
#[test]
fn c88_refused_configuration() {
    let refused: [Setting; 18] = [
        ("shards", |c| c.shards(0)),
        ("attempts", |c| c.attempts(0)),
        ("error_backoff", |c| c.error_ttl(ms(100)).error_backoff(0.9, ms(400))),
        ("error_backoff", |c| c.error_ttl(ms(100)).error_backoff(f64::NAN, ms(400))),
        ("error_backoff", |c| c.error_ttl(ms(100)).error_backoff(2.0, ms(99))),
        ("lock_timeout", |c| c.lock_timeout(ms(10), OnTimeout::Stale)),
        ("lock_timeout", |c| c.ttl(ms(100)).stale_if_error(ms(10)).lock_timeout(ms(10), OnTimeout::Stale)),
        ("attempts", |c| c.attempts(0).lock_age(ms(10))),
        ("shards", |c| c.shards(0).capacity(0)),
        ("ttl_jitter", |c| c.ttl(ms(100)).ttl_jitter(-0.1, 7)),
        ("ttl_jitter", |c| c.ttl(ms(100)).ttl_jitter(1.1, 7)),
        ("ttl_jitter", |c| c.ttl(ms(100)).ttl_jitter(f64::NAN, 7)),
        ("refresh_early", |c| c.ttl(ms(100)).refresh_early(0.0)),
        ("refresh_early", |c| c.ttl(ms(100)).refresh_early(1.1)),
        ("refresh_early", |c| c.ttl(ms(100)).refresh_early(f64::NAN)),
        ("error_backoff", |c| c.error_ttl(ms(100)).error_backoff(-1.0, ms(400))),
        ("max_batch", |c| c.max_batch(0)),
        ("max_batch", |c| c.max_batch(100).max_batch(0)),
    ];
    let sim = Sim::new();
    for (n, (field, setting)) in refused.into_iter().enumerate() {
        let Err(error) = sim.try_cache(&sim.loads(never()), setting) else {
            panic!("setting {n}, {field}: not refused")
        };
        assert_eq!(error.field(), field, "setting {n}");
        assert!(error.to_string().contains(field), "setting {n}: {error}");
    }
}

/// C88: the same for the factor of refreshes by chance, whose builder has another type.
#[test]
fn c88_a_refused_factor_of_chance() {
    let sim = Sim::new();
    for beta in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let builder = Cache::builder(Local::new(sim.clock())).loader(sim.loads(never()));
        let refused = builder.refresh_early_by_chance(beta, || 0.5).build();
        assert_eq!(refused.map_err(|error| error.field()).err(), Some("refresh_early_by_chance"), "{beta}");
    }
}

/// C88: unusual but meaningful settings are accepted.
#[test]
fn c88_valid_configuration() {
    let valid: [Setting; 17] = [
        ("capacity", |c| c.capacity(0)),
        ("ttl", |c| c.ttl(ms(0))),
        ("lock_age", |c| c.lock_age(ms(0))),
        ("lock_timeout", |c| c.lock_timeout(ms(0), OnTimeout::Fail)),
        ("shards", |c| c.capacity(3).shards(1000)),
        ("shards", |c| c.shards(usize::MAX)),
        ("shards", |c| c.capacity(u64::MAX).shards(usize::MAX)),
        ("error_ttl", |c| c.error_ttl(ms(0))),
        ("error_backoff", |c| c.error_ttl(ms(100)).error_backoff(1.0, ms(100))),
        ("attempts", |c| c.attempts(1)),
        ("load_budget", |c| c.load_budget(Duration::MAX)),
        ("ttl_jitter", |c| c.ttl(ms(10)).ttl_jitter(0.0, 7)),
        ("ttl_jitter", |c| c.ttl(ms(10)).ttl_jitter(1.0, 7)),
        ("refresh_early", |c| c.ttl(ms(10)).refresh_early(1.0)),
        ("max_batch", |c| c.max_batch(0).max_batch(1)),
        ("time_to_idle", |c| c.time_to_idle(Duration::MAX)),
        ("stale", |c| c.ttl(ms(10)).stale_while_refresh(ms(5)).lock_timeout(ms(10), OnTimeout::Stale)),
    ];
    let mut sim = Sim::new();
    for (field, setting) in valid {
        let loads = sim.loads(ready().gives(1));
        let cache = sim.try_cache(&loads, setting).unwrap_or_else(|error| panic!("{field}: {error}"));
        let i = sim.get(&cache, 7);
        assert_eq!(sim.saw(i), "0: V1 Miss", "{field}");
        assert!(cache.weight() <= cache.capacity());
        assert_clean(&cache.stats());
    }
}

/// C88: an error TTL of zero means none.
#[test]
fn c88_error_ttl_zero() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<Local<ManualClock>>(&loads, |c| c.error_ttl(ms(0)));
    for _ in 0..3 {
        let i = sim.get(&cache, 7);
        assert_eq!(sim.saw(i), "0: E1");
    }
    assert_eq!(loads.calls(), 3);
}

/// The keys of a full cache in the order of its shards, which is the order of their hashes.
fn order(seed: Option<u64>) -> Vec<u32> {
    let builder = Cache::builder(Local::new(ManualClock::new())).capacity(10_000).shards(64);
    let builder = builder.load_fn(|key: u32| async move { Ok::<_, Boom>(key) });
    let builder = match seed {
        Some(seed) => builder.hash_seed(seed),
        None => builder,
    };
    let cache = builder.build().expect("valid");
    for key in 0..1000 {
        cache.insert(key, key);
    }
    let keys: Vec<_> = cache.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 1000);
    keys
}

/// C63: with std, two caches hash the same key differently by default. (P9)
#[test]
fn c63_seeded_hashing() {
    assert_ne!(order(None), order(None));
}

/// C63: a given seed makes the placement of keys repeatable. (P9)
#[test]
fn c63_a_given_seed() {
    assert_eq!(order(Some(1)), order(Some(1)));
    assert_ne!(order(Some(1)), order(Some(2)));
}
