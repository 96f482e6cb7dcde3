//! Single cases, and random operations compared with a plain model.
use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::time::Duration;

use super::{Ledger, Origin, Placed, Spoken};
use crate::{
    Instant,
    dirty::{Delays, Grant, Ticket, Victim},
};

mod failing;
mod model;
mod window;

type Pages = Ledger<u32, u32, u32>;

/// An empty ledger.
fn pages(capacity: usize) -> Pages {
    let (first, cap) = (Duration::from_millis(100), Duration::from_secs(5));
    Pages::new(capacity, Delays { first, cap })
}

/// The victim that has to be flushed now, by any caller.
fn victim(pages: &mut Pages, is_clear: bool) -> Victim {
    pages.victim(is_clear, &BTreeSet::new(), Some(Instant::ZERO))
}

/// Loads a key into a reserved place; returns the place, and the key that has left for it.
fn load(pages: &mut Pages, key: u32) -> (u32, Option<u32>) {
    assert_eq!(pages.reserve(u64::from(key), None), Spoken::Place);
    place(pages, key, Origin::Loaded)
}

fn place(pages: &mut Pages, key: u32, origin: Origin) -> (u32, Option<u32>) {
    let mut new = Some((key, key * 10));
    match pages.place(u64::from(key), &mut new, origin, false).0 {
        Placed::At(place, left) => (place, left.map(|(key, _)| key)),
        _ => panic!("{key} has no place"),
    }
}

/// A full ledger of this many keys from 1 on, unpinned and clean; the first is the least recently used.
fn full(capacity: u32) -> (Pages, Vec<u32>) {
    let mut pages = pages(capacity as usize);
    let places: Vec<_> = (1..=capacity).map(|key| load(&mut pages, key).0).collect();
    places.iter().for_each(|place| assert!(pages.unpin(*place).is_empty()));
    (pages, places)
}

/// A new caller queues for a key of this hash.
fn queue(pages: &mut Pages, hash: u64) -> Ticket {
    let ticket = pages.draw(true);
    assert_eq!(pages.reserve(hash, Some(ticket)), Spoken::Queued);
    ticket
}

#[test]
fn what_is_spoken_for_and_pinned_is_bounded() {
    let mut pages = pages(2);
    let (first, _) = load(&mut pages, 1);
    assert_eq!(pages.reserve(2, None), Spoken::Place);
    assert_eq!(pages.reserve(3, None), Spoken::Nothing);
    assert_eq!((pages.len(), pages.pinned()), (1, 1));
    pages.give_back(false);
    assert_eq!(pages.reserve(3, None), Spoken::Place);
    pages.unpin(first);
    assert_eq!(pages.reserve(4, None), Spoken::Place);
}

#[test]
fn who_waits_goes_before_who_comes() {
    let (mut pages, places) = full(1);
    pages.pin(places[0]);
    let first = queue(&mut pages, 2);
    let second = queue(&mut pages, 3);
    assert_eq!((pages.wait(first, 1), pages.wait(second, 2)), (Grant::Waits(None), Grant::Waits(None)));
    assert_eq!(pages.unpin(places[0]), [1]);
    assert_eq!(pages.reserve(4, None), Spoken::Nothing, "that place is the first one's");
    // This caller does not need it.
    assert_eq!(pages.leave_queue(first), (None, vec![2]));
    assert_eq!(pages.wait(second, 2), Grant::Granted(2));
    assert_eq!(pages.give_back(false), Vec::<u32>::new());
    assert_eq!(pages.reserve(4, None), Spoken::Place);
}

#[test]
fn who_leaves_the_queue_frees_no_place() {
    let (mut pages, places) = full(1);
    pages.pin(places[0]);
    let (first, second) = (queue(&mut pages, 2), queue(&mut pages, 3));
    pages.wait(first, 1);
    assert_eq!(pages.leave_queue(first), (Some(1), vec![]));
    assert_eq!(pages.wait(second, 2), Grant::Waits(None));
}

#[test]
fn who_waits_is_called_when_his_key_comes() {
    let (mut pages, places) = full(1);
    pages.pin(places[0]);
    let waits = queue(&mut pages, 7);
    assert_eq!(pages.wait(waits, 1), Grant::Waits(None));
    assert_eq!(pages.room.call(8), vec![]);
    assert_eq!(pages.room.call(7), vec![1]);
    assert_eq!(pages.wait(waits, 1), Grant::Called(1));
    // A caller that comes after the key was placed looks once more before it sleeps.
    let hit = queue(&mut pages, 1);
    assert_eq!((pages.wait(hit, 3), pages.wait(hit, 3)), (Grant::Called(3), Grant::Waits(None)));
    let other = queue(&mut pages, 7);
    assert_eq!(pages.wait(other, 4), Grant::Waits(None));
}

#[test]
fn the_one_that_was_not_in_use_for_the_longest_leaves() {
    let (mut pages, places) = full(3);
    pages.pin(places[0]);
    pages.unpin(places[0]);
    assert_eq!(load(&mut pages, 4).1, Some(2));
    assert_eq!(load(&mut pages, 5).1, Some(3));
    assert_eq!(load(&mut pages, 6).1, Some(1));
    assert_eq!((pages.len(), pages.pinned(), pages.find(2, |key| *key == 2)), (3, 3, None));
}

#[test]
fn a_pinned_one_never_leaves() {
    let (mut pages, places) = full(2);
    assert_eq!((pages.reserve(3, None), pages.reserve(4, None)), (Spoken::Place, Spoken::Place));
    pages.pin(places[0]);
    assert_eq!(place(&mut pages, 3, Origin::Loaded).1, Some(2));
    let mut new = Some((4, 40));
    assert!(matches!(pages.place(4, &mut new, Origin::Loaded, false).0, Placed::Full));
    assert_eq!((new, pages.len()), (Some((4, 40)), 2));
}

#[test]
fn what_is_dirty_is_cleaned_first() {
    let (mut pages, places) = full(2);
    pages.change(places[0], 11, Instant::ZERO);
    assert_eq!(pages.reserve(3, None), Spoken::Place);
    assert_eq!(victim(&mut pages, false), Victim::At(places[0], 1));
    let mut new = Some((3, 30));
    assert!(matches!(pages.place(3, &mut new, Origin::Loaded, false).0, Placed::Dirty));
    let round = pages.entry(places[0]).round;
    pages.begin_flush(places[0], round);
    pages.end_flush(places[0], true);
    assert_eq!(victim(&mut pages, false), Victim::None);
    assert!(matches!(pages.place(3, &mut new, Origin::Loaded, true).0, Placed::At(_, Some((1, 11)))));
    assert_eq!((new, pages.dirty()), (None, 0));
}

#[test]
fn each_cleans_one() {
    let (mut pages, places) = full(4);
    for place in &places[..3] {
        pages.change(*place, 9, Instant::ZERO);
    }
    let flush = |pages: &mut Pages, place: u32| {
        let round = pages.entry(place).round;
        assert!(pages.begin_flush(place, round).is_some());
    };
    for key in 5..8 {
        assert_eq!(pages.reserve(key, None), Spoken::Place);
    }
    for first in &places[..3] {
        assert!(matches!(victim(&mut pages, false), Victim::At(place, _) if place == *first));
        flush(&mut pages, *first);
    }
    assert!(matches!(victim(&mut pages, false), Victim::At(place, _) if place == places[0]), "to be waited for");
    pages.end_flush(places[0], true);
    // One of them can go on; the others wait for their own victims.
    assert_eq!(victim(&mut pages, false), Victim::None);
    assert!(matches!(victim(&mut pages, false), Victim::At(place, _) if place == places[1]));
    assert_eq!(victim(&mut pages, true), Victim::None, "whose way is clear, is not asked for more");
}

#[test]
fn a_key_that_has_come_meanwhile() {
    let mut pages = pages(2);
    let (at, _) = load(&mut pages, 1);
    assert_eq!(pages.reserve(1, None), Spoken::Place);
    let mut new = Some((1, 99));
    let (placed, _) = pages.place(1, &mut new, Origin::Loaded, false);
    assert!(matches!(placed, Placed::Present(place) if place == at));
    assert_eq!((new, pages.entry(at).pins, pages.entry(at).value), (Some((1, 99)), 2, 10));
    assert_eq!(pages.reserve(2, None), Spoken::Place, "the place has been given back");
}

#[test]
fn what_was_written_since_is_void() {
    let mut pages = pages(3);
    assert_eq!((pages.reserve(1, None), pages.reserve(1, None)), (Spoken::Place, Spoken::Place));
    let (at, _) = place(&mut pages, 1, Origin::Changed(Instant::ZERO));
    pages.unpin(at);
    let mut new = Some((1, 10));
    assert!(matches!(pages.place(1, &mut new, Origin::Outdated, false).0, Placed::Present(_)));
    pages.unpin(at);
    assert_eq!(pages.reserve(1, None), Spoken::Place);
    pages.take_out(at);
    assert!(matches!(pages.place(1, &mut new, Origin::Outdated, false).0, Placed::Void));
    assert!(matches!(pages.place(1, &mut new, Origin::Loaded, false).0, Placed::At(..)));
}

#[test]
fn all_are_taken_out() {
    let (mut pages, places) = full(3);
    pages.change(places[1], 9, Instant::ZERO);
    let gone = pages.take_all();
    assert_eq!((gone.into_entries().count(), pages.len(), pages.dirty(), pages.oldest()), (3, 0, 0, None));
    for key in [1, 2] {
        load(&mut pages, key);
    }
    assert_eq!((pages.len(), pages.pinned_keys(0).0.len()), (2, 2));
}

/// What was passed over is forgotten with the entries: its places are those of others now.
#[test]
fn nothing_is_passed_over_after_that() {
    let (mut pages, places) = full(3);
    pages.change(places[1], 9, Instant::ZERO);
    pages.fail(pages.last_change(), 1, Instant::ZERO);
    assert_eq!(pages.health.aside, [places[1]]);
    drop(pages.take_all());
    assert!(pages.health.aside.is_empty());
}

/// D49: what is being flushed is found without a look at what is not.
#[test]
fn d49_finding_what_is_being_flushed() {
    let (mut pages, places) = full(1000);
    places.iter().for_each(|place| _ = pages.change(*place, 9, Instant::ZERO));
    let looks = pages.looks.get();
    assert!(pages.flushing(0).is_none());
    let round = pages.entry(places[900]).round;
    assert!(pages.begin_flush(places[900], round).is_some());
    assert_eq!(pages.flushing(0).map(|(since, entry)| (since, entry.key)), Some((901, 901)));
    assert_eq!(pages.flushing(950).map(|(since, _)| since), Some(901));
    assert!(pages.looks.get() - looks < 10);
    pages.end_flush(places[900], false);
    assert!(pages.flushing(0).is_none());
}

#[test]
fn pinned_keys() {
    let (mut pages, places) = full(3);
    assert_eq!(pages.pinned_keys(0), (vec![], None));
    pages.pin(places[1]);
    pages.pin(places[1]);
    pages.unpin(places[1]);
    assert_eq!((pages.pinned_keys(0), pages.pinned()), ((vec![2], None), 1));
    let (mut pages, places) = full(600);
    [0, 256, 599].into_iter().for_each(|nth: usize| pages.pin(places[nth]));
    let (mut pinned, mut next, mut steps) = (vec![], Some(0), 0);
    while let Some(first) = next {
        let (more, rest) = pages.pinned_keys(first);
        pinned.extend(more);
        (next, steps) = (rest, steps + 1);
    }
    assert_eq!(pinned, [1, 257, 600]);
    assert!(steps >= 3);
}

/// The oldest entry is being flushed: this blocks no caller if another of the entries that have to leave can leave.
#[test]
fn whichever_is_clean_first_leaves() {
    let (mut pages, places) = full(3);
    pages.change(places[0], 9, Instant::ZERO);
    let round = pages.entry(places[0]).round;
    assert!(pages.begin_flush(places[0], round).is_some());
    assert_eq!(pages.reserve(4, None), Spoken::Place);
    assert!(matches!(victim(&mut pages, false), Victim::At(place, _) if place == places[0]), "it has to leave");
    assert_eq!(pages.reserve(5, None), Spoken::Place);
    assert_eq!(victim(&mut pages, false), Victim::None);
    assert!(matches!(victim(&mut pages, false), Victim::At(place, _) if place == places[0]), "one is clean, for one");
    let mut new = Some((5, 50));
    assert!(matches!(pages.place(5, &mut new, Origin::Loaded, true).0, Placed::At(_, Some((2, 20)))));
    let mut new = Some((4, 40));
    assert!(matches!(pages.place(4, &mut new, Origin::Loaded, false).0, Placed::Dirty));
}

/// The cost of finding a victim, in visited entries, does not depend on the number of entries.
#[test]
fn i10_finding_a_victim() {
    let looks = [100, 10_000].map(|capacity| {
        let (mut pages, places) = full(capacity);
        // Some are in use, some dirty, and one is passed over.
        places.iter().skip(9).step_by(3).for_each(|place| pages.pin(*place));
        places.iter().skip(10).step_by(3).for_each(|place| _ = pages.change(*place, 9, Instant::ZERO));
        pages.change(places[0], 9, Instant::ZERO);
        let since = pages.oldest().expect("it is dirty");
        let before = pages.looks.get();
        assert_eq!(pages.reserve(0, None), Spoken::Place);
        assert_eq!(victim(&mut pages, false), Victim::At(places[0], pages.last_change()));
        pages.fail(since.max(pages.last_change()), 1, Instant::ZERO);
        assert_eq!(victim(&mut pages, false), Victim::None);
        let mut new = Some((0, 0));
        assert!(matches!(pages.place(0, &mut new, Origin::Loaded, true).0, Placed::At(_, Some((2, 20)))));
        pages.looks.get() - before
    });
    assert_eq!(looks[0], looks[1]);
}
