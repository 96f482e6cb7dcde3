//! Many clients share one request.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::{
    demo::{
        Stage,
        clients::{self, Crowd},
        origin::Day,
    },
    proxy::Proxy,
};

/// Waits until the cache has this many callers waiting.
async fn until_waiting(proxy: &Proxy, callers: u64) {
    let wait = async {
        while proxy.pages().stats().waiters != callers {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(60), wait).await.unwrap();
}

/// Fifty clients ask for a page that the origin holds back until all have asked: there is one request.
#[tokio::test]
async fn fifty_clients_one_request() {
    let stage = Stage::start().await.unwrap();
    stage.origin.begin(Day::Stalling);
    let address = stage.server.address();
    let crowd = tokio::spawn(clients::ask(address, "/page", Crowd { clients: 50, at_once: true }));
    until_waiting(&stage.proxy, 50).await;
    stage.origin.begin(Day::Good);
    let seen = crowd.await.unwrap().unwrap();
    assert!(seen.iter().all(|client| client.body == "/page, version 1\n"), "{seen:?}");
    let saw = |status| seen.iter().filter(|client| client.status == status).count();
    assert_eq!((saw("miss"), saw("lock_hit")), (1, 49));
    assert_eq!(stage.origin.counts(), [1, 1, 0, 0]);
}

/// While a stale page is refreshed, no client waits: all are served before the origin answers.
#[tokio::test]
async fn nobody_waits_for_a_refresh() {
    let stage = Stage::start().await.unwrap();
    stage.proxy.pages().find("/page").await.unwrap();
    stage.clock.skip(Duration::from_secs(70));
    stage.origin.begin(Day::Stalling);
    let crowd = Crowd { clients: 50, at_once: true };
    let seen = clients::ask(stage.server.address(), "/page", crowd).await.unwrap();
    assert!(seen.iter().all(|client| client.status == "stale"), "{seen:?}");
    assert_eq!(stage.origin.counts()[1..], [1, 0, 0]);
    stage.origin.begin(Day::Good);
    until_waiting(&stage.proxy, 0).await;
    assert_eq!(stage.origin.counts(), [2, 1, 1, 0], "one request for all of them");
}

/// The whole demonstration keeps its promises.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration() {
    crate::demo::run().await.unwrap();
}
