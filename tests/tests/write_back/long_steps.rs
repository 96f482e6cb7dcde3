//! What a call that concerns many entries does under the lock, which other callers wait for.

use larder::{ManualClock, Room, WriteBack, WriteBackError, parts::Memory};
use larder_tests::*;

/// A cache of so many entries, all of them dirty since the same time; a flush writes one at once.
fn dirty(entries: u32) -> WriteBack<u32, u32, larder::parts::NotThere, Counted> {
    let runtime = Counted::new(ManualClock::new());
    let builder = WriteBack::builder(runtime, Memory::new()).capacity(entries as usize).flush_limit(1);
    let cache = builder.build().expect("valid");
    for key in 0..entries {
        drop(wakers::now(cache.insert(key, key, Room::Wait)).expect("there is room"));
    }
    cache
}

/// D49, D43: all entries are taken out in one step, and what held them is emptied outside.
#[test]
fn d49_invalidating_many() {
    let cache = dirty(20_000);
    let most = most_moved(|| wakers::now(cache.invalidate()).expect("nothing is pinned"));
    assert!(most < 10_000, "{most} bytes in one step");
    assert!(cache.is_empty() && cache.dirty() == 0);
}

/// D83, D49: the keys that are pinned are told a few hundred at a time.
#[test]
fn d83_telling_what_is_pinned() {
    let cache = dirty(20_000);
    let pinned: Vec<_> = (0..20_000).step_by(2).map(|key| cache.try_get(&key).expect("it is there")).collect();
    let tells = || {
        let Err(WriteBackError::Pinned(keys)) = wakers::now(cache.invalidate()) else { panic!("they are pinned") };
        assert!(keys.into_iter().eq((0..20_000).step_by(2)));
    };
    let ((), steps) = Steps::of(tells);
    let most = most_moved(tells);
    assert!(steps.locks >= 20_000 / 500 && most < 10_000, "{steps:?}, {most} bytes in one");
    drop(pinned);
    wakers::now(cache.invalidate()).expect("nothing is pinned");
}

/// D49: old changes are looked at a few hundred at a time.
#[test]
fn d49_looking_for_old_changes() {
    let steps = [100, 20_000].map(|entries| {
        let cache = dirty(entries);
        let (flushed, steps) = Steps::of(|| wakers::now(cache.flush_older_than(Duration::ZERO)));
        flushed.expect("it works");
        assert_eq!(cache.dirty(), 0);
        steps.locks
    });
    // Beside the steps that each flush takes.
    let each = (steps[0] - 1) / 100;
    let looks = [steps[0] - 100 * each, steps[1] - 20_000 * each];
    assert!(looks[0] < 10 && looks[1] >= 20_000 / 500, "{looks:?}");
}
