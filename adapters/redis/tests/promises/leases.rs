use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use tokio::{
    join, spawn,
    time::{Instant, timeout},
};

use crate::node::{Node, Source, builder, ms, server, until};

#[tokio::test]
async fn t1_one_load_for_the_fleet() {
    let server = server!();
    let source = Source::with(7, 50);
    let url = server.url();
    let (a, b, c) = join!(Node::new(&url, &source), Node::new(&url, &source), Node::new(&url, &source));
    assert_eq!(join!(a.get(1), b.get(1), c.get(1)), (7, 7, 7));
    assert_eq!(source.loads(), 1);
    let waits = [&a, &b, &c].map(|node| node.tier.stats().waited).iter().sum::<u64>();
    assert!(waits >= 2, "{waits}");
}

#[tokio::test]
async fn t1_each_key_has_a_load_of_its_own() {
    let server = server!();
    let source = Source::with(7, 30);
    let (a, b) = (Node::new(&server.url(), &source).await, Node::new(&server.url(), &source).await);
    let begun = Instant::now();
    join!(a.get(1), b.get(1), a.get(2), b.get(2), a.get(3), b.get(3));
    assert_eq!(source.loads(), 3);
    assert!(begun.elapsed() < ms(30 * 5 + 1000), "they do not wait for each other");
}

#[tokio::test]
async fn t2_a_dead_holder_blocks_for_one_lease_at_most() {
    let server = server!();
    let source = Source::with(7, 0);
    let node = Node::with(builder(&server.url()).lease(ms(400)), &source).await;
    // Of a process that was killed.
    server.run(&["SET", "larder:l:{1}", "somebody's", "PX", "400"]);
    let begun = Instant::now();
    assert_eq!(node.get(1).await, 7);
    assert!(begun.elapsed() >= ms(300) && begun.elapsed() < ms(400 * 5), "{:?}", begun.elapsed());
    assert_eq!(source.loads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn t2_a_thread_without_a_runtime_waits_for_one_lease_at_most() {
    let server = server!();
    let source = Source::with(7, 0);
    let load = move |_: u64| {
        // (It may be polled where there is no timer.)
        let value = source.value.load(SeqCst);
        async move { std::io::Result::Ok(value) }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let slow = builder(&server.url()).lease(ms(300)).poll_every(Duration::from_secs(60));
    let (cache, tier) = slow.load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    // Of a process that was killed: no notice comes.
    server.run(&["SET", "larder:l:{1}", "somebody's", "PX", "300"]);
    let (ends, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || ends.send(cache.get_blocking(&1).unwrap()));
    assert_eq!(timeout(Duration::from_secs(10), ended).await, Ok(Ok(7)));
    assert!(tier.stats().waited > 0 && tier.stats().woken == 0, "{:?}", tier.stats());
}

#[tokio::test]
async fn t2_a_dropped_load_gives_its_lease_back() {
    let server = server!();
    let source = Source::with(7, 60_000);
    let slow = || builder(&server.url()).lease(Duration::from_secs(60)).poll_every(Duration::from_secs(60));
    let (a, b) = (Node::with(slow(), &source).await, Node::with(slow(), &source).await);
    let first = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the load has begun", || source.loads() == 1).await;
    source.slow.store(0, SeqCst);
    let second = spawn({
        let b = b.clone();
        async move { b.get(1).await }
    });
    until("the other waits for it", || b.tier.stats().waited == 1).await;
    first.abort();
    let answer = timeout(Duration::from_secs(10), second).await;
    assert_eq!(answer.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn t2_a_load_that_panics_gives_its_lease_back() {
    let server = server!();
    let source = Source::with(7, 0);
    let slow = || builder(&server.url()).lease(Duration::from_secs(60));
    let load = |_: u64| async move { if true { panic!("on purpose") } else { std::io::Result::Ok(0) } };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let (panics, tier) = slow().load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    let other = Node::with(slow(), &source).await;
    assert!(spawn(async move { panics.get(&1).await }).await.unwrap_err().is_panic());
    assert_eq!(timeout(Duration::from_secs(10), other.get(1)).await, Ok(7));
}

#[tokio::test]
async fn t3_a_load_that_outlives_its_lease_is_stored() {
    let server = server!();
    let source = Source::with(7, 300);
    let quick = || builder(&server.url()).lease(ms(50)).poll_every(ms(10));
    let a = Node::with(quick(), &source).await;
    assert_eq!(a.get(1).await, 7);
    let stats = a.tier.stats();
    assert_eq!((stats.published, stats.refused), (1, 0));
    let b = Node::with(quick(), &source).await;
    assert_eq!((b.get(1).await, source.loads()), (7, 1));
}

#[tokio::test]
async fn t3_an_older_attempt_is_never_stored_over_a_later_one() {
    let server = server!();
    let source = Source::with(1, 600);
    let quick = || builder(&server.url()).lease(ms(100)).poll_every(ms(20));
    let (a, b) = (Node::with(quick(), &source).await, Node::with(quick(), &source).await);
    let older = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the first load has begun", || source.loads() == 1).await;
    source.set(2);
    source.slow.store(0, SeqCst);
    assert_eq!(b.get(1).await, 2, "once the lease is over");
    assert_eq!(older.await.unwrap(), 1, "its own caller is served");
    assert_eq!(server.ask(&["HGET", "larder:v:{1}", "p"]).as_deref(), Some("2"));
    assert_eq!(a.tier.stats().refused, 1);
    assert_eq!(a.get(1).await, 2, "and it is not kept in that process");
}

#[tokio::test]
async fn t3_what_has_lost_its_epoch_is_served_and_not_stored() {
    let server = server!();
    let source = Source::with(7, 300);
    let brief = builder(&server.url()).lease(ms(50)).epoch_memory(ms(100));
    let node = Node::with(brief, &source).await;
    assert_eq!(node.get(1).await, 7);
    assert_eq!(node.tier.stats().refused, 1);
    assert_eq!(server.ask(&["EXISTS", "larder:v:{1}"]).as_deref(), Some("0"));
}

#[tokio::test]
async fn t3_what_is_refused_leaves_no_lease() {
    let server = server!();
    let source = Source::with(7, 500);
    let slow = || builder(&server.url()).lease(Duration::from_secs(60)).poll_every(Duration::from_secs(60));
    let (a, b) = (Node::with(slow(), &source).await, Node::with(slow(), &source).await);
    let load = spawn({
        let a = a.clone();
        async move { a.get(1).await }
    });
    until("the load has begun", || source.loads() == 1).await;
    source.slow.store(0, SeqCst);
    let waits = spawn({
        let b = b.clone();
        async move { b.get(1).await }
    });
    until("the other waits", || b.tier.stats().waited == 1).await;
    // The server needs memory.
    server.run(&["DEL", "larder:e:{1}"]);
    assert_eq!((load.await.unwrap(), a.tier.stats().refused), (7, 1));
    assert_eq!(timeout(Duration::from_secs(10), waits).await.unwrap().unwrap(), 7);
    assert_eq!((source.loads(), b.tier.stats().published), (2, 1));
    assert_eq!(server.ask(&["EXISTS", "larder:l:{1}"]).as_deref(), Some("0"));
}

#[tokio::test]
async fn t1_a_process_that_has_the_lease_begins_no_other_load_in_its_time() {
    let server = server!();
    let source = Source::with(1, 60_000);
    let loads = std::sync::Arc::clone(&source);
    let load = move |key| {
        let loads = std::sync::Arc::clone(&loads);
        async move { loads.load(key).await }
    };
    let first = larder_tokio::Cache::builder(larder_tokio::Tokio::new())
        .lock_age(ms(10))
        .lock_timeout(ms(10), larder_tokio::OnTimeout::Load);
    let (cache, tier) = builder(&server.url()).lease(ms(600)).load_fn(first, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    let call = |cache: larder_tokio::Cache<_, _, _>| spawn(async move { cache.get(&1).await.unwrap() });
    let slow = call(cache.clone());
    until("the first load has begun", || source.loads() == 1).await;
    source.set(2);
    source.slow.store(0, SeqCst);
    let begun = Instant::now();
    assert_eq!(call(cache).await.unwrap(), 2, "and then it does");
    assert!(begun.elapsed() > ms(600 / 5), "{:?}", begun.elapsed());
    assert_eq!((slow.await.unwrap(), source.loads()), (2, 2));
}
