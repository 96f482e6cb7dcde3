//! Loads in any case: by `refresh`, or by a call that asks for it.

use std::{
    io,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use larder_redis::{TierBuilder, TierError};
use larder_tokio::{Builder, Cache, Loaded, LookupOptions, Tokio};
use tokio::{
    spawn,
    time::{sleep, timeout},
};

use crate::node::{Names, Node, Source, builder, ms, server, until};

type First = Builder<u64, u64, TierError<io::Error>>;

fn first() -> First {
    Cache::builder(Tokio::new())
}

/// A process with this first tier, which loads keys one by one or many at once.
async fn node(tier: TierBuilder<u64>, cache: First, source: &Arc<Source>, many: bool) -> Node {
    let source = Arc::clone(source);
    let (cache, tier) = if many {
        let load = move |keys: Vec<u64>| {
            let source = Arc::clone(&source);
            async move {
                let mut answers = Vec::new();
                for key in keys {
                    answers.push((key, source.load(key).await.map(Loaded::new)));
                }
                Ok(answers)
            }
        };
        tier.loaded_many_fn(cache, load).unwrap()
    } else {
        let load = move |key| {
            let source = Arc::clone(&source);
            async move { source.load(key).await }
        };
        tier.load_fn(cache, load).unwrap()
    };
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    Node { cache, tier }
}

#[tokio::test]
async fn a_reload_loads_whatever_the_first_tier_makes_of_lives() {
    let server = server!();
    let firsts: [fn() -> First; 3] =
        [first, || first().ttl_jitter(0.9, 7), || first().time_to_idle(Duration::from_secs(10))];
    for (number, first) in firsts.into_iter().enumerate() {
        for many in [false, true] {
            let source = Source::with(1, 0);
            let tier = builder(&server.url()).namespace(&format!("{number}{many}"));
            let node = node(tier, first(), &source, many).await;
            for key in 0..8 {
                assert_eq!(node.get(key).await, 1);
            }
            source.set(2);
            for key in 0..8 {
                assert_eq!(node.cache.refresh(&key).await.unwrap().into_value(), 2, "{number} {many} {key}");
                assert_eq!(node.get(key).await, 2);
            }
            assert_eq!(source.loads(), 16);
        }
    }
}

#[tokio::test]
async fn a_reload_is_not_content_with_what_another_process_has_loaded() {
    let server = server!();
    for many in [false, true] {
        let source = Source::with(1, 0);
        let tier = || builder(&server.url()).namespace(&many.to_string());
        let (a, b) = (node(tier(), first(), &source, many).await, node(tier(), first(), &source, many).await);
        assert_eq!((b.get(1).await, a.get(1).await), (1, 1));
        // So that what the other loads is newer by far more than a call may take.
        sleep(ms(400)).await;
        source.set(2);
        assert_eq!(a.cache.refresh(&1).await.unwrap().into_value(), 2);
        source.set(3);
        assert_eq!(b.cache.refresh(&1).await.unwrap().into_value(), 3, "it holds 1, and 2 is there");
        // Nor does it matter that it holds nothing.
        let c = node(tier(), first(), &source, many).await;
        source.set(4);
        assert_eq!((c.cache.refresh(&1).await.unwrap().into_value(), source.loads()), (4, 4));
        if many {
            source.set(5);
            let d = node(tier(), first(), &source, many).await;
            let found = d.cache.lookup_many(&[1, 2]).options(LookupOptions::new().reload()).await;
            assert_eq!(found.into_iter().map(|found| found.unwrap().into_value()).collect::<Vec<_>>(), [5, 5]);
        }
    }
}

#[tokio::test]
async fn a_reload_joins_the_load_of_another_process() {
    let server = server!();
    for many in [false, true] {
        let source = Source::with(1, 0);
        let tier = || {
            let tier = builder(&server.url()).namespace(&many.to_string());
            tier.lease(Duration::from_secs(60)).poll_every(Duration::from_secs(60))
        };
        let (a, b) = (node(tier(), first(), &source, many).await, node(tier(), first(), &source, many).await);
        assert_eq!((a.get(1).await, b.get(1).await), (1, 1));
        source.set(2);
        source.slow.store(500, SeqCst);
        let refresh = |cache: Names| spawn(async move { cache.refresh(&1).await.unwrap().into_value() });
        let one = refresh(a.cache.clone());
        until("its load has begun", || source.loads() == 2).await;
        let other = refresh(b.cache.clone());
        let other = timeout(Duration::from_secs(20), other).await.expect("it hears of the end").unwrap();
        assert_eq!((one.await.unwrap(), other, source.loads()), (2, 2, 2));
    }
}

#[tokio::test]
async fn t8_a_reload_while_a_failure_cools_down_says_so() {
    let server = server!();
    for many in [false, true] {
        let source = Source::with(1, 0);
        let tier = || builder(&server.url()).namespace(&many.to_string()).cool_down(Duration::from_secs(60));
        let (a, b) = (node(tier(), first(), &source, many).await, node(tier(), first(), &source, many).await);
        assert_eq!((a.get(1).await, b.get(1).await), (1, 1));
        source.fails.store(true, SeqCst);
        assert!(a.cache.refresh(&1).await.is_err());
        let error = b.cache.refresh(&1).await.unwrap_err();
        assert!(error.error().is_some_and(|error| error.retry_after().is_some()), "{error:?}");
        assert_eq!((b.get(1).await, source.loads()), (1, 2), "what it holds stays");
    }
}

#[tokio::test]
async fn an_early_refresh_is_one_though_the_second_tier_holds_the_value_for_longer() {
    let server = server!();
    for many in [false, true] {
        let source = Source::with(1, 0);
        let tier = || builder(&server.url()).namespace(&many.to_string());
        let early = || first().ttl_jitter(0.5, 7).refresh_early(0.02);
        let (a, b) = (node(tier(), early(), &source, many).await, node(tier(), early(), &source, many).await);
        assert_eq!((a.get(1).await, b.get(1).await), (1, 1));
        sleep(ms(1_300)).await;
        source.set(2);
        let refreshed = async |cache: &Cache<_, _, _>| {
            let stale = cache.get_stale(&1).await.unwrap();
            stale.refresh.expect("it is early").outcome().await.unwrap().into_value()
        };
        assert_eq!((refreshed(&a.cache).await, source.loads()), (2, 2));
        // The other finds that new one, in place of a load of its own.
        source.set(3);
        assert_eq!((refreshed(&b.cache).await, source.loads()), (2, 2));
    }
}
