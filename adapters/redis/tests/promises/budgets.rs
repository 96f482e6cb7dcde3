//! Loads that take longer than the first tier's budget.

use std::{io, sync::Arc, time::Duration};

use larder_redis::{Tier, TierBuilder};
use larder_tokio::{Cache, Loaded, Tokio};
use tokio::{spawn, time::timeout};

use crate::{
    node::{Names, Source, builder, ms, server, until},
    support::Server,
};

const LONG: Duration = Duration::from_secs(60);

fn cool(server: &Server) -> TierBuilder<u64> {
    builder(&server.url()).cool_down(LONG).lease(LONG)
}

/// A process whose loads take as long as they may.
fn single(server: &Server, source: &Arc<Source>, budget: Duration) -> (Names, Tier<u64, u64, io::Error>) {
    let source = Arc::clone(source);
    let load = move |key| {
        let source = Arc::clone(&source);
        async move { source.load(key).await }
    };
    cool(server).load_fn(Cache::builder(Tokio::new()).load_budget(budget), load).unwrap()
}

/// The same, of many keys.
fn many(server: &Server, source: &Arc<Source>, budget: Duration) -> (Names, Tier<u64, u64, io::Error>) {
    let source = Arc::clone(source);
    let load = move |keys: Vec<u64>| {
        let source = Arc::clone(&source);
        async move {
            let value = source.load(keys[0]).await?;
            Ok(keys.into_iter().map(move |key| (key, Ok(Loaded::new(value)))))
        }
    };
    cool(server).loaded_many_fn(Cache::builder(Tokio::new()).load_budget(budget), load).unwrap()
}

/// What the server has of the lease of a key.
fn lease(server: &Server, key: u64) -> String {
    server.ask(&["GET", &format!("larder:l:{{{key}}}")]).unwrap_or_default()
}

#[tokio::test]
async fn t8_a_load_over_its_budget_is_cooled_down() {
    let server = server!();
    let source = Source::with(1, 60_000);
    let ((a, ta), (b, tb)) = (single(&server, &source, ms(200)), many(&server, &source, ms(200)));
    for tier in [&ta, &tb] {
        assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
    }
    assert!(a.get(&1).await.unwrap_err().is_budget_exceeded());
    assert!(b.get_many(&[2, 3]).await.into_iter().all(|found| found.unwrap_err().is_budget_exceeded()));
    assert!(b.get(&4).await.unwrap_err().is_budget_exceeded());
    for key in 1..=4 {
        until("its failure cools down", || lease(&server, key) == "!").await;
    }
    let loads = source.loads();
    assert!(b.get(&1).await.unwrap_err().error().is_some_and(|error| error.retry_after().is_some()));
    assert!(a.get(&2).await.unwrap_err().error().is_some_and(|error| error.retry_after().is_some()));
    assert_eq!(source.loads(), loads, "nobody tries again at once");
}

#[tokio::test]
async fn t8_a_load_that_is_given_up_within_its_budget_has_not_failed() {
    let server = server!();
    let source = Source::with(1, 60_000);
    for (key, (cache, tier)) in [(1, single(&server, &source, LONG)), (2, many(&server, &source, LONG))] {
        assert!(tier.wait_until_it_hears(Duration::from_secs(20)).await);
        let caller = spawn(async move { timeout(ms(100), cache.get(&key)).await.is_err() });
        until("it has the lease", || lease(&server, key).len() > 1).await;
        assert!(caller.await.unwrap());
        until("it is given back", || lease(&server, key).is_empty()).await;
    }
}
