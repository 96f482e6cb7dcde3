//! Looks that find what they look for, or nothing.

use std::{
    hint::black_box,
    marker::PhantomData,
    thread,
    time::{Duration, Instant},
};

use larder_benches::peers::{Key, Peer, Setup};

use crate::contest::Entrant;

const ENTRIES: u64 = 1 << 14;
const HOT: u64 = 64;
const LOOKS: u64 = 200_000;

/// Direct looks at keys that are all there.
pub(crate) struct Hits<K, P> {
    cache: P,
    keys: Vec<K>,
    threads: usize,
    key: PhantomData<K>,
}

impl<K: Key, P: Peer<K>> Hits<K, P> {
    pub(crate) fn entrant(threads: usize, ttl: Option<Duration>) -> Box<dyn Entrant> {
        let cache = P::new(&Setup { ttl, ..Setup::new(2 * ENTRIES as usize) });
        (0..ENTRIES).for_each(|number| cache.insert(K::nth(number), K::value(number)));
        let keys = (0..ENTRIES).map(|place| K::nth(place * 7 % ENTRIES)).collect();
        Box::new(Self { cache, keys, threads, key: PhantomData })
    }

    /// Direct looks at a few keys that are all there.
    pub(crate) fn hot(threads: usize) -> Box<dyn Entrant> {
        let cache = P::new(&Setup::new(2 * ENTRIES as usize));
        (0..HOT).for_each(|number| cache.insert(K::nth(number), K::value(number)));
        let keys = (0..HOT).map(|place| K::nth(place * 7 % HOT)).collect();
        Box::new(Self { cache, keys, threads, key: PhantomData })
    }

    /// Direct looks at keys that are not there.
    pub(crate) fn absent(threads: usize) -> Box<dyn Entrant> {
        let cache = P::new(&Setup::new(2 * ENTRIES as usize));
        (0..ENTRIES).for_each(|number| cache.insert(K::nth(number), K::value(number)));
        let keys = (0..ENTRIES).map(|place| K::nth(ENTRIES + place * 7 % ENTRIES)).collect();
        Box::new(Self { cache, keys, threads, key: PhantomData })
    }
}

impl<K: Key, P: Peer<K>> Entrant for Hits<K, P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn round(&mut self) -> f64 {
        on_threads(self.threads, LOOKS, |thread, nth| {
            // (Each thread is somewhere else.)
            let place = nth as usize + thread * self.keys.len() / 2;
            black_box(self.cache.get(&self.keys[place % self.keys.len()]));
        })
    }
}

/// Does an operation so many times on each thread; returns the nanoseconds of one.
pub(crate) fn on_threads(threads: usize, count: u64, operation: impl Fn(usize, u64) + Sync) -> f64 {
    let run = |thread: usize| (0..count).for_each(|nth| operation(thread, nth));
    let start = Instant::now();
    if threads == 1 {
        run(0);
    } else {
        thread::scope(|scope| {
            let run = &run;
            (0..threads).for_each(|thread| drop(scope.spawn(move || run(thread))));
        });
    }
    start.elapsed().as_nanos() as f64 / count as f64
}
