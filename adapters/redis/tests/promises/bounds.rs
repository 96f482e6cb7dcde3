use std::time::Duration;

use larder_redis::TierBuilder;
use tokio::{join, time::timeout};

use crate::node::{Node, Source, Text, builder, ms, server, until};

#[tokio::test]
async fn t11_everything_that_is_written_has_an_end() {
    let server = server!();
    let source = Source::with(7, 0);
    let (a, b) = (Node::new(&server.url(), &source).await, Node::new(&server.url(), &source).await);
    for key in 0..20 {
        join!(a.get(key), b.get(key));
        if key % 4 == 0 {
            assert!(a.tier.invalidate(&key).await.is_acknowledged());
        }
        if key % 4 == 1 {
            assert!(b.tier.insert(&key, key).await.is_acknowledged());
        }
        if key % 4 == 2 {
            assert!(b.tier.expire(&key).await.is_acknowledged());
        }
    }
    let _ = timeout(ms(1), a.cache.get(&99)).await;
    let keys: Vec<String> = redis::from_redis_value(server.run(&["KEYS", "*"])).unwrap();
    assert!(!keys.is_empty() && keys.len() <= 3 * 21, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("larder:v:") || key.starts_with("larder:l:") || key.starts_with("larder:e:"), "{key}");
        let left: i64 = server.ask(&["PTTL", key]).unwrap().parse().unwrap();
        assert!(left != -1 && left <= 90_000, "{key}: {left}");
    }
}

#[tokio::test]
async fn t11_a_value_for_ever_has_no_end_and_replaces_one_that_has() {
    let server = server!();
    let source = Source::with(7, 0);
    let node = Node::with(builder(&server.url()).ttl(larder_tokio::Ttl::Forever), &source).await;
    assert!(node.tier.insert(&1, larder_tokio::Loaded::new(5).ttl(ms(10_000))).await.is_acknowledged());
    assert!(node.tier.insert(&1, 6).await.is_acknowledged());
    assert_eq!(server.ask(&["PTTL", "larder:v:{1}"]).as_deref(), Some("-1"));
    assert_eq!(node.get(1).await, 6);
    assert_eq!(node.cache.peek(&1).unwrap().time_left(), larder_tokio::TimeLeft::Forever);
    assert!(node.tier.expire(&1).await.is_acknowledged());
    let left: i64 = server.ask(&["PTTL", "larder:v:{1}"]).unwrap().parse().unwrap();
    assert!((0..=30_000).contains(&left), "{left}");
    assert_eq!((node.get(1).await, source.loads()), (7, 1));
}

#[tokio::test]
async fn a_cluster_finds_all_keys_of_a_value_in_one_slot() {
    let server = server!(["--cluster-enabled", "yes"]);
    server.run(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    until("the cluster is up", || server.ask(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok")).await;
    let source = Source::with(7, 0);
    for hashed in [false, true] {
        let make = || if hashed { builder(&server.url()).hashed_names() } else { builder(&server.url()) };
        let (a, b) = (Node::with(make(), &source).await, Node::with(make(), &source).await);
        for key in 0..20 {
            assert_eq!((a.get(key).await, b.get(key).await), (7, 7));
            assert!(a.tier.expire(&key).await.is_acknowledged());
            assert!(a.tier.insert(&key, 8).await.is_acknowledged());
            assert!(b.tier.invalidate(&key).await.is_acknowledged());
        }
        let stats = a.tier.stats();
        assert_eq!((stats.alone, stats.failed_calls, stats.leased), (0, 0, 20), "{stats:?}");
    }
}

#[tokio::test]
async fn names_that_are_hashed_are_compared() {
    let server = server!();
    let source = Source::with(7, 0);
    let node = Node::with(builder(&server.url()).hashed_names(), &source).await;
    let other = Node::with(builder(&server.url()).hashed_names(), &source).await;
    assert_eq!(node.get(1).await, 7);
    let keys: Vec<String> = redis::from_redis_value(server.run(&["KEYS", "larder:v:*"])).unwrap();
    // As if another name had the same hash.
    server.run(&["HSET", &keys[0], "n", "2"]);
    source.set(8);
    assert_eq!((other.get(1).await, source.loads()), (8, 2));
    assert_eq!(server.ask(&["HGET", &keys[0], "n"]).as_deref(), Some("1"));
    assert!(node.tier.invalidate(&1).await.is_acknowledged());
    until("it has been heard", || !other.cache.contains(&1)).await;
}

#[tokio::test]
async fn what_is_too_large_is_loaded_by_each_process_and_heard_of() {
    let server = server!();
    let source = Source::with(1_000_000, 0);
    let small = || builder(&server.url()).max_size(3);
    let (a, b) = (Node::with(small(), &source).await, Node::with(small(), &source).await);
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (1_000_000, 1_000_000, 2));
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (1_000_000, 1_000_000, 2), "it is held");
    assert_eq!((a.tier.stats().unshared, b.tier.stats().unshared, b.tier.stats().alone), (1, 1, 0));
    source.set(2_000_000);
    assert!(a.tier.invalidate(&1).await.is_acknowledged());
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!(b.get(1).await, 2_000_000);
    source.set(7);
    assert!(a.tier.invalidate(&1).await.is_acknowledged());
    assert_eq!(a.get(1).await, 7);
    let loads = source.loads();
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!((b.get(1).await, source.loads()), (7, loads), "small again, and shared");
}

#[tokio::test]
async fn a_server_that_evicts_costs_loads_and_nothing_else() {
    let server = server!(["--maxmemory", "2mb", "--maxmemory-policy", "allkeys-random"]);
    let source = Source::with(7, 0);
    let tier = TierBuilder::new(&server.url(), Text("1")).ttl(Duration::from_secs(600));
    let node = Node::with(tier, &source).await;
    for round in 0..60 {
        let keys = (0..50).map(|key| node.get(round % 30 * 50 + key));
        assert_eq!(futures_util::future::join_all(keys).await, [7; 50]);
    }
    let stats = node.tier.stats();
    assert_eq!((stats.deaf, node.tier.hears()), (0, true), "{stats:?}");
}
