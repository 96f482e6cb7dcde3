//! A disk with write order whose calls fail, panic and are dropped, and the writes and dependencies that it checks.

use core::cell::{Cell, RefCell};

use larder::{Backend, LocalBoxIo};
use larder_tests::*;

use std::collections::BTreeMap;

/// How many caches there are; each has a disk of its own, and all disks share one order of writes.
pub(super) const CACHES: usize = 3;
pub(super) const KEYS: u32 = 5;

/// What is known of all disks. Values are the numbers of the writes that made them; zero is on a disk to begin with.
pub(super) struct Platter {
    time: Time,
    random: RefCell<Random>,
    /// How many calls of a hundred fail, and how many panic.
    trouble: Cell<u64>,
    /// How many polls a call may take.
    polls: Cell<u64>,
    pages: RefCell<[BTreeMap<u32, u32>; CACHES]>,
    acknowledged: RefCell<Writes>,
    edges: RefCell<Vec<Edge>>,
    lost: Cell<usize>,
}

/// The acknowledged writes, numbered in their order.
#[derive(Default)]
struct Writes {
    count: usize,
    /// The writes to each key, by number and value.
    of_key: [BTreeMap<u32, Vec<(usize, u32)>>; CACHES],
    /// The number of each value's write.
    numbers: BTreeMap<u32, usize>,
}

/// One dependency: which writes of the second cache have to be on disk before those of the first.
struct Edge {
    from: usize,
    to: usize,
    /// How many writes had been acknowledged when it was added.
    since: usize,
    /// Covers all writes of the second cache before the written value, not only those before the edge.
    always: bool,
    /// Also applies to values older than the edge: no flush was under way when it was added.
    strict: bool,
}

/// One of the disks; a clone is the same one.
#[derive(Clone)]
pub(super) struct Torn(pub(super) Rc<Platter>, pub(super) usize);

impl Platter {
    pub(super) fn new(time: &Time, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            time: time.clone(),
            random: RefCell::new(Random::new(seed)),
            trouble: Cell::new(0),
            polls: Cell::new(4),
            pages: RefCell::default(),
            acknowledged: RefCell::default(),
            edges: RefCell::default(),
            lost: Cell::new(0),
        })
    }

    pub(super) fn trouble(&self, percent: u64) {
        self.trouble.set(percent);
    }

    /// Makes each call take exactly so many polls, one after the other, without time passing.
    pub(super) fn steady(&self) {
        self.polls.set(0);
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    /// A write is acknowledged: from now on it must not be lost.
    pub(super) fn acknowledge(&self, cache: usize, key: u32, value: u32) {
        let mut writes = self.acknowledged.borrow_mut();
        writes.count += 1;
        let number = writes.count;
        writes.of_key[cache].entry(key).or_default().push((number, value));
        writes.numbers.insert(value, number);
    }

    pub(super) fn edge(&self, from: usize, to: usize, always: bool, strict: bool) {
        let since = self.acknowledged.borrow().count;
        self.edges.borrow_mut().push(Edge { from, to, since, always, strict });
    }

    /// Returns the last acknowledged value of a key.
    pub(super) fn latest(&self, cache: usize, key: u32) -> u32 {
        let writes = self.acknowledged.borrow();
        writes.of_key[cache].get(&key).and_then(|writes| writes.last()).map_or(0, |(_, value)| *value)
    }

    pub(super) fn page(&self, cache: usize, key: u32) -> u32 {
        self.pages.borrow()[cache].get(&key).copied().unwrap_or(0)
    }

    pub(super) fn lost(&self) -> usize {
        self.lost.get()
    }

    /// Asserts that all that has to be on disk before this write is there, as the power may be cut after it.
    fn write(&self, cache: usize, key: u32, value: u32) {
        self.pages.borrow_mut()[cache].insert(key, value);
        let writes = self.acknowledged.borrow();
        let Some(written) = writes.numbers.get(&value).copied() else {
            panic!("{cache}/{key} has {value}, which was never acknowledged")
        };
        for edge in
            self.edges.borrow().iter().filter(|edge| edge.from == cache && (edge.strict || written > edge.since))
        {
            let until = if edge.always { written.max(edge.since) } else { edge.since };
            for (needed, those) in &writes.of_key[edge.to] {
                let before = those.partition_point(|(number, _)| *number <= until);
                let there = self.page(edge.to, *needed);
                let is_there = writes.numbers.get(&there).copied().unwrap_or(0);
                assert!(
                    before == 0 || is_there >= those[before - 1].0,
                    "{cache}/{key}={value} is on disk, but of {}/{needed} only {there}, and not {}",
                    edge.to,
                    those[before - 1].1,
                );
            }
        }
    }

    /// Waits for some polls, and then succeeds, fails or panics.
    async fn pass(&self) -> Result<(), Boom> {
        match self.polls.get() {
            0 => futures_lite::future::yield_now().await,
            polls => {
                for _ in 0..self.below(polls) {
                    sleep(&self.time, 1 + self.below(5)).await;
                }
            }
        }
        match self.below(100) {
            n if n < self.trouble.get() / 2 => std::panic::panic_any(Bang(1)),
            n if n < self.trouble.get() => Err(Boom(1)),
            _ => Ok(()),
        }
    }
}

impl Backend<u32> for Torn {
    type Value = Rc<u32>;
    type Error = Boom;
    type Load = LocalBoxIo<Result<Rc<u32>, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let Self(platter, cache) = self.clone();
        Box::pin(async move {
            platter.pass().await?;
            let value = platter.page(cache, key);
            platter.pass().await?;
            Ok(Rc::new(value))
        })
    }

    /// A write that fails, panics or is dropped may have reached the disk all the same.
    fn flush(&self, key: u32, value: Rc<u32>) -> Self::Flush {
        let Self(platter, cache) = self.clone();
        Box::pin(async move {
            platter.pass().await?;
            platter.write(cache, key, *value);
            platter.pass().await
        })
    }

    fn discard(&self, _: u32, _: Rc<u32>) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, keys: Vec<u32>) {
        self.0.lost.set(self.0.lost.get() + keys.len());
    }
}
