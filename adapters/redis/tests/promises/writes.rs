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
        b.get(2).await;
        source.set(round);
        // Both at once, in any order; what is asked for afterwards has to be new.
        let (written, _) = join!(a.tier.invalidate(&1), b.cache.get(&1));
        assert!(written.is_acknowledged());
        // Notices come in order: with the one for the other key it has heard the one for this.
        assert!(a.tier.invalidate(&2).await.is_acknowledged());
        until("the other has heard", || !b.cache.contains(&2)).await;
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

#[tokio::test]
async fn t6_its_own_process_does_not_read_back_what_it_has_written_over() {
    let server = server!();
    let source = Source::with(1, 0);
    let (a, b) = two(&server.url(), &source).await;
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    // It answers questions, and takes no writes.
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    source.set(2);
    assert_eq!(a.tier.invalidate(&1).await, Written::Pending);
    assert_eq!((a.get(1).await, a.tier.stats().unacknowledged), (2, 1));
    // Nor after a new connection, which is no reason to be deaf.
    server.run(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("it hears again", || a.tier.stats().connected == 2 && a.tier.hears()).await;
    source.set(3);
    assert_eq!(a.tier.insert(&1, 3).await, Written::Pending);
    assert_eq!((a.get(1).await, a.tier.stats().unacknowledged), (3, 1));
    assert_eq!(a.get(2).await, 3, "other keys are asked for");
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    until("it has been said", || a.tier.stats().unacknowledged == 0).await;
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!(b.get(1).await, 3);
}

#[tokio::test]
async fn t6_a_server_that_is_full_takes_writes() {
    let server = server!();
    let source = Source::with(1, 0);
    let (a, b) = two(&server.url(), &source).await;
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    server.run(&["CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"]);
    source.set(2);
    assert!(a.tier.invalidate(&1).await.is_acknowledged());
    assert!(a.tier.expire(&2).await.is_acknowledged());
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!(join!(a.get(1), b.get(1)), (2, 2), "each loads for itself");
}

#[tokio::test]
async fn t6_a_write_is_sent_though_a_listener_panics() {
    let server = server!();
    let source = Source::with(1, 0);
    let cache =
        larder_tokio::Cache::builder(larder_tokio::Tokio::new()).listener(|_: &u64, _: &u64, _| panic!("on purpose"));
    let loads = std::sync::Arc::clone(&source);
    let load = move |key| {
        let loads = std::sync::Arc::clone(&loads);
        async move { loads.load(key).await }
    };
    let (cache, tier) = builder(&server.url()).load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    let b = Node::new(&server.url(), &source).await;
    assert_eq!((cache.get(&1).await.unwrap(), b.get(1).await), (1, 1));
    source.set(2);
    let write = spawn(async move { tier.invalidate(&1).await });
    assert!(write.await.unwrap_err().is_panic(), "it is the listener's");
    until("the other has heard", || !b.cache.contains(&1)).await;
    assert_eq!(b.get(1).await, 2);
}

#[tokio::test]
async fn t6_a_write_is_sent_after_the_last_handle_is_gone() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    let (a, b) = (Node::new(&relay.url(), &source).await, Node::new(&server.url(), &source).await);
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    let connections = server.connections();
    relay.freeze(true);
    source.set(2);
    assert_eq!(a.tier.invalidate(&1).await, Written::Pending);
    until("it no longer hears", || !a.tier.hears()).await;
    drop(a);
    // Nothing tells that it goes on; were it to end, it would do so at once.
    sleep(ms(50)).await;
    relay.freeze(false);
    until("it has been said", || !b.cache.contains(&1)).await;
    assert_eq!(b.get(1).await, 2);
    until("nothing is left of it", || server.connections() == connections - 1).await;
}

#[tokio::test]
async fn t4_a_key_without_a_name_of_its_own_is_voided_here() {
    let server = server!();
    let source = Source::with(1, 0);
    let loads = std::sync::Arc::clone(&source);
    let load = move |key: Nameless| {
        let loads = std::sync::Arc::clone(&loads);
        async move { loads.load(key.0).await }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let (cache, tier) = builder(&server.url()).alone_ttl(Duration::from_secs(60)).load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!(cache.get(&Nameless(1)).await.unwrap(), 1);
    source.set(2);
    assert!(tier.invalidate(&Nameless(1)).await.is_acknowledged());
    assert_eq!((cache.get(&Nameless(1)).await.unwrap(), tier.stats().nameless), (2, 2));
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Nameless(u64);

impl larder_redis::TierKey for Nameless {
    fn name(&self) -> String {
        self.0.to_string()
    }

    fn from_name(_: &str) -> Option<Self> {
        None
    }
}
