use std::{
    io,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::join_all;
use larder_redis::{Tier, TierBuilder};
use larder_tokio::{Cache, Loaded, Tokio};
use tokio::{join, time::timeout};

use crate::node::{Names, Source, builder, server, until};

fn many(builder: TierBuilder<u64>, source: &Arc<Source>) -> (Names, Tier<u64, u64, io::Error>) {
    let source = Arc::clone(source);
    let load = move |keys: Vec<u64>| {
        let source = Arc::clone(&source);
        async move {
            if keys.contains(&666) {
                return Err(io::Error::other("the whole load has failed"));
            }
            let answers = join_all(keys.into_iter().filter(|key| *key < 1_000).map(|key| {
                let source = Arc::clone(&source);
                async move { (key, source.load(key).await.map(|value| Loaded::new(value + key))) }
            }));
            Ok(answers.await)
        }
    };
    builder.loaded_many_fn(Cache::builder(Tokio::new()), load).unwrap()
}

#[tokio::test]
async fn t12_batches_that_overlap_do_not_wait_in_a_ring() {
    let server = server!();
    let source = Source::with(0, 30);
    let patient = || builder(&server.url()).lease(Duration::from_secs(60)).poll_every(Duration::from_secs(60));
    let ((a, ta), (b, tb)) = (many(patient(), &source), many(patient(), &source));
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    for round in 0..10 {
        let (up, down): (Vec<u64>, Vec<u64>) =
            ((0..8).map(|i| round * 8 + i).collect(), (0..8).rev().map(|i| round * 8 + i).collect());
        let both = async { join!(a.get_many(&up), b.get_many(&down)) };
        let (one, other) = timeout(Duration::from_secs(20), both).await.expect("nobody waits for ever");
        let values = |found: Vec<_>| found.into_iter().map(Result::<u64, _>::unwrap).collect::<Vec<_>>();
        assert_eq!((values(one), values(other)), (up, down));
    }
    let mut keys = source.keys.lock().unwrap().clone();
    keys.sort_unstable();
    assert_eq!(keys, (0..80).collect::<Vec<_>>(), "each key was loaded once in the fleet");
}

#[tokio::test]
async fn t12_each_key_is_answered_as_soon_as_it_can_be() {
    let server = server!();
    let [here, there] = [0, 0].map(|slow| Source::with(0, slow));
    let patient = || builder(&server.url()).lease(Duration::from_secs(60));
    let ((a, ta), (b, tb)) = (many(patient(), &here), many(patient(), &there));
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    // Key 1 is in the second tier, key 2 nowhere, and key 3 takes another process ten seconds.
    assert_eq!(b.get(&1).await.unwrap(), 1);
    there.slow.store(10_000, SeqCst);
    let led = tokio::spawn({
        let b = b.clone();
        async move { b.get(&3).await }
    });
    until("the other process leads", || there.loads() == 2).await;
    here.slow.store(300, SeqCst);
    let batch = tokio::spawn({
        let a = a.clone();
        async move { a.get_many(&[3, 2, 1]).await }
    });
    until("what is found is there", || a.contains(&1)).await;
    assert!(!a.contains(&2), "before what is loaded");
    until("what is loaded is there", || a.contains(&2)).await;
    assert!(!batch.is_finished(), "before what another process loads");
    assert_eq!((here.loads(), ta.stats().fresh, ta.stats().leased), (1, 1, 1));
    // Once the other process has given it up, this one loads it.
    led.abort();
    let found = timeout(Duration::from_secs(20), batch).await.expect("the lease is given back").unwrap();
    assert_eq!(found.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [3, 2, 1]);
}

#[tokio::test]
async fn t12_what_is_missing_or_fails_concerns_its_own_key() {
    let server = server!();
    let source = Source::with(0, 0);
    let ((a, ta), (b, _tb)) = (many(builder(&server.url()), &source), many(builder(&server.url()), &source));
    assert!(ta.wait_until_it_hears(Duration::from_secs(20)).await);
    let found = a.get_many(&[1, 2_000, 3]).await;
    assert!(found[1].as_ref().unwrap_err().is_missing());
    assert_eq!((found[0].as_ref().ok(), found[2].as_ref().ok()), (Some(&1), Some(&3)));
    // What is found is served, though the load of the rest fails.
    let found = b.get_many(&[1, 666, 4]).await;
    assert_eq!(found[0].as_ref().ok(), Some(&1));
    assert!(found[1].is_err() && found[2].is_err());
    assert_eq!(a.get(&4).await.unwrap(), 4, "the lease was given back");
    assert!(a.get(&2_000).await.unwrap_err().is_missing());
}

#[tokio::test]
async fn t7_a_batch_without_a_server_is_one_load() {
    let source = Source::with(0, 0);
    let (cache, tier) = many(builder("redis://127.0.0.1:1/"), &source);
    let found = cache.get_many(&[1, 2, 3]).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!((source.loads(), tier.stats().alone), (3, 3));
}

#[tokio::test]
async fn t4_a_batch_that_began_before_a_write_is_kept_nowhere() {
    let server = server!();
    let source = Source::with(0, 200);
    let (cache, tier) = many(builder(&server.url()), &source);
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    let batch = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_many(&[1, 2]).await }
    });
    until("the load has begun", || source.loads() == 2).await;
    source.set(100);
    source.slow.store(0, SeqCst);
    assert!(tier.invalidate(&1).await.is_acknowledged());
    assert_eq!(batch.await.unwrap()[0].as_ref().ok(), Some(&1), "it was asked for before");
    assert_eq!((cache.get(&1).await.unwrap(), cache.get(&2).await.unwrap()), (101, 2));
    assert_eq!((tier.stats().refused, tier.stats().published), (1, 2));
}

#[tokio::test]
async fn t8_a_batch_that_fails_says_so_and_is_cooled_down() {
    let server = server!();
    let source = Source::with(0, 0);
    let make = |stale| {
        let tier = builder(&server.url()).ttl(Duration::from_millis(100)).stale_for(Duration::from_secs(60));
        many(tier.cool_down(stale), &source)
    };
    let ((a, ta), (b, tb)) = (make(Duration::from_secs(60)), make(Duration::from_secs(60)));
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    assert_eq!(a.get_many(&[1, 2]).await.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    tokio::time::sleep(Duration::from_millis(150)).await;
    // Its cache has no use for stale values, so it is told.
    let found = a.get_many(&[1, 666, 2_000]).await;
    assert!(found.iter().all(Result::is_err));
    for key in [1, 666, 2_000] {
        assert_eq!(server.ask(&["GET", &format!("larder:l:{{{key}}}")]).as_deref(), Some("!"), "{key} rests");
    }
    assert_eq!(b.get(&1).await.unwrap(), 1, "the stale one is served meanwhile");
    // A key that is not answered is no reason to ask again at once.
    let missing = a.get_many(&[3_000]).await;
    assert!(missing[0].as_ref().unwrap_err().is_missing());
    assert_eq!(server.ask(&["GET", "larder:l:{3000}"]).as_deref(), Some("!"));
}

#[tokio::test]
async fn a_batch_loads_in_any_case_what_is_to_be_reloaded() {
    let server = server!();
    let source = Source::with(0, 0);
    let (cache, tier) = many(builder(&server.url()), &source);
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!(cache.get(&1).await.unwrap(), 1);
    source.set(100);
    let options = larder_tokio::LookupOptions::new().reload();
    assert_eq!(cache.lookup(&1).options(options).await.unwrap().into_value(), 101);
    assert_eq!((cache.get(&1).await.unwrap(), source.loads()), (101, 2));
}

#[tokio::test]
async fn t8_the_second_tier_has_something_to_serve_if_a_batch_fails() {
    let server = server!();
    let source = Source::with(1, 0);
    let stale = || builder(&server.url()).ttl(Duration::from_millis(100)).stale_for(Duration::from_secs(60));
    let (a, ta) = many(stale(), &source);
    assert!(ta.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!(a.get(&1).await.unwrap(), 2);
    tokio::time::sleep(Duration::from_millis(150)).await;
    // A process that has never held it, and would rather have something old than nothing.
    let load = |_: Vec<u64>| async { Err::<Vec<(u64, Result<Loaded<u64>, _>)>, _>(io::Error::other("down")) };
    let cache = Cache::builder(Tokio::new()).stale_if_error(Duration::from_secs(60));
    let (b, tb) = stale().loaded_many_fn(cache, load).unwrap();
    assert!(tb.wait_until_it_hears(Duration::from_secs(20)).await);
    let found = b.lookup_many(&[1, 2]).await;
    let one = found[0].as_ref().unwrap();
    assert_eq!(*one.value(), 2);
    assert!(one.status().stale().is_some() && one.error().is_some());
    assert!(found[1].is_err());
}
