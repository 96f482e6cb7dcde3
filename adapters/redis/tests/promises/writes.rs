use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use larder_redis::Written;
use larder_tokio::{Loaded, Ttl};
use tokio::{
    join, spawn,
    time::{sleep, timeout},
};

use crate::{
    node::{Node, Source, builder, ms, server, until},
    support::Relay,
};

async fn two(url: &str, source: &std::sync::Arc<Source>) -> (Node, Node) {
    join!(Node::new(url, source), Node::new(url, source))
}

#[tokio::test]
async fn t4_an_invalidation_reaches_all_even_if_nothing_was_there() {
    let server = server!();
    let source = Source::with(1, 0);
    let (a, b) = two(&server.url(), &source).await;
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    source.set(2);
    // It has left the second tier by itself: its deletion would be heard by nobody.
    server.run(&["DEL", "larder:v:{1}"]);
    assert_eq!(a.tier.invalidate(&1).await, Written::Acknowledged);
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (2, 2, 2));
}

#[tokio::test]
async fn t4_a_load_that_began_before_a_write_is_kept_nowhere() {
    let server = server!();
    let source = Source::with(1, 200);
    let (a, b) = two(&server.url(), &source).await;
    let slow = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the load has begun", || source.loads() == 1).await;
    source.set(2);
    assert!(b.tier.invalidate(&1).await.is_acknowledged());
    assert_eq!(slow.await.unwrap(), 1, "it was asked for before");
    assert_eq!(a.tier.stats().refused, 1);
    assert_eq!(join!(a.get(1), b.get(1)), (2, 2));
    assert_eq!(server.ask(&["HGET", "larder:v:{1}", "p"]).as_deref(), Some("2"));
}

#[tokio::test]
async fn t4_a_value_that_is_on_its_way_is_not_kept_if_a_write_overtakes_it() {
    let server = server!();
    let source = Source::with(0, 0);
    let (a, b) = two(&server.url(), &source).await;
    for round in 1..=200 {
        source.set(round);
        // Both at once, in any order; what is asked for afterwards has to be new.
        let (written, _) = join!(a.tier.invalidate(&1), b.cache.get(&1));
        assert!(written.is_acknowledged());
        let heard = b.tier.stats().notices;
        until("both have heard", || b.tier.stats().notices >= heard && b.tier.hears()).await;
        sleep(ms(2)).await;
        assert_eq!(b.get(1).await, round, "round {round}");
    }
}

#[tokio::test]
async fn t4_a_stale_value_stays_after_expire_and_none_after_invalidate() {
    let server = server!();
    let source = Source::with(1, 0);
    let (a, b) = two(&server.url(), &source).await;
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    source.set(2);
    source.slow.store(300, SeqCst);
    assert!(a.tier.expire(&1).await.is_acknowledged());
    until("the other has heard", || !b.cache.contains(&1)).await;
    let refresh = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the refresh has begun", || source.loads() == 2).await;
    let found = b.cache.lookup(&1).await.unwrap();
    assert_eq!(*found.value(), 1, "the stale one, at once");
    assert!(found.status().stale().is_some(), "and it says so");
    assert_eq!(refresh.await.unwrap(), 2);
    assert_eq!((b.get(1).await, source.loads()), (2, 2));
    source.set(3);
    assert!(b.tier.invalidate(&1).await.is_acknowledged());
    assert_eq!(a.get(1).await, 3);
}

#[tokio::test]
async fn t4_what_is_written_through_is_found_by_all() {
    let server = server!();
    let source = Source::with(1, 300);
    let (a, b) = two(&server.url(), &source).await;
    // A load from before the write is not kept.
    let slow = spawn({
        let b = b.clone();
        async move { b.get(1).await }
    });
    until("the load has begun", || source.loads() == 1).await;
    assert_eq!(a.tier.insert(&1, 5).await, Written::Acknowledged);
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (5, 5, 1));
    // The later one wins, and one that is not to be stored is an invalidation.
    assert!(b.tier.insert(&1, Loaded::new(6).ttl(Duration::from_secs(9))).await.is_acknowledged());
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (6, 6, 1));
    assert!(a.tier.insert(&1, Loaded::new(7).ttl(Ttl::NotStored)).await.is_acknowledged());
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!((b.get(1).await, source.loads()), (1, 2));
}

#[tokio::test]
async fn t6_a_write_that_is_not_acknowledged_is_sent_again() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    let (a, b) = (Node::new(&relay.url(), &source).await, Node::new(&server.url(), &source).await);
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    relay.freeze(true);
    source.set(2);
    assert_eq!(a.tier.invalidate(&1).await, Written::Pending);
    assert_eq!(a.get(1).await, 2, "here it is done at once");
    assert_eq!(b.get(1).await, 1, "there it has not been heard of");
    until("it no longer hears", || !a.tier.hears()).await;
    assert_eq!(a.tier.invalidate(&2).await, Written::Pending);
    assert_eq!(a.tier.expire(&3).await, Written::Pending);
    relay.freeze(false);
    until("it has been said", || !b.cache.contains(&1) && a.tier.stats().resent == 3).await;
    assert_eq!(b.get(1).await, 2);
    assert_eq!(a.tier.stats().pending, 3);
}

#[tokio::test]
async fn t6_a_write_is_sent_though_its_call_is_dropped() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    let patient = builder(&relay.url()).deadline(Duration::from_secs(60)).hearing_limit(Duration::from_secs(60));
    let (a, b) = (Node::with(patient, &source).await, Node::new(&server.url(), &source).await);
    assert_eq!(b.get(1).await, 1);
    relay.freeze(true);
    source.set(2);
    assert!(timeout(ms(50), a.tier.invalidate(&1)).await.is_err());
    relay.freeze(false);
    until("it has been said", || !b.cache.contains(&1)).await;
    assert_eq!(b.get(1).await, 2);
}
