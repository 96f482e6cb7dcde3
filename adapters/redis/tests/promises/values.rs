use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use larder_tokio::{Cache, Loaded, Revalidated, Tokio, Ttl};
use tokio::time::sleep;

use crate::node::{Node, Source, builder, ms, server, until};

#[tokio::test]
async fn a_load_may_find_what_the_fleet_has_unchanged() {
    let server = server!();
    let handed = Arc::new(Mutex::new(Vec::new()));
    let make = || {
        let handed = Arc::clone(&handed);
        let load = move |_: u64, old: Option<u64>| {
            handed.lock().unwrap().push(old);
            async move { io::Result::Ok(old.map_or_else(|| Revalidated::from(7), |_| Revalidated::unchanged())) }
        };
        let tier = builder(&server.url()).ttl(ms(200)).stale_for(Duration::from_secs(60));
        tier.revalidate_fn(Cache::builder(Tokio::new()), load).unwrap()
    };
    let ((a, ta), (b, tb)) = (make(), make());
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    assert_eq!(a.get(&1).await.unwrap(), 7);
    let generation = a.peek(&1).unwrap().generation();
    sleep(ms(250)).await;
    // It was another process that had loaded it, and it is published again.
    assert_eq!(b.get(&1).await.unwrap(), 7);
    assert_eq!(a.get(&1).await.unwrap(), 7);
    assert_eq!((tb.stats().published, ta.stats().fresh), (1, 1));
    sleep(ms(250)).await;
    assert_eq!(a.get(&1).await.unwrap(), 7);
    assert_eq!(*handed.lock().unwrap(), [None, Some(7), Some(7)]);
    assert!(a.peek(&1).is_some() && generation.is_some());
}

#[tokio::test]
async fn a_value_is_refreshed_early_by_one_process_of_the_fleet() {
    let server = server!();
    let loads = Arc::new(AtomicUsize::new(0));
    let make = || {
        let loads = Arc::clone(&loads);
        let load = move |_: u64| {
            let loads = Arc::clone(&loads);
            async move { io::Result::Ok(loads.fetch_add(1, SeqCst) as u64) }
        };
        let cache = Cache::builder(Tokio::new()).refresh_ahead(Duration::from_secs(9));
        builder(&server.url()).ttl(Duration::from_secs(10)).load_fn(cache, load).unwrap()
    };
    let ((a, ta), (b, tb)) = (make(), make());
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    assert_eq!((a.get(&1).await.unwrap(), b.get(&1).await.unwrap()), (0, 0));
    sleep(ms(1_100)).await;
    // It is fresh, and the refresh goes on beside it.
    let stale = a.get_stale(&1).await.unwrap();
    assert_eq!(*stale.outcome.value(), 0);
    assert_eq!(stale.refresh.unwrap().outcome().await.unwrap().into_value(), 1);
    // The other finds that new one, in place of a load of its own.
    let stale = b.get_stale(&1).await.unwrap();
    assert_eq!(*stale.outcome.value(), 0);
    assert_eq!(stale.refresh.unwrap().outcome().await.unwrap().into_value(), 1);
    assert_eq!(loads.load(SeqCst), 2);
}

#[tokio::test]
async fn what_is_its_callers_alone_is_not_shared() {
    let server = server!();
    let loads = Arc::new(AtomicUsize::new(0));
    let make = |ttl| {
        let loads = Arc::clone(&loads);
        let load = move |_: u64| {
            let loads = Arc::clone(&loads);
            async move { io::Result::Ok(Loaded::new(loads.fetch_add(1, SeqCst) as u64).ttl(ttl)) }
        };
        builder(&server.url()).loaded_fn(Cache::builder(Tokio::new()), load).unwrap()
    };
    for ttl in [Ttl::NotStored, Ttl::For(Duration::ZERO), Ttl::private(Duration::from_secs(1))] {
        let (cache, tier) = make(ttl);
        assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
        cache.get(&1).await.unwrap();
        assert_eq!(server.ask(&["EXISTS", "larder:v:{1}"]).as_deref(), Some("0"));
        until("the lease is given back", || server.ask(&["EXISTS", "larder:l:{1}"]).as_deref() == Some("0")).await;
    }
}

#[cfg(feature = "postcard")]
#[tokio::test]
async fn values_of_serde_are_written_by_either_codec() {
    let server = server!();
    use larder_redis::{Json, Postcard, TierBuilder};
    type User = (u64, String);
    let load = |id: u64| async move { io::Result::Ok((id, format!("user {id}"))) };
    let url = server.url();
    let make = |tier: TierBuilder<User>| tier.load_fn(Cache::builder(Tokio::new()), load).unwrap();
    for (namespace, tier) in
        [("json", TierBuilder::new(&url, Json::new("1"))), ("postcard", TierBuilder::new(&url, Postcard::new("1")))]
    {
        let ((a, ta), (b, tb)) = (make(tier.clone().namespace(namespace)), make(tier.namespace(namespace)));
        assert!(
            ta.wait_until_it_hears(Duration::from_secs(20)).await
                && tb.wait_until_it_hears(Duration::from_secs(20)).await
        );
        assert_eq!((a.get(&7).await.unwrap(), b.get(&7).await.unwrap()), ((7, "user 7".into()), (7, "user 7".into())));
        assert_eq!(tb.stats().fresh, 1);
    }
    assert_eq!(server.ask(&["HGET", "json:v:{7}", "p"]).as_deref(), Some(r#"[7,"user 7"]"#));
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Lossy(u64);

impl larder_redis::TierKey for Lossy {
    fn name(&self) -> String {
        (self.0 % 10).to_string()
    }

    fn from_name(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }
}

#[tokio::test]
async fn a_key_that_does_not_come_back_from_its_name_is_loaded_alone() {
    let server = server!();
    let (cache, tier) = builder(&server.url())
        .load_fn(Cache::builder(Tokio::new()), |key: Lossy| async move { io::Result::Ok(key.0) })
        .unwrap();
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    assert_eq!((cache.get(&Lossy(3)).await.unwrap(), cache.get(&Lossy(13)).await.unwrap()), (3, 13));
    let stats = tier.stats();
    assert_eq!((stats.nameless, stats.alone, stats.leased), (1, 1, 1));
}

#[tokio::test]
async fn two_namespaces_are_two_fleets() {
    let server = server!();
    let source = Source::with(1, 0);
    let of = |namespace: &str| builder(&server.url()).namespace(namespace);
    let (a, b) = (Node::with(of("a"), &source).await, Node::with(of("a:n"), &source).await);
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (1, 1, 2));
    assert_eq!(a.get(2).await, 1);
    assert!(b.tier.invalidate(&1).await.is_acknowledged());
    // Notices come in order: with this one it has heard what there was of the other fleet.
    assert!(Node::with(of("a"), &source).await.tier.invalidate(&2).await.is_acknowledged());
    until("it has heard", || !a.cache.contains(&2)).await;
    assert!(a.cache.contains(&1), "it was not meant");
}

#[tokio::test]
async fn t10_what_a_load_says_of_a_value_holds_in_every_process() {
    let server = server!();
    let make = |loaded: fn(u64) -> Loaded<u64>| {
        let cache = Cache::builder(Tokio::new()).capacity(1_000);
        let tier = builder(&server.url()).ttl(Duration::from_secs(60));
        tier.loaded_fn(cache, move |key: u64| async move { io::Result::Ok(loaded(key)) }).unwrap()
    };
    // As an HTTP answer that has lain in another cache for 50 of its 60 seconds; as one that has a date; as one of weight.
    let say = |key: u64| match key {
        1 => Loaded::new(key).ttl(Duration::from_secs(60)).aged(Duration::from_secs(50)),
        2 => Loaded::new(key).ttl(std::time::SystemTime::now() + Duration::from_secs(86_400)),
        3 => Loaded::new(key).aged(Duration::from_secs(70)),
        _ => Loaded::new(key).weight(7),
    };
    let ((a, ta), (b, tb)) = (make(say), make(|_| panic!("it is found")));
    assert!(
        ta.wait_until_it_hears(Duration::from_secs(20)).await && tb.wait_until_it_hears(Duration::from_secs(20)).await
    );
    for key in 1..=4 {
        assert_eq!(a.get(&key).await.unwrap(), key);
    }
    for key in [1, 2, 4] {
        assert_eq!(b.get(&key).await.unwrap(), key);
    }
    let within = |cache: &crate::node::Names, key, most: u64| match cache.peek(&key).unwrap().time_left() {
        larder_tokio::TimeLeft::For(left) => left <= Duration::from_secs(most) && left > Duration::from_secs(most) / 2,
        larder_tokio::TimeLeft::Forever => false,
    };
    for cache in [&a, &b] {
        assert!(within(cache, 1, 10) && within(cache, 2, 60) && within(cache, 4, 60));
        assert!(cache.peek(&1).unwrap().age() >= Duration::from_secs(50));
        assert_eq!(cache.weight(), 9);
    }
    // What came stale is nobody's.
    assert_eq!(server.ask(&["EXISTS", "larder:v:{3}"]).as_deref(), Some("0"));
}

#[tokio::test]
async fn t5_what_is_loaded_alone_is_held_for_a_moment_however_old_it_is() {
    let load = |key: u64| async move { io::Result::Ok(Loaded::new(key).aged(Duration::from_secs(20))) };
    let tier = builder("redis://127.0.0.1:1/").alone_ttl(Duration::from_secs(10));
    let (cache, _tier) = tier.loaded_fn(Cache::builder(Tokio::new()), load).unwrap();
    cache.get(&1).await.unwrap();
    let found = cache.peek(&1).expect("it is held");
    assert!(found.age() >= Duration::from_secs(20), "{:?}", found.age());
    let larder_tokio::TimeLeft::For(left) = found.time_left() else { panic!("it has an end") };
    assert!(left <= Duration::from_secs(10) && left > Duration::from_secs(5), "{left:?}");
}

#[tokio::test]
async fn what_the_tier_says_is_not_to_be_stored_is_held_nowhere() {
    let server = server!();
    for url in [server.url(), "redis://127.0.0.1:1/".into()] {
        for ttl in [Ttl::NotStored, Ttl::from_begin(ms(20)), Ttl::until(Duration::from_secs(1))] {
            let source = Source::with(7, 50);
            let node = Node::begin(builder(&url).ttl(ttl), &source);
            node.tier.wait_until_it_hears(if url == server.url() { Duration::from_secs(20) } else { ms(1) }).await;
            assert_eq!((node.get(1).await, node.get(1).await, source.loads()), (7, 7, 2), "{ttl:?} at {url}");
            assert_eq!(node.cache.len(), 0);
        }
    }
}

#[tokio::test]
async fn a_value_for_ever_can_be_loaded_in_any_case() {
    let server = server!();
    let source = Source::with(7, 0);
    let (a, b) = (
        Node::with(builder(&server.url()).ttl(Ttl::Forever), &source).await,
        Node::with(builder(&server.url()).ttl(Ttl::Forever), &source).await,
    );
    assert_eq!((a.get(1).await, b.get(1).await, source.loads()), (7, 7, 1));
    source.set(8);
    let options = larder_tokio::LookupOptions::new().reload();
    assert_eq!(a.cache.lookup(&1).options(options).await.unwrap().into_value(), 8);
    assert_eq!((a.get(1).await, source.loads()), (8, 2));
    assert_eq!(server.ask(&["HGET", "larder:v:{1}", "p"]).as_deref(), Some("8"));
}
