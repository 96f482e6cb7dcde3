//! One process of the fleet: serves pages to many clients, and changes one now and then.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use larder_redis::{Json, TierBuilder};
use larder_tokio::{Cache, Tokio};
use tokio::time::sleep;

use crate::{
    now,
    store::{Client, PAGES},
    support::random,
};

const TTL: Duration = Duration::from_secs(10);

/// Runs until it is killed; `server` is the address of the second tier's, or `-` for none.
pub(crate) async fn run(store: u16, server: &str) {
    let store = Client::new(store);
    let load = {
        let store = store.clone();
        move |page| {
            let store = store.clone();
            async move { store.load(page).await }
        }
    };
    if server == "-" {
        let pages = Cache::builder(Tokio::new()).ttl(TTL).load_fn(load).build().unwrap();
        let (own, changed) = (pages.clone(), pages);
        let read = move |page| {
            let pages = own.clone();
            async move { pages.get(&page).await.unwrap() }
        };
        // It can tell itself, and nobody else.
        let tell = move |page| {
            changed.remove(&page);
            async { true }
        };
        return serve(store, read, tell).await;
    }
    // Bound to each other: the cache that is read, and the tier that is told of changes.
    let (pages, tier) = TierBuilder::new(server, Json::new("page/1"))
        .namespace("pages")
        .ttl(TTL)
        .lease(Duration::from_millis(500))
        .load_fn(Cache::builder(Tokio::new()), load)
        .unwrap();
    let read = move |page| {
        let pages = pages.clone();
        async move { pages.get(&page).await.unwrap() }
    };
    let tell = move |page| {
        let tier = tier.clone();
        async move { tier.invalidate(&page).await.is_acknowledged() }
    };
    serve(store, read, tell).await;
}

/// Reads for clients, changes pages, and says what was seen: `read PAGE VERSION BEGIN MICROSECONDS`, `changed PAGE VERSION
/// WHEN`.
async fn serve<R, T>(store: Client, read: impl Fn(u64) -> R + Clone + Send + 'static, tell: impl Fn(u64) -> T)
where
    R: Future<Output = u64> + Send,
    T: Future<Output = bool>,
{
    for _ in 0..4 {
        let read = read.clone();
        tokio::spawn(async move {
            loop {
                let (page, begin) = (random(PAGES).min(random(PAGES)), now());
                let version = read(page).await;
                say(&format!("read {page} {version} {} {}", begin.as_micros(), (now() - begin).as_micros()));
                sleep(Duration::from_micros(500 + random(2_000))).await;
            }
        });
    }
    loop {
        sleep(Duration::from_millis(20 + random(100))).await;
        let page = random(PAGES).min(random(PAGES));
        // The store first, and then all that may hold the page.
        let version = store.change(page).await.unwrap();
        if tell(page).await {
            say(&format!("changed {page} {version} {}", now().as_micros()));
        }
    }
}

fn say(line: &str) {
    if writeln!(io::stdout(), "{line}").is_err() {
        // The process that started this is gone.
        std::process::exit(1);
    }
}
