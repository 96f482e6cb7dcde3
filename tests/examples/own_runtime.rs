//! A runtime of one's own: threads, and a timer from another crate.
//!
//! ```text
//! cargo run -p larder-tests --example own_runtime
//! ```
//!
//! All but `main` is what it takes; the README points here. The conformance suite runs on it, as it does on the
//! adapters: see `tests/runtimes/own_runtime.rs` beside this folder.

use std::{io, thread, time::Duration};

use futures_lite::future::{block_on, pending};
use futures_timer::Delay;
use larder::{
    Cache, OnTimeout, Spawn, Status,
    parts::{Host, Hosted, StdClock},
};

/// Every task has a thread of its own.
#[derive(Clone, Copy, Default)]
pub(crate) struct Threads;

impl Host for Threads {
    type Delay = Delay;

    fn delay(&self, time: Duration) -> Option<Delay> {
        Some(Delay::new(time))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Threads {
    fn spawn(&self, future: F) -> Result<(), F> {
        thread::spawn(|| block_on(future));
        Ok(())
    }
}

/// The runtime, by the standard library's clock.
pub(crate) type OnThreads = Hosted<Threads, StdClock>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Its loads hang.
    let cache = Cache::builder(OnThreads::new())
        .ttl(Duration::from_secs(60))
        .stale_while_refresh(Duration::from_secs(60))
        .lock_timeout(Duration::from_millis(20), OnTimeout::Stale)
        .load_fn(|_: u32| pending::<io::Result<u32>>())
        .build()?;
    cache.insert(7, 42);
    cache.expire(&7);
    // The timer ends the wait.
    let stale = block_on(cache.lookup(&7))?;
    assert!(matches!(stale.status(), Status::Stale(_)));
    // The spawner has the refresh.
    assert!(block_on(cache.get_stale_spawn(&7))?.refresh.is_none());
    println!("{} after {:?}, and it is refreshed in the background", stale.value(), stale.waited());
    Ok(())
}
