//! Tells how many bytes of stack calls take, and how many bytes of heap a cache.
#![no_std]
#![no_main]

use core::cell::Cell;

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use larder::{Cache, LazySlot, Loaded, Runtime};
use larder_cortex_m::{TTL, board, stack::deepest};
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
    hprintln!("nothing, for comparison: stack {}", deepest(|| {}));
    hprintln!("insert: stack {}", deepest(|| _ = cache.insert(3, 3)));
    hprintln!("a miss that is ready: stack {}", deepest(|| _ = step(&mut tasks[..1])));
    hprintln!("another: stack {}", deepest(|| _ = step(&mut tasks[1..2])));
    hprintln!("a hit: stack {}", deepest(|| _ = step(&mut tasks[2..])));
    hprintln!("get_if_present: stack {}", deepest(|| _ = cache.get_if_present(&1)));
    let mut tasks = [Task::new(one(101)), Task::new(one(101)), Task::new(one(101))];
    hprintln!("a miss that waits: stack {}", deepest(|| _ = step(&mut tasks[..1])));
    hprintln!("two more join: stack {}", deepest(|| _ = step(&mut tasks)));
    board::tick();
    board::tick();
    hprintln!("all are told: stack {}", deepest(|| _ = step(&mut tasks)));
    hprintln!("size of the future of get: {}", size_of_val(&cache.get(&1)));
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
    hprintln!("a fetch of a slot: stack {}", deepest(|| _ = step(&mut tasks)));
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
    Some(())
}

fn fill<R: Runtime>(cache: &Cache<u32, u32, (), R>, capacity: u32, before: usize) {
    let empty = board::heap();
    (0..capacity).for_each(|key| _ = cache.insert(key, key));
    let full = board::heap();
    (0..8 * capacity).for_each(|key| _ = cache.insert(key, key));
    let churned = board::heap();
    let of_each = |bytes| (bytes - empty) / capacity as usize;
    hprintln!("a cache of {}, empty: heap {}", capacity, empty - before);
    hprintln!("each entry of it: heap {} full, {} churned", of_each(full), of_each(churned));
    let one = |key: u32| async move { _ = cache.get(&key).await };
    let mut tasks = [one(2000), one(2001), one(2002), one(2000)].map(Task::new);
    for (index, name) in ["first", "second", "third", "joining the first"].into_iter().enumerate() {
        let before = board::heap();
        step(&mut tasks[index..=index]);
        hprintln!("a load that waits, {}: heap {}", name, board::heap() - before);
    }
}
