//! How many locks a miss takes: those of the runtime, around the cache and around lists of wakers.

use larder::{ManualClock, Room, WriteBack, parts::Memory};
use larder_tests::*;

type Cache = WriteBack<u32, u32, larder::parts::NotThere, Counted>;

fn cache(capacity: usize) -> Cache {
    let disk = Memory::from([(1, 10), (2, 20)]);
    WriteBack::builder(Counted::new(ManualClock::new()), disk).capacity(capacity).build().expect("valid")
}

/// Loads a key and unpins it; returns how many locks each step took.
fn miss(cache: &Cache, key: u32, room: Room) -> (u64, u64) {
    let (page, loading) = Steps::of(|| wakers::now(cache.get_or_load_with(&key, room)).expect("there is room"));
    assert!(loading.readings <= 2, "{loading:?}");
    (loading.locks, Steps::of(|| drop(page)).1.locks)
}

#[test]
fn a_miss() {
    for room in [Room::Wait, Room::Try] {
        let cache = cache(1);
        assert_eq!(miss(&cache, 1, room), (FREE, 1), "a free place");
        assert_eq!(miss(&cache, 1, room), (1, 1), "a hit");
        assert_eq!(miss(&cache, 2, room), (CLEAN, 1), "a clean victim");
        wakers::now(cache.get_or_load(&2)).expect("it is there").set(7);
        assert_eq!(miss(&cache, 1, room), (DIRTY, 1), "a dirty victim");
    }
}

/// Look, reserve a place and take a seat in the load; then store the value, pinned, and notify.
const FREE: u64 = 2;

/// The same: the victim is found in the first step, and leaves in the second.
const CLEAN: u64 = FREE;

/// Beside these: fix the value and take a seat in its flush; note that it is written, and notify; look for room.
const DIRTY: u64 = FREE + 3;
