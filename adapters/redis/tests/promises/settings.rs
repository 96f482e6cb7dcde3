use std::{io, time::Duration};

use larder_redis::{TierBuilder, TierConfigError};
use larder_tokio::{Cache, ConfigError, Tokio};

use crate::node::{Node, Source, Text, builder, ms, server};

fn refused(tier: TierBuilder<u64>) -> Option<TierConfigError> {
    let load = |key: u64| async move { io::Result::Ok(key) };
    tier.load_fn(Cache::builder(Tokio::new()), load).err()
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let url = "redis://127.0.0.1:1/";
    assert_eq!(refused(builder(url)), None);
    assert_eq!(refused(builder(url).namespace("")), Some(TierConfigError::Namespace));
    assert_eq!(refused(builder(url).lease(ms(0))), Some(TierConfigError::Lease));
    assert_eq!(refused(builder(url).hearing_limit(ms(50))), Some(TierConfigError::HearingLimit));
    assert_eq!(refused(TierBuilder::new(url, Text(""))), Some(TierConfigError::Fingerprint));
    assert!(matches!(refused(TierBuilder::new("nowhere", Text("1"))), Some(TierConfigError::Url(_))));
    let load = |key: u64| async move { io::Result::Ok(key) };
    let cache = Cache::builder(Tokio::new()).shards(0);
    assert_eq!(builder(url).load_fn(cache, load).err(), Some(TierConfigError::Cache(ConfigError::Shards)));
    for error in [TierConfigError::Lease, TierConfigError::Runtime, TierConfigError::Url("why".into())] {
        assert!(error.to_string().len() > 20, "{error}");
    }
}

#[test]
fn without_a_runtime_there_is_no_tier() {
    assert_eq!(refused(builder("redis://127.0.0.1:1/")), Some(TierConfigError::Runtime));
}

#[tokio::test]
async fn times_without_an_end_do_no_harm() {
    const EVER: Duration = Duration::MAX;
    let server = server!();
    let source = Source::with(7, 0);
    let patient = builder(&server.url())
        .deadline(EVER)
        .poll_every(EVER)
        .lease(EVER)
        .stale_for(EVER)
        .cool_down(EVER)
        .alone_ttl(EVER)
        .hearing_limit(EVER)
        .alone(usize::MAX)
        .max_size(usize::MAX);
    let node = Node::with(patient, &source).await;
    assert_eq!(node.get(1).await, 7);
    // One that holds it, and would refresh it.
    assert_eq!(*node.cache.refresh(&1).await.unwrap().value(), 7);
    assert!(node.tier.insert(&1, 8).await.is_acknowledged());
    assert_eq!((node.get(1).await, node.tier.stats().alone), (8, 0));
    // One that waits, and one whose load fails.
    server.run(&["SET", "larder:l:{2}", "somebody's", "PX", "300"]);
    assert_eq!(node.get(2).await, 7);
    source.fails.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(node.cache.get(&3).await.is_err());
    assert_eq!(server.ask(&["GET", "larder:l:{3}"]).as_deref(), Some("!"));
}
