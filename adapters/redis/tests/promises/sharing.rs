use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use larder_redis::{TierBuilder, TierError};
use tokio::{
    join, spawn,
    time::{Instant, sleep},
};

use crate::node::{Node, Source, Text, builder, ms, server, until};

#[tokio::test]
async fn t8_a_failure_ends_the_wait_of_all_and_is_cooled_down() {
    let server = server!();
    let source = Source::with(1, 100);
    source.fails.store(true, SeqCst);
    let cool =
        || builder(&server.url()).cool_down(ms(500)).poll_every(Duration::from_secs(60)).lease(Duration::from_secs(60));
    let (a, b) = (Node::with(cool(), &source).await, Node::with(cool(), &source).await);
    let begun = Instant::now();
    let (one, other) = join!(a.cache.get(&1), b.cache.get(&1));
    assert!(begun.elapsed() < ms(500 * 5), "neither the lease nor the next look was waited for");
    let errors = [one.unwrap_err(), other.unwrap_err()];
    assert_eq!(source.loads(), 1);
    let elsewhere = errors.iter().filter_map(|error| error.error()?.retry_after()).collect::<Vec<_>>();
    assert!(elsewhere.len() == 1 && elsewhere[0] <= ms(500), "{errors:?}");
    assert!(errors.iter().any(|error| matches!(error.error(), Some(TierError::Load(_)))), "{errors:?}");
    source.fails.store(false, SeqCst);
    sleep(ms(600)).await;
    assert_eq!((b.get(1).await, source.loads()), (1, 2));
}

#[tokio::test]
async fn t8_a_stale_value_is_served_while_a_failure_cools_down() {
    let server = server!();
    let source = Source::with(1, 0);
    let stale =
        || builder(&server.url()).ttl(ms(100)).stale_for(Duration::from_secs(60)).cool_down(Duration::from_secs(60));
    let (a, b) = (Node::with(stale(), &source).await, Node::with(stale(), &source).await);
    assert_eq!(a.get(1).await, 1);
    sleep(ms(150)).await;
    source.fails.store(true, SeqCst);
    assert!(a.cache.get(&1).await.is_err(), "its own load has failed");
    for _ in 0..2 {
        assert_eq!((b.get(1).await, source.loads()), (1, 2));
    }
    assert_eq!(b.tier.stats().stale, 2);
}

#[tokio::test]
async fn t8_the_second_tier_has_something_to_serve_if_a_load_fails() {
    let server = server!();
    let source = Source::with(1, 0);
    let stale = || builder(&server.url()).ttl(ms(100)).stale_for(Duration::from_secs(60));
    let a = Node::with(stale(), &source).await;
    assert_eq!(a.get(1).await, 1);
    sleep(ms(150)).await;
    // A process that has never held it, and would rather have something old than nothing.
    let loads = Arc::clone(&source);
    let load = move |key| {
        let loads = Arc::clone(&loads);
        async move { loads.load(key).await }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new()).stale_if_error(Duration::from_secs(60));
    let (cache, tier) = stale().load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    source.fails.store(true, SeqCst);
    let found = cache.lookup(&1).await.unwrap();
    assert_eq!((*found.value(), source.loads()), (1, 2));
    assert!(found.status().stale().is_some() && found.error().is_some());
}

#[tokio::test]
async fn t9_what_cannot_be_read_is_a_miss_and_is_written_anew() {
    let server = server!();
    let source = Source::with(7, 0);
    server.run(&["HSET", "larder:v:{1}", "p", "not a number", "f", "1", "l", "60000", "s", "0", "k", "v"]);
    server.run(&["PEXPIRE", "larder:v:{1}", "60000"]);
    // Not even a value of ours.
    server.run(&["SET", "larder:v:{2}", "something else"]);
    let (a, b) = (Node::new(&server.url(), &source).await, Node::new(&server.url(), &source).await);
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (7, 7, 1));
    assert_eq!((a.get(2).await, b.get(2).await, source.loads()), (7, 7, 2));
    assert_eq!((a.tier.stats().unreadable, a.tier.stats().alone), (1, 0));
}

#[tokio::test]
async fn t9_another_fingerprint_is_another_value() {
    let server = server!();
    let source = Source::with(7, 0);
    let deploy = |version| TierBuilder::new(&server.url(), Text(version));
    let (old, new) = (Node::with(deploy("1"), &source).await, Node::with(deploy("2"), &source).await);
    assert_eq!((old.get(1).await, new.get(1).await, source.loads()), (7, 7, 2));
    // Both go on with what they hold, and hear of writes of the other.
    source.set(8);
    assert!(old.tier.invalidate(&1).await.is_acknowledged());
    until("the other has heard", || !new.cache.contains(&1)).await;
    assert_eq!((old.get(1).await, new.get(1).await), (8, 8));
}

#[tokio::test]
async fn t10_a_life_goes_on_in_the_next_process() {
    let server = server!();
    let source = Source::with(7, 0);
    let brief = || builder(&server.url()).ttl(Duration::from_secs(60));
    let (a, b) = (Node::with(brief(), &source).await, Node::with(brief(), &source).await);
    a.get(1).await;
    sleep(ms(300)).await;
    b.get(1).await;
    let left = |node: &Node| match node.cache.peek(&1).unwrap().time_left() {
        larder_tokio::TimeLeft::For(left) => left,
        larder_tokio::TimeLeft::Forever => Duration::MAX,
    };
    let there: u64 = server.ask(&["PTTL", "larder:v:{1}"]).unwrap().parse().unwrap();
    // (It is stale there for 30 s more.)
    for node in [&a, &b] {
        assert!(left(node) <= ms(there - 30_000 + 1_000) && left(node) > ms(30_000), "{:?} of {there}", left(node));
    }
    assert!(left(&b) <= ms(60_000 - 300), "{:?}", left(&b));
}

#[tokio::test]
async fn t8_who_waits_for_a_refresh_is_served_the_stale_value() {
    let server = server!();
    let source = Source::with(1, 0);
    let stale = || builder(&server.url()).ttl(ms(100)).stale_for(Duration::from_secs(60));
    let (a, b) = (Node::with(stale(), &source).await, Node::with(stale(), &source).await);
    assert_eq!(a.get(1).await, 1);
    sleep(ms(150)).await;
    source.set(2);
    source.slow.store(1_000, SeqCst);
    let refresh = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the refresh has begun", || source.loads() == 2).await;
    let asked = Instant::now();
    let found = b.cache.lookup(&1).await.unwrap();
    assert!(asked.elapsed() < ms(800), "{:?}", asked.elapsed());
    assert_eq!(*found.value(), 1);
    let since = found.status().stale().unwrap();
    assert!(since >= ms(50) && since < ms(5_000), "{since:?}");
    assert_eq!(refresh.await.unwrap(), 2);
}

#[tokio::test]
async fn t8_a_failure_is_cooled_down_though_the_connection_hangs() {
    let server = server!();
    let relay = crate::support::Relay::to(server.port()).await;
    let source = Source::with(1, 100);
    source.fails.store(true, SeqCst);
    let cool = |url: &str| builder(url).cool_down(Duration::from_secs(60)).lease(Duration::from_secs(60));
    let (a, b) = (Node::with(cool(&relay.url()), &source).await, Node::with(cool(&server.url()), &source).await);
    let load = spawn({
        let a = a.clone();
        async move { a.cache.get(&1).await.is_err() }
    });
    until("the load has begun", || source.loads() == 1).await;
    relay.freeze(true);
    assert!(load.await.unwrap());
    relay.freeze(false);
    until("it has been said", || server.ask(&["GET", "larder:l:{1}"]).as_deref() == Some("!")).await;
    assert!(b.cache.get(&1).await.unwrap_err().error().unwrap().retry_after().is_some());
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn t9_what_is_not_ours_can_be_voided() {
    let server = server!();
    let source = Source::with(7, 0);
    let node = Node::new(&server.url(), &source).await;
    for key in ["larder:v:{1}", "larder:v:{2}"] {
        server.run(&["SET", key, "something else"]);
    }
    assert!(node.tier.expire(&1).await.is_acknowledged());
    assert!(node.tier.invalidate(&2).await.is_acknowledged());
    assert_eq!((node.get(1).await, node.get(2).await), (7, 7));
}

#[tokio::test]
async fn t5_without_a_limit_for_stale_values_a_refresh_is_waited_for() {
    let server = server!();
    let source = Source::with(1, 0);
    let brief = || builder(&server.url()).ttl(ms(1_000)).stale_for(Duration::ZERO).poll_every(Duration::from_secs(60));
    let (a, b) = (Node::with(brief(), &source).await, Node::with(brief(), &source).await);
    assert_eq!((a.get(1).await, b.get(1).await), (1, 1));
    sleep(ms(1_100)).await;
    source.set(2);
    source.slow.store(300, SeqCst);
    let refresh = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the refresh has begun", || source.loads() == 2).await;
    assert_eq!((b.get(1).await, refresh.await.unwrap(), source.loads()), (2, 2, 2));
    assert_eq!(b.tier.stats().stale, 0);
}
