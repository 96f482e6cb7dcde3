//! Tells how many bytes of stack calls take, and how many bytes of heap a cache.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::Cell;

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use larder::{
    Builder, Cache, ConfigError, LazySlot, Loaded, Runtime,
    parts::{Local, NoTimer},
};
use larder_cortex_m::{
    TTL,
    board::{self, Ticks},
    stack::deepest,
};
use larder_scenario::tasks::{Task, step};

#[entry]
fn main() -> ! {
    board::main_without_interrupts(|| cache().is_some() && slot().is_some() && heap().is_some())
}

fn cache() -> Option<()> {
    let builder = Cache::builder(board::runtime()).capacity(16).hash_seed(7).ttl(TTL);
    let built = builder.load_fn(|key: u32| async move {
        if key > 100 {
            board::sleep(2).await;
        }
        Ok::<_, ()>(key)
    });
    calls(&built.build().ok()?)
}

fn calls<R: Runtime>(cache: &Cache<u32, u32, (), R>) -> Option<()> {
    let sum = &Cell::new(0);
    let one = |key: u32| async move {
        if let Ok(value) = cache.get(&key).await {
            sum.set(sum.get() + value);
        }
    };
    let mut tasks = [Task::new(one(1)), Task::new(one(2)), Task::new(one(1))];
    hprintln!("stack of nothing, for comparison: {}", deepest(|| {}));
    hprintln!("stack of an insert: {}", deepest(|| _ = cache.insert(3, 3)));
    hprintln!("stack of a miss that is ready: {}", deepest(|| _ = step(&mut tasks[..1])));
    step(&mut tasks[1..2]);
    hprintln!("stack of a hit by get: {}", deepest(|| _ = step(&mut tasks[2..])));
    hprintln!("stack of a hit by get_if_present: {}", deepest(|| _ = cache.get_if_present(&1)));
    let mut tasks = [Task::new(one(101)), Task::new(one(101)), Task::new(one(101))];
    hprintln!("stack of a miss that waits: {}", deepest(|| _ = step(&mut tasks[..1])));
    hprintln!("stack of two more that join: {}", deepest(|| _ = step(&mut tasks)));
    board::tick();
    board::tick();
    hprintln!("stack of telling all three: {}", deepest(|| _ = step(&mut tasks)));
    hprintln!("the future of get: {}", size_of_val(&cache.get(&1)));
    (sum.get() == 4 + 303 && step(&mut tasks)).then_some(())
}

fn slot() -> Option<()> {
    let slot = LazySlot::builder(board::runtime()).fetch_fn(|_| async { Ok::<_, ()>(Loaded::new(7)) });
    fetches(&slot.ttl(TTL).build().ok()?)
}

fn fetches<R: Runtime>(slot: &LazySlot<u32, (), R>) -> Option<()> {
    let got = &Cell::new(0);
    let mut tasks = [Task::new(async {
        if let Ok(value) = slot.get().await {
            got.set(value);
        }
    })];
    hprintln!("stack of a fetch of a slot: {}", deepest(|| _ = step(&mut tasks)));
    (got.get() == 7).then_some(())
}

fn heap() -> Option<()> {
    for capacity in [16_u32, 128] {
        let before = board::heap();
        let builder = Cache::builder(board::runtime()).capacity(capacity.into()).hash_seed(7).ttl(TTL);
        let built = builder.load_fn(|key: u32| async move {
            board::sleep(key.into()).await;
            Ok::<_, ()>(key)
        });
        fill(&built.build().ok()?, capacity, before);
    }
    let before = board::heap();
    let cache = entries(|builder| builder.preallocate(64))?;
    let taken = board::heap() - before;
    hprintln!("an empty cache of 64, preallocated: {}", taken);
    let one = entries(|builder| builder.preallocate(1))?;
    let of_one = board::heap() - before - taken;
    drop(one);
    hprintln!("an entry beyond key and value, of 64 preallocated: {}", (taken - of_one).div_ceil(63) - OWN);
    grows(&cache, 64)?;
    drop(cache);
    is_refused()?;
    ends()
}

type Host = Local<NoTimer<Ticks>>;
type Plain = Builder<u32, u32, (), Host>;

/// A cache of plain entries, which expire.
fn entries(more: fn(Plain) -> Plain) -> Option<Cache<u32, u32, (), Host>> {
    more(Cache::builder(board::runtime()).hash_seed(7).ttl(TTL)).build().ok()
}

/// Preallocated, it takes no more, and holds as many as that.
fn grows<R: Runtime>(cache: &Cache<u32, u32, (), R>, entries: u32) -> Option<()> {
    let before = board::heap();
    (0..1000).for_each(|key| _ = cache.insert(key, key));
    (board::heap() == before && cache.len() == entries as usize).then_some(())
}

/// More than there is memory for is refused when it is built.
fn is_refused() -> Option<()> {
    let before = board::heap();
    let built = Cache::<u32, u32, (), _>::builder(board::runtime()).hash_seed(7).preallocate(10_000).build();
    (built.err() == Some(ConfigError::Memory) && board::heap() == before).then_some(())
}

/// The heap ends while a cache grows: values are refused, what is there is whole, and there is room when some have left.
fn ends() -> Option<()> {
    let cache = entries(|builder| builder)?;
    // All memory but a little is somebody else's.
    let mut others = Vec::<u8>::new();
    others.try_reserve_exact(board::SIZE - board::heap() - 2_500).ok()?;
    let stored = (0..200).filter(|key| cache.insert(*key, 3 * key).is_some()).count();
    let refused = cache.stats().refused;
    let are_whole =
        (0..200).filter_map(|key| Some((key, cache.get_if_present(&key)?))).all(|(key, value)| value == 3 * key);
    hprintln!("2500 bytes of heap are enough for {} of 200 entries; the others are refused", stored);
    let is_so = stored > 0 && stored == cache.len() && stored as u64 + refused == 200 && are_whole;
    drop(others);
    let comes = cache.insert(1000, 1).is_some() && cache.contains(&1000);
    (is_so && comes).then_some(())
}

fn fill<R: Runtime>(cache: &Cache<u32, u32, (), R>, capacity: u32, before: usize) {
    let empty = board::heap();
    (0..capacity).for_each(|key| _ = cache.insert(key, key));
    let full = board::heap();
    (0..8 * capacity).for_each(|key| _ = cache.insert(key, key));
    let churned = board::heap();
    let of_each = |bytes: usize| (bytes - empty).div_ceil(capacity as usize) - OWN;
    hprintln!("an empty cache of {}: {}", capacity, empty - before);
    hprintln!("an entry beyond key and value, of {}, full: {}", capacity, of_each(full));
    hprintln!("an entry beyond key and value, of {}, churned: {}", capacity, of_each(churned));
    let one = |key: u32| async move { _ = cache.get(&key).await };
    let mut tasks = [one(2000), one(2001), one(2002), one(2000)].map(Task::new);
    let names = [
        "the first load under way",
        "the second load under way",
        "the third load under way",
        "a second caller of a load",
    ];
    for (index, name) in names.into_iter().enumerate() {
        let before = board::heap();
        step(&mut tasks[index..=index]);
        hprintln!("{}, of {}: {}", name, capacity, board::heap() - before);
    }
}

/// Bytes of a key and a value.
const OWN: usize = 8;
