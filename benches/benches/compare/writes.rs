//! Values that are stored, replaced and removed by direct calls.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use larder_benches::peers::{Peer, Setup};

use crate::contest::Entrant;

const ENTRIES: u64 = 1 << 14;
const WRITES: u64 = 30_000;

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// Keys that are new, for each of which another has to leave.
    Insert,
    /// Keys that are there.
    Replace,
    /// Keys that are there go.
    Remove,
}

pub(crate) struct Writes<P> {
    cache: P,
    write: Write,
    next: u64,
}

impl<P: Peer<u64>> Writes<P> {
    pub(crate) fn entrant(write: Write, ttl: Option<Duration>) -> Box<dyn Entrant> {
        let capacity = if write == Write::Remove { 4 * ENTRIES } else { ENTRIES };
        let cache = P::new(&Setup { ttl, ..Setup::new(capacity as usize) });
        (0..ENTRIES).for_each(|number| cache.insert(number, number));
        Box::new(Self { cache, write, next: ENTRIES })
    }
}

impl<P: Peer<u64>> Entrant for Writes<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn round(&mut self) -> f64 {
        let cache = &self.cache;
        let from = self.next;
        match self.write {
            Write::Insert => {
                self.next += WRITES;
                timed(WRITES, |nth| cache.insert(from + nth, nth))
            }
            Write::Replace => timed(WRITES, |nth| cache.insert(nth % (ENTRIES / 2), nth)),
            Write::Remove => {
                (0..WRITES).for_each(|nth| cache.insert(nth, nth));
                timed(WRITES, |nth| cache.remove(black_box(&nth)))
            }
        }
    }
}

fn timed(count: u64, operation: impl Fn(u64)) -> f64 {
    let start = Instant::now();
    (0..count).for_each(operation);
    start.elapsed().as_nanos() as f64 / count as f64
}
