//! A shop's product pages, cached in front of a store that is slow, stalls and fails: one code for every runtime.
//!
//! Whoever includes it names the runtime, in two imports: `larder`, the crate of an adapter, and `Adapter`, its type. Here
//! and in the rooms below nothing knows which one it is; even the store's delays are the cache's own timer.
//!
//! * `pages`: **how Larder is set up and asked**
//! * `store`: what is slow and fails
//! * `crowd`: a thousand requests at once, and what became of them

mod crowd;
mod pages;
mod store;

use std::{sync::Arc, time::Duration};

use self::{
    crowd::{HEAD, REQUESTS, Row},
    pages::Pages,
    store::{Day, Store},
};
use crate::Adapter;

/// How many products there are.
const PRODUCTS: u32 = 50;

/// The lookups of all requests.
const ALL: u64 = REQUESTS as u64;

/// The loads of all pages, if none is loaded twice.
const EACH_ONCE: u64 = PRODUCTS as u64;

/// Plays a day of the shop and prints a line for each phase. Panics if the cache breaks a promise.
pub(crate) async fn open(runtime: Adapter) {
    let store = Arc::new(Store::new(runtime));
    let pages = Pages::new(runtime, Arc::clone(&store));
    println!("{REQUESTS} requests at once for {PRODUCTS} product pages, again and again.\n\n{HEAD}");

    let row = Row::of("nothing is cached", runtime, &pages).await;
    assert_eq!((row.served, row.loads), (REQUESTS, EACH_ONCE));

    let row = Row::of("all is cached", runtime, &pages).await;
    assert_eq!((row.served, row.hits, row.loads), (REQUESTS, ALL, 0));

    // Nobody waits longer than the lock timeout.
    pages.expire_all();
    store.begin(Day::Stalling);
    let row = Row::of("expired, and the store stalls", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, ALL, EACH_ONCE));

    // The loads go on without them.
    store.begin(Day::Slow);
    pages.settled(runtime).await;
    let row = Row::of("it has answered meanwhile", runtime, &pages).await;
    assert_eq!((row.served, row.hits, row.loads), (REQUESTS, ALL, 0));

    pages.expire_all();
    store.begin(Day::Failing);
    let row = Row::of("expired, and the store is down", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, ALL, EACH_ONCE));

    store.begin(Day::Slow);
    pass(runtime, pages::RETRY).await;
    let row = Row::of("it is back", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, 0, EACH_ONCE));

    println!("\nNo page was loaded twice, and nobody saw an error.");
}

/// Ends once this time has passed.
async fn pass(runtime: Adapter, time: Duration) {
    use crate::larder::{Clock, Timer};

    runtime.sleep_until(runtime.now().saturating_add(time)).await;
}
