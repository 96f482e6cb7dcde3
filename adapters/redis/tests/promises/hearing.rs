use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::{
    join,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    node::{Node, Source, builder, ms, server, until},
    support::Relay,
};

#[tokio::test]
async fn t5_a_process_that_is_cut_off_serves_nothing_old() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    let (a, b) = (Node::new(&server.url(), &source).await, Node::new(&relay.url(), &source).await);
    assert_eq!(join!(a.get(1), b.get(1)), (1, 1));
    // A connection that hangs: nothing says so.
    relay.freeze(true);
    source.set(2);
    assert!(a.tier.invalidate(&1).await.is_acknowledged());
    let written = Instant::now();
    until("the new value is served", || b.cache.get_if_present(&1) != Some(1)).await;
    assert!(written.elapsed() < ms(400 * 5), "{:?}", written.elapsed());
    assert_eq!(b.get(1).await, 2, "it loads by itself");
    // And what it loads by itself is old for a moment only.
    source.set(3);
    sleep(ms(600)).await;
    assert_eq!(b.get(1).await, 3);
    let stats = b.tier.stats();
    assert!(stats.alone >= 2 && stats.deaf == 1 && !b.tier.hears(), "{stats:?}");
}

#[tokio::test]
async fn t5_what_was_held_while_nobody_listened_is_forgotten() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    let patient = builder(&relay.url()).alone_ttl(Duration::from_secs(600));
    let (a, b) = (Node::new(&server.url(), &source).await, Node::with(patient, &source).await);
    relay.freeze(true);
    until("it no longer hears", || !b.tier.hears()).await;
    assert_eq!(b.get(1).await, 1, "to be held for long");
    source.set(2);
    assert!(a.tier.invalidate(&1).await.is_acknowledged());
    relay.freeze(false);
    until("it hears again", || b.tier.hears()).await;
    assert_eq!(b.get(1).await, 2);
}

#[tokio::test]
async fn t5_a_server_that_forgets_everything_is_heard() {
    let mut server = server!();
    let source = Source::with(1, 0);
    let node = Node::new(&server.url(), &source).await;
    assert_eq!(node.get(1).await, 1);
    server.run(&["FLUSHALL"]);
    until("it has been heard", || !node.cache.contains(&1)).await;
    // Scripts are told again to a server that has lost them.
    server.run(&["SCRIPT", "FLUSH"]);
    assert_eq!((node.get(1).await, node.tier.stats().leased), (1, 2));
    server.restart();
    until("it has been heard", || node.tier.stats().connected == 2 && !node.cache.contains(&1)).await;
    assert_eq!((node.get(1).await, node.tier.stats().leased), (1, 3));
}

#[tokio::test]
async fn t7_a_server_that_hangs_is_waited_for_until_the_deadline() {
    let server = server!();
    let source = Source::with(1, 0);
    let node = Node::with(builder(&server.url()).deadline(ms(100)), &source).await;
    server.pause(true);
    let begun = Instant::now();
    assert_eq!(node.get(1).await, 1);
    assert!(begun.elapsed() < ms(100 * 5), "{:?}", begun.elapsed());
    until("it no longer hears", || !node.tier.hears()).await;
    let begun = Instant::now();
    for key in 10..60 {
        node.get(key).await;
    }
    assert!(begun.elapsed() < ms(500), "it pays nothing for that: {:?}", begun.elapsed());
    assert_eq!(node.tier.invalidate(&1).await, larder_redis::Written::Pending);
    server.pause(false);
    until("it hears again", || node.tier.hears()).await;
    assert_eq!((node.get(2).await, node.tier.stats().published), (1, 1));
}

#[tokio::test]
async fn t5_a_connection_may_take_as_long_as_the_hearing_limit() {
    let server = server!();
    let relay = Relay::to(server.port()).await;
    let source = Source::with(1, 0);
    relay.freeze(true);
    let node = Node::begin(builder(&relay.url()).hearing_limit(Duration::from_secs(60)), &source);
    until("it connects", || server.connections() == 1).await;
    // Five times as long as the hearing limit is by default.
    sleep(ms(2_000)).await;
    assert_eq!(server.connections(), 1, "it does not begin anew");
    relay.freeze(false);
    assert!(node.tier.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!((node.get(1).await, server.connections()), (1, 1));
}

#[tokio::test]
async fn t7_without_a_server_the_source_is_not_overrun() {
    let source = Source::with(1, 20);
    // (There never was one.)
    let node = Node::begin(builder("redis://127.0.0.1:1/").alone(3), &source);
    let mut all = JoinSet::new();
    for key in 0..30 {
        let node = node.clone();
        all.spawn(async move { node.get(key).await });
    }
    assert_eq!(all.join_all().await, [1; 30]);
    assert_eq!(source.most_at_once.load(SeqCst), 3);
    assert_eq!((node.tier.stats().alone, node.tier.hears()), (30, false));
    assert!(!node.tier.wait_until_it_hears(ms(10)).await);
}

#[tokio::test]
async fn t5_a_listener_that_panics_does_not_deafen() {
    let server = server!();
    let source = Source::with(1, 0);
    let loads = Arc::clone(&source);
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new()).listener(|key: &u64, _: &u64, _| {
        assert!(*key != 1, "on purpose");
    });
    let load = move |key| {
        let loads = Arc::clone(&loads);
        async move { loads.load(key).await }
    };
    let (cache, tier) = builder(&server.url()).load_fn(cache, load).unwrap();
    let node = Node { cache, tier };
    assert!(node.tier.wait_until_it_hears(Duration::from_secs(20)).await);
    let other = Node::new(&server.url(), &source).await;
    assert_eq!((node.get(1).await, node.get(2).await), (1, 1));
    source.set(2);
    for key in [1, 2] {
        assert!(other.tier.invalidate(&key).await.is_acknowledged());
    }
    until("both have been heard", || !node.cache.contains(&1) && !node.cache.contains(&2)).await;
    assert_eq!((node.get(1).await, node.get(2).await, node.tier.stats().connected), (2, 2, 1));
}

#[test]
fn t5_a_process_that_was_stopped_trusts_nothing_when_it_goes_on() {
    let server = server!();
    let source = Source::with(1, 0);
    let a_runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let b_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (a, b) =
        (a_runtime.block_on(Node::new(&server.url(), &source)), b_runtime.block_on(Node::new(&server.url(), &source)));
    assert_eq!(b_runtime.block_on(b.get(1)), 1);
    source.set(2);
    assert!(a_runtime.block_on(a.tier.invalidate(&1)).is_acknowledged());
    // Nothing of the other process runs meanwhile, as if it were stopped.
    std::thread::sleep(ms(600));
    assert_eq!(b.cache.get_if_present(&1), None);
    assert_eq!(b_runtime.block_on(b.get(1)), 2);
}

#[tokio::test]
async fn t5_what_was_held_is_there_for_a_caller_that_takes_stale_values() {
    let mut server = server!();
    let source = Source::with(1, 0);
    let loads = Arc::clone(&source);
    let load = move |key| {
        let loads = Arc::clone(&loads);
        async move { loads.load(key).await }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new()).stale_if_error(Duration::from_secs(60));
    let (cache, tier) = builder(&server.url()).load_fn(cache, load).unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!(cache.get(&1).await.unwrap(), 1);
    server.kill();
    until("it no longer hears", || !tier.hears()).await;
    assert!(!cache.contains(&1));
    source.fails.store(true, SeqCst);
    let found = cache.lookup(&1).await.unwrap();
    assert!(*found.value() == 1 && found.status().stale().is_some() && found.error().is_some());
}

#[tokio::test]
async fn t7_loads_that_ask_their_own_cache_do_not_wait_for_each_other() {
    let own: Arc<std::sync::OnceLock<crate::node::Names>> = Arc::default();
    let inner = Arc::clone(&own);
    // Each key is that of its parent, and one more.
    let load = move |key: u64| {
        let inner = Arc::clone(&inner);
        async move {
            tokio::task::yield_now().await;
            let Some(parent) = key.checked_sub(1) else { return Ok(0) };
            let parent = inner.get().unwrap().get(&parent).await;
            parent.map(|parent| parent + 1).map_err(|error| std::io::Error::other(error.to_string()))
        }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let (cache, tier) =
        builder("redis://127.0.0.1:1/").alone(2).alone_ttl(Duration::from_secs(600)).load_fn(cache, load).unwrap();
    own.set(cache.clone()).unwrap();
    let mut all = JoinSet::new();
    for key in [20, 20, 30, 40] {
        let cache = cache.clone();
        all.spawn(async move { cache.get(&key).await.unwrap() });
    }
    let ended = tokio::time::timeout(Duration::from_secs(20), all.join_all()).await.expect("none waits for ever");
    assert_eq!((ended.iter().sum::<u64>(), tier.stats().alone), (110, 41));
}

#[tokio::test]
async fn t7_a_load_that_waits_for_one_without_a_place() {
    let own: Arc<std::sync::OnceLock<crate::node::Names>> = Arc::default();
    let (inner, gate) = (Arc::clone(&own), Arc::new(tokio::sync::Notify::new()));
    let opens = Arc::clone(&gate);
    // One load has the only place, and then needs what others have begun to wait for.
    let load = move |key: u64| {
        let (inner, opens) = (Arc::clone(&inner), Arc::clone(&opens));
        async move {
            if key == 100 {
                opens.notified().await;
                let needed = inner.get().unwrap().get(&5).await;
                return needed.map_err(|error| std::io::Error::other(error.to_string()));
            }
            Ok(key)
        }
    };
    let cache = larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let (cache, tier) = builder("redis://127.0.0.1:1/").alone(1).lease(ms(200)).load_fn(cache, load).unwrap();
    own.set(cache.clone()).unwrap();
    let mut all = JoinSet::new();
    for (key, before) in [(100, 0), (5, 1), (5, 2)] {
        until("those before wait", || cache.stats().waiters == before && tier.stats().alone >= before.min(1)).await;
        let cache = cache.clone();
        all.spawn(async move { cache.get(&key).await.unwrap() });
    }
    until("all wait", || cache.stats().waiters == 3).await;
    gate.notify_one();
    let ended = tokio::time::timeout(Duration::from_secs(20), all.join_all()).await.expect("none waits for ever");
    assert_eq!(ended, [5; 3]);
}

#[tokio::test]
async fn t5_what_a_call_loads_in_an_outage_is_held_for_a_moment() {
    let tier = || builder("redis://127.0.0.1:1/").alone_ttl(ms(100));
    let first = || larder_tokio::Cache::builder(larder_tokio::Tokio::new());
    let long = Duration::from_secs(600);
    for (first, held) in
        [(first(), true), (first().ttl(long), true), (first().ttl(larder_tokio::Ttl::NotStored), false)]
    {
        let (cache, _tier) = tier().load_fn(first, |key: u64| async move { std::io::Result::Ok(key) }).unwrap();
        // As nobody says for how long.
        assert_eq!(cache.get_or_load(&1, || async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(cache.get_many_or_load(&[2], |_| async { Ok([(2, 1)]) }).await.len(), 1);
        cache.insert(3, 1);
        for key in [1, 2, 3] {
            let left = cache.peek(&key).map(|held| held.time_left());
            let is_brief = matches!(left, Some(larder_tokio::TimeLeft::For(left)) if left <= ms(100));
            assert_eq!((left.is_some(), is_brief), (held, held), "{key}: {left:?}");
        }
        // One that does say is believed.
        cache.insert_with(4, larder_tokio::Loaded::new(1).ttl(long));
        let left = cache.peek(&4).unwrap().time_left();
        assert!(matches!(left, larder_tokio::TimeLeft::For(left) if left > ms(100)), "{left:?}");
    }
}
