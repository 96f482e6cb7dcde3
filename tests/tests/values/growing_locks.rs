//! A cache that grows comes to have more shards: which locks are taken, and what a clock or a lock does in the middle.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Cache, ManualClock};
use larder_tests::*;

type Numbers = Cache<u32, u32, Boom, Counted>;

fn build(capacity: u64, setup: impl FnOnce(NumbersBuilder) -> NumbersBuilder) -> Numbers {
    setup(Numbers::builder(Counted::new(ManualClock::new())).hash_seed(3).capacity(capacity)).build().expect("valid")
}

type NumbersBuilder = larder::Builder<u32, u32, Boom, Counted>;

/// C111: grown from 1000 to 100 000, the keys of a cache are behind as many locks as in one built so, and a look takes one.
#[test]
fn c111_a_cache_that_grew_is_as_concurrent_as_one_built_so() {
    let locks_of = |cache: &Numbers| {
        distinct_locks(|| {
            let most = (0..20_000).map(|key| locks(|| _ = cache.get_if_present(&key))).max();
            assert_eq!(most, Some(1), "one lock a look");
        })
    };
    for processors in [1, 2, 3, 16, 64] {
        for steps in [&[100_000][..], &[1500, 3000, 7000, 20_000, 100_000], &[50_000, 10, 100_000]] {
            let [cache, built] = [1000, 100_000].map(|capacity| build(capacity, |c| c.processors(processors)));
            (0..1000).for_each(|key| _ = cache.insert(key, key));
            steps.iter().for_each(|capacity| cache.set_capacity(*capacity));
            let shards = (8 * processors).next_power_of_two();
            assert_eq!((locks_of(&cache), locks_of(&built)), (shards, shards), "{processors}, {steps:?}");
            (0..90_000).for_each(|key| _ = cache.insert(key, key));
            assert_eq!(cache.len(), 90_000, "all the room is of use");
        }
    }
}

/// C111, D43: what is inserted while all is cleared or expired, in a shard whose turn is over, stays, wherever it moves.
#[test]
fn c111_what_comes_after_the_turn_of_its_shard_stays() {
    let calls: [fn(&Numbers); 2] = [|cache| cache.clear(), |cache| _ = cache.expire_all()];
    for call in calls {
        for at in 1..12 {
            let left = [false, true].map(|grows| {
                let cache = Rc::new(build(400, |c| c.processors(8).ttl(ms(1000))));
                (0..100).for_each(|key| _ = cache.insert(key, 1));
                let (own, mut reads) = (Rc::downgrade(&cache), 0);
                let meanwhile = move || {
                    reads += 1;
                    let cache = own.upgrade().expect("it is called");
                    if reads == at {
                        (200..300).for_each(|key| _ = cache.insert(key, 2));
                        if grows {
                            cache.set_capacity(100_000);
                        }
                    }
                };
                when_read(meanwhile, || call(&cache));
                assert!((0..100).all(|key| !cache.contains(&key)), "all that was there before");
                (200..300).filter(|key| cache.contains(key)).collect::<Vec<_>>()
            });
            assert_eq!(left[0], left[1], "{at}");
        }
    }
}

/// A growth that unwinds leaves a cache that works, and the next one goes on with it.
#[test]
fn c111_a_growth_that_unwinds() {
    for others in 0..7 {
        let cache = build(90, |c| c.processors(1));
        (0..90).for_each(|key| _ = cache.insert(key, key));
        miss_lock_after(others);
        assert!(catch_unwind(AssertUnwindSafe(|| cache.set_capacity(100_000))).is_err());
        assert!(cache.weight() <= 90 && cache.capacity() == 90);
        for key in 0..1000 {
            assert!(cache.insert(key, key).is_some());
            assert_eq!(cache.get_if_present(&key), Some(key));
        }
        assert!((85..=90).contains(&cache.weight()), "{}", cache.weight());
        cache.set_capacity(10);
        assert!(cache.weight() <= 10);
        cache.set_capacity(100_000);
        (0..90_000).for_each(|key| _ = cache.insert(key, key));
        assert_eq!(cache.len(), 90_000, "no room was lost");
    }
}
