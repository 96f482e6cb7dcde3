//! How long a call may stop a reader of another key.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use larder_benches::peers::{Setup, Walks};

use crate::contest::Entrant;

const ENTRIES: u64 = 1_000_000;

/// What is done beside the reader.
#[derive(Clone, Copy)]
pub(crate) enum Beside {
    /// All entries are gone over.
    Walk,
    /// All are removed.
    Clear,
}

/// A reader of one key, beside one call that is for all of them; the figure is the longest time between two of its looks.
pub(crate) struct Stops<P> {
    cache: P,
    beside: Beside,
}

impl<P: Walks> Stops<P> {
    pub(crate) fn entrant(beside: Beside) -> Box<dyn Entrant> {
        Box::new(Self { cache: P::new(&Setup::new(2 * ENTRIES as usize)), beside })
    }
}

impl<P: Walks> Entrant for Stops<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn round(&mut self) -> f64 {
        let cache = &self.cache;
        (0..ENTRIES).for_each(|key| cache.insert(key, key));
        let (begun, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let longest = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut longest = Duration::ZERO;
                begun.store(true, Ordering::Release);
                while !over.load(Ordering::Acquire) {
                    let start = Instant::now();
                    black_box(cache.get(&1));
                    longest = longest.max(start.elapsed());
                }
                longest
            });
            while !begun.load(Ordering::Acquire) {
                thread::yield_now();
            }
            match self.beside {
                Beside::Walk => _ = black_box(cache.walk()),
                Beside::Clear => cache.clear(),
            }
            over.store(true, Ordering::Release);
            reader.join().expect("a reader that ends")
        });
        longest.as_nanos() as f64 / 1000.0
    }
}
