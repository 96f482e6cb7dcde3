//! A shop's product pages, cached in front of a store that is slow, stalls and fails: the same code for every runtime.
//!
//! The file that includes this module names the runtime, by two imports: `larder`, the crate of an adapter, and
//! `Adapter`, its type. No code here or in the modules below knows which one it is; even the store's delays use the
//! cache's own timer.
//!
//! * `pages`: **how Larder is configured and called**
//! * `store`: the slow part, which may fail
//! * `crowd`: a thousand requests at once, and how they ended

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

/// Runs the phases and prints a line for each. Panics if the cache breaks a promise.
pub(crate) async fn open(runtime: Adapter) {
    let store = Arc::new(Store::new(runtime));
    let pages = Pages::new(runtime, Arc::clone(&store));
    println!("{REQUESTS} requests at once for {PRODUCTS} product pages, again and again.\n\n{HEAD}");

    let row = Row::of("nothing is cached", runtime, &pages).await;
    assert_eq!((row.served, row.loads), (REQUESTS, EACH_ONCE));

    let row = Row::of("all is cached", runtime, &pages).await;
    assert_eq!((row.served, row.hits, row.loads), (REQUESTS, ALL, 0));

    // No caller waits longer than the lock timeout.
    pages.expire_all();
    store.begin(Day::Stalling);
    let row = Row::of("expired, and the store stalls", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, ALL, EACH_ONCE));

    // The loads go on without their callers.
    store.begin(Day::Slow);
    pages.settled(runtime).await;
    let row = Row::of("the store has answered meanwhile", runtime, &pages).await;
    assert_eq!((row.served, row.hits, row.loads), (REQUESTS, ALL, 0));

    pages.expire_all();
    store.begin(Day::Failing);
    let row = Row::of("expired, and the store is down", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, ALL, EACH_ONCE));

    store.begin(Day::Slow);
    pass(runtime, pages::RETRY).await;
    let row = Row::of("the store is back", runtime, &pages).await;
    assert_eq!((row.served, row.stale, row.loads), (REQUESTS, 0, EACH_ONCE));

    println!("\nNo page was loaded twice, and no request failed.");
}

/// Ends once this time has passed.
async fn pass(runtime: Adapter, time: Duration) {
    use crate::larder::{Clock, Timer};

    runtime.sleep_until(runtime.now().saturating_add(time)).await;
}
