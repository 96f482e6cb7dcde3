//! User code that panics.

use std::{future::Future, io, time::Duration};

use larder_redis::{Codec, Tier, TierBuilder, TierError};
use larder_tokio::{Cache, Loaded, Tokio};
use tokio::spawn;

use crate::{
    node::{builder, server, until},
    support::Server,
};

const LONG: Duration = Duration::from_secs(60);

fn first() -> larder_tokio::Builder<u64, u64, TierError<io::Error>> {
    Cache::builder(Tokio::new())
}

fn cool(url: &str) -> TierBuilder<u64> {
    builder(url).cool_down(LONG).lease(LONG)
}

async fn hears(tier: &Tier<u64, u64, io::Error>) {
    assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
}

async fn panics<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) {
    assert!(spawn(call).await.is_err_and(|error| error.is_panic()));
}

/// Nobody is to load these keys for a while.
async fn cooled(server: &Server, keys: impl IntoIterator<Item = u64>) {
    for key in keys {
        let lease = format!("larder:l:{{{key}}}");
        until(&format!("{key} cools down"), || server.ask(&["GET", &lease]).as_deref() == Some("!")).await;
    }
}

fn on_purpose<T>() -> T {
    panic!("on purpose")
}

#[tokio::test]
async fn t8_a_load_that_panics_is_cooled_down() {
    let server = server!();
    // When it is called, and when it is polled.
    let (called, one) = cool(&server.url()).load_fn(first(), |_: u64| on_purpose::<std::future::Ready<_>>()).unwrap();
    let (polled, two) = cool(&server.url()).load_fn(first(), |_: u64| async { on_purpose() }).unwrap();
    hears(&one).await;
    hears(&two).await;
    panics(async move { called.get(&1).await.is_ok() }).await;
    panics(async move { polled.get(&2).await.is_ok() }).await;
    cooled(&server, 1..=2).await;
}

#[tokio::test]
async fn t8_a_load_of_many_keys_that_panics_is_cooled_down() {
    type Answers = Vec<(u64, io::Result<Loaded<u64>>)>;
    let server = server!();
    let (called, one) = cool(&server.url())
        .loaded_many_fn(first(), |_: Vec<u64>| on_purpose::<std::future::Ready<io::Result<Answers>>>())
        .unwrap();
    let (polled, two) = cool(&server.url())
        .loaded_many_fn(first(), |_: Vec<u64>| async { on_purpose::<io::Result<Answers>>() })
        .unwrap();
    hears(&one).await;
    hears(&two).await;
    panics(async move { called.get_many(&[1, 2]).await.len() }).await;
    panics(async move { polled.get_many(&[3, 4]).await.len() }).await;
    cooled(&server, 1..=4).await;
}

/// It writes and reads nothing.
struct Panics;

impl Codec<u64> for Panics {
    fn fingerprint(&self) -> String {
        "1".into()
    }

    fn write(&self, _: &u64) -> Option<Vec<u8>> {
        on_purpose()
    }

    fn read(&self, _: &[u8]) -> Option<u64> {
        on_purpose()
    }
}

#[tokio::test]
async fn t8_a_codec_that_panics_is_cooled_down() {
    let server = server!();
    let tier = TierBuilder::new(&server.url(), Panics).cool_down(LONG).lease(LONG);
    let (cache, tier) = tier.load_fn(first(), |key: u64| async move { Ok(key) }).unwrap();
    hears(&tier).await;
    let again = cache.clone();
    panics(async move { cache.get(&1).await.is_ok() }).await;
    // A stale value that is to be refreshed.
    server.run(&["HSET", "larder:v:{2}", "p", "7", "f", "1", "l", "1", "s", "60000", "k", "v"]);
    server.run(&["PEXPIRE", "larder:v:{2}", "50000"]);
    panics(async move { again.get(&2).await.is_ok() }).await;
    cooled(&server, 1..=2).await;
}
