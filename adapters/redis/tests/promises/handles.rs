use std::time::Duration;

use tokio::time::Instant;

use crate::node::{Node, Source, builder, ms, server, until};

#[tokio::test]
async fn no_connection_is_left_after_the_last_handle() {
    let server = server!();
    let source = Source::with(7, 0);
    let before = server.connections();
    for keeps_tier in [false, true] {
        let Node { cache, tier } = Node::new(&server.url(), &source).await;
        cache.get(&1).await.unwrap();
        assert_eq!(server.connections(), before + 1);
        let tiers = [tier.clone(), tier];
        // Either handle keeps it, and the last one closes it.
        if keeps_tier {
            drop(cache);
            assert!(tiers[0].invalidate(&1).await.is_acknowledged());
            drop(tiers);
        } else {
            drop(tiers);
            cache.get(&2).await.unwrap();
            drop(cache);
        }
        until("it is closed", || server.connections() == before).await;
    }
}

#[tokio::test]
async fn none_is_left_though_a_load_is_under_way_and_its_lease_is_given_back() {
    let server = server!();
    let source = Source::with(7, 60_000);
    let long = || builder(&server.url()).lease(Duration::from_secs(60)).poll_every(Duration::from_secs(60));
    let before = server.connections();
    let node = Node::with(long(), &source).await;
    let get = tokio::spawn({
        let cache = node.cache.clone();
        async move { cache.get(&1).await }
    });
    until("the load has begun", || source.loads() == 1).await;
    drop(node);
    get.abort();
    until("it is closed", || server.connections() == before).await;
    let left = server.ask(&["EXISTS", "larder:l:{1}"]);
    assert_eq!(left.as_deref(), Some("0"), "no lease is left of it");
}

#[tokio::test]
async fn a_process_that_cannot_connect_ends_as_well() {
    let source = Source::with(7, 0);
    let node = Node::begin(builder("redis://127.0.0.1:1/"), &source);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert!(tasks >= 1);
    drop(node);
    let begun = Instant::now();
    until("its task is gone", || tokio::runtime::Handle::current().metrics().num_alive_tasks() < tasks).await;
    assert!(begun.elapsed() < ms(5_000));
}

#[test]
fn a_cache_outlives_the_runtime_of_its_connection() {
    let server = server!();
    let source = Source::with(1, 0);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let node = first.block_on(Node::new(&server.url(), &source));
    assert_eq!(first.block_on(node.get(1)), 1);
    drop(first);
    // Nobody listens any more, so nothing is trusted.
    source.set(2);
    assert!(!node.tier.hears());
    assert_eq!(second.block_on(node.get(1)), 2);
}

#[test]
fn it_runs_on_smol() {
    let server = server!();
    let cache = larder_smol::Cache::builder(larder_smol::Smol::new());
    let (cache, tier) =
        builder(&server.url()).load_fn(cache, |key: u64| async move { std::io::Result::Ok(key * 2) }).unwrap();
    smol::block_on(async {
        assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
        assert_eq!(cache.get(&21).await.unwrap(), 42);
        assert!(tier.invalidate(&21).await.is_acknowledged());
        assert!(!cache.contains(&21));
        assert_eq!((cache.get(&21).await.unwrap(), tier.stats().leased), (42, 2));
    });
    drop((cache, tier));
    let begun = std::time::Instant::now();
    while server.connections() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
