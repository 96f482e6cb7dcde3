use std::io;

use larder_redis::{TierBuilder, TierConfigError};
use larder_tokio::{Cache, ConfigError, Tokio};

use crate::node::{Text, builder, ms};

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
