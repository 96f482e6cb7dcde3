//! The acknowledged writes, and the disks that they are written to.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use larder::{Backend, LocalBoxIo};
use larder_tests::*;

pub(super) const CACHES: usize = 3;
pub(super) const KEYS: u32 = 6;

/// What an edge covers; the number is how many writes had been acknowledged when it was added.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edge {
    /// All of those writes.
    Now(usize),
    /// The writes before the value that is written, by the next flush.
    UntilFlushed(usize),
    /// The writes before the value that is written, each time.
    Always(usize),
}

/// Everything that was acknowledged, and what is on the disks.
#[derive(Default)]
pub(super) struct Model {
    /// The writes to each key, by cache, numbered in order, with their values; the last value counts.
    pub(super) writes: [BTreeMap<u32, Vec<(usize, u32)>>; CACHES],
    pub(super) count: usize,
    pub(super) numbers: BTreeMap<u32, usize>,
    pub(super) pages: [BTreeMap<u32, u32>; CACHES],
    /// From the first cache to the second.
    pub(super) edges: Vec<(usize, usize, Edge)>,
    /// Reads and writes that are under way, by cache.
    pub(super) loads: usize,
    pub(super) flushes: [usize; CACHES],
    pub(super) invalidations: [usize; CACHES],
}

impl Model {
    pub(super) fn acknowledge(&mut self, cache: usize, key: u32, value: u32) {
        self.count += 1;
        self.writes[cache].entry(key).or_default().push((self.count, value));
        self.numbers.insert(value, self.count);
    }

    pub(super) fn page(&self, cache: usize, key: u32) -> u32 {
        self.pages[cache].get(&key).copied().unwrap_or(0)
    }

    pub(super) fn latest(&self, cache: usize, key: u32) -> u32 {
        self.writes[cache].get(&key).and_then(|writes| writes.last()).map_or(0, |(_, value)| *value)
    }

    /// The number of the write that is on disk, or zero.
    pub(super) fn on_disk(&self, cache: usize, key: u32) -> usize {
        self.numbers.get(&self.page(cache, key)).copied().unwrap_or(0)
    }

    /// All writes of a cache up to this number are on disk, in that state or a later one.
    pub(super) fn is_on_disk(&self, cache: usize, up_to: usize) -> bool {
        self.writes[cache].iter().all(|(key, writes)| {
            let before = writes.partition_point(|(number, _)| *number <= up_to);
            before == 0 || self.on_disk(cache, *key) >= writes[before - 1].0
        })
    }

    /// P17, D82: asserts that what has to be on disk before a value is there, as the value begins to be written.
    pub(super) fn begins(&mut self, from: usize, value: u32) {
        let written = self.numbers.get(&value).copied().expect("it was acknowledged");
        for (one, other, edge) in &self.edges {
            let up_to = match *edge {
                _ if *one != from => continue,
                // D81: what is written may have been fixed before the edge was added.
                Edge::Now(since) if written > since => since,
                Edge::UntilFlushed(since) | Edge::Always(since) if written > since => written,
                _ => continue,
            };
            assert!(
                self.is_on_disk(*other, up_to),
                "{value} of {from} goes before {other}: {edge:?}, {:?}",
                self.pages
            );
        }
        self.edges.retain(|(one, _, edge)| *one != from || !matches!(edge, Edge::UntilFlushed(_)));
    }

    /// The dirty writes are dropped: what is on disk counts. (D83)
    pub(super) fn discarded(&mut self, cache: usize) {
        self.invalidations[cache] += 1;
        for key in 0..KEYS {
            let page = self.page(cache, key);
            let number = self.numbers.get(&page).copied().unwrap_or(0);
            if let Some(writes) = self.writes[cache].get_mut(&key) {
                writes.retain(|(of, _)| *of <= number);
            }
        }
        self.edges.retain(|(one, _, edge)| *one != cache || matches!(edge, Edge::Always(_)));
    }
}

/// The disk of one cache.
#[derive(Clone)]
pub(super) struct File {
    pub(super) nth: usize,
    pub(super) time: Time,
    pub(super) model: Rc<RefCell<Model>>,
    pub(super) random: Rc<RefCell<Random>>,
    /// How many writes of a hundred fail; all of them if the disk is gone.
    pub(super) trouble: Rc<Cell<u64>>,
}

/// Counts a read or a write that is under way, until it is dropped.
pub(super) struct Busy(Rc<RefCell<Model>>, Option<usize>);

impl Drop for Busy {
    fn drop(&mut self) {
        let model = &mut *self.0.borrow_mut();
        match self.1 {
            Some(nth) => model.flushes[nth] -= 1,
            None => model.loads -= 1,
        }
    }
}

impl File {
    pub(super) async fn pass(&self) -> Result<(), Boom> {
        let (waits, fails) = {
            let mut random = self.random.borrow_mut();
            (random.below(12), random.below(100) < self.trouble.get())
        };
        if waits < 8 {
            sleep(&self.time, waits).await;
        }
        if fails { Err(Boom(1)) } else { Ok(()) }
    }
}

impl Backend<u32> for File {
    type Value = u32;
    type Error = Boom;
    type Load = LocalBoxIo<Result<u32, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let file = self.clone();
        self.model.borrow_mut().loads += 1;
        let busy = Busy(self.model.clone(), None);
        Box::pin(async move {
            let passed = file.pass().await;
            drop(busy);
            passed.map(|()| file.model.borrow().page(file.nth, key))
        })
    }

    fn flush(&self, key: u32, value: u32) -> Self::Flush {
        let file = self.clone();
        {
            let mut model = self.model.borrow_mut();
            model.begins(self.nth, value);
            model.flushes[self.nth] += 1;
        }
        let busy = Busy(self.model.clone(), Some(self.nth));
        Box::pin(async move {
            let passed = file.pass().await;
            drop(busy);
            passed?;
            file.model.borrow_mut().pages[file.nth].insert(key, value);
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u32>) {}
}
