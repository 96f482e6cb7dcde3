//! A block cache of sorted tables, all of whose code blocks: threads read files, and share what they have read.

use std::{
    io,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use larder::{
    Cache, ConfigError, LoadError, RemovalCause, Standard,
    parts::{Std, ThreadTimer},
};

type Block = Arc<[u8]>;
/// The table, and which of its blocks.
type Place = (usize, usize);
type Blocks = Cache<Place, Block, io::Error, Std<ThreadTimer>, Standard>;

const SIZE: usize = 512;

/// A file of blocks that counts how often it is read.
struct Table {
    id: usize,
    blocks: usize,
    reads: AtomicUsize,
    is_broken: AtomicBool,
}

impl Table {
    fn new(id: usize, blocks: usize) -> Self {
        Self { id, blocks, reads: AtomicUsize::new(0), is_broken: AtomicBool::new(false) }
    }

    fn read(&self, block: usize) -> io::Result<Block> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("bad sector"));
        }
        if block >= self.blocks {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(vec![(self.id * 16 + block) as u8; SIZE].into())
    }
}

/// The tables of a store, read through one cache.
struct Store {
    tables: Arc<[Table]>,
    blocks: Blocks,
    /// Which blocks a filter of the table lets through; made of what the program has in memory.
    filters: Cache<usize, Arc<[bool]>, io::Error, Std<ThreadTimer>>,
}

impl Store {
    fn new(bytes: u64, evicted: &Arc<AtomicUsize>) -> Result<Self, ConfigError> {
        let tables: Arc<[Table]> = (0..4).map(|id| Table::new(id, 8)).collect();
        let (own, evicted) = (Arc::clone(&tables), Arc::clone(evicted));
        let blocks = Cache::builder(Std::new(ThreadTimer::new()))
            .capacity(bytes)
            .weigher(|_, block: &Block| block.len() as u64)
            .listener(move |_, _, cause| {
                evicted.fetch_add(usize::from(cause == RemovalCause::Evicted), Ordering::SeqCst);
            })
            .load_fn(move |(table, block): Place| {
                let tables = Arc::clone(&own);
                async move { tables[table].read(block) }
            })
            .build()?;
        let filters = Cache::builder(Std::new(ThreadTimer::new())).capacity(100).build()?;
        Ok(Self { tables, blocks, filters })
    }

    fn block(&self, table: usize, block: usize) -> Result<Block, LoadError<io::Error>> {
        self.blocks.get_blocking(&(table, block))
    }

    fn may_have(&self, table: usize, block: usize) -> bool {
        let blocks = self.tables[table].blocks;
        let filter = self.filters.get_or_insert(&table, || (0..=blocks).map(|at| at < blocks).collect());
        filter.value().get(block).copied().unwrap_or(false)
    }

    fn first_byte(&self, table: usize, block: usize) -> Result<Option<u8>, LoadError<io::Error>> {
        if !self.may_have(table, block) {
            return Ok(None);
        }
        Ok(self.block(table, block)?.first().copied())
    }

    /// The table was merged into others.
    fn forget(&self, table: usize) -> usize {
        self.filters.remove(&table);
        self.blocks.remove_if(|(of, _)| *of == table)
    }
}

fn store(bytes: usize) -> (Arc<AtomicUsize>, Store) {
    let evicted = Arc::default();
    let store = Store::new(bytes as u64, &evicted).expect("valid");
    (evicted, store)
}

#[test]
fn threads_share_what_they_read() {
    let (_, store) = store(64 * SIZE);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                for block in 0..8 {
                    let first = store.first_byte(1, block).expect("it is read");
                    assert_eq!(first, Some(16 + block as u8));
                }
            });
        }
    });
    assert_eq!(store.tables[1].reads.load(Ordering::SeqCst), 8);
    assert_eq!(store.first_byte(1, 8).expect("the filter knows"), None);
    assert_eq!((store.tables[1].reads.load(Ordering::SeqCst), store.filters.stats().misses), (8, 1));
}

#[test]
fn by_bytes_and_evicted_by_use() {
    let (evicted, store) = store(8 * SIZE);
    for _ in 0..3 {
        (0..8).for_each(|block| assert!(store.block(0, block).is_ok()));
    }
    assert_eq!((store.tables[0].reads.load(Ordering::SeqCst), store.blocks.weight()), (8, 8 * SIZE as u64));
    // A scan of other tables goes through, and is not worth what is in use.
    for table in 1..4 {
        (0..8).for_each(|block| assert!(store.block(table, block).is_ok()));
    }
    assert_eq!((evicted.load(Ordering::SeqCst), store.blocks.weight()), (24, 8 * SIZE as u64));
}

#[test]
fn errors_are_not_blocks() {
    let (_, store) = store(64 * SIZE);
    store.tables[2].is_broken.store(true, Ordering::SeqCst);
    let error = store.block(2, 0).expect_err("it cannot be read");
    assert_eq!(error.to_string(), "the load failed: bad sector");
    store.tables[2].is_broken.store(false, Ordering::SeqCst);
    assert_eq!(store.first_byte(2, 0).expect("it is asked again"), Some(32));
    let error = store.block(2, 9).expect_err("it is beyond the end");
    assert_eq!(error.error().map(io::Error::kind), Some(io::ErrorKind::UnexpectedEof));
}

#[test]
fn a_table_goes_with_its_blocks() {
    let (_, store) = store(64 * SIZE);
    for table in 0..2 {
        (0..8).for_each(|block| assert!(store.first_byte(table, block).is_ok()));
    }
    assert_eq!(store.forget(0), 8);
    assert_eq!((store.blocks.len(), store.filters.len()), (8, 1));
    assert!(store.blocks.iter().all(|((table, _), _)| table == 1));
}
