use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    Instant,
    dirty::{Delays, Ledger, Origin, Placed, Spoken, State},
};

type Pages = Ledger<u32, u32, u32>;

/// A ledger in which these keys are dirty, changed in this order and at these times; unpinned.
fn dirty(keys: &[(u32, u64)]) -> (Pages, Vec<u32>) {
    let mut pages = Pages::new(keys.len(), Delays::default());
    let places = keys
        .iter()
        .map(|(key, at)| {
            assert_eq!(pages.reserve(u64::from(*key), None), Spoken::Place);
            let mut new = Some((*key, key * 10));
            let origin = Origin::Changed(Instant::from_nanos(*at));
            match pages.place(u64::from(*key), &mut new, origin, false).0 {
                Placed::At(place, None) => {
                    pages.unpin(place);
                    place
                }
                _ => panic!("there is room"),
            }
        })
        .collect();
    (pages, places)
}

#[test]
fn in_the_order_of_changes() {
    let (mut pages, places) = dirty(&[(5, 0), (3, 0), (9, 0)]);
    pages.change(places[0], 1, Instant::ZERO);
    assert_eq!((pages.oldest(), pages.last_change()), (Some(1), 4));
    let (number, place) = pages.next_dirty(0, 4).expect("there is one");
    assert_eq!((number, place), (1, places[0]));
    assert_eq!(pages.next_dirty(1, 4), Some((2, places[1])));
    assert_eq!(pages.next_dirty(2, 2), None, "the next one is not meant");
    assert_eq!(pages.next_dirty(3, 4), None, "the second change of the first is in its old place");
    assert_eq!(pages.by_change(0).map(|(_, entry)| entry.key).collect::<Vec<_>>(), [5, 3, 9]);
}

#[test]
fn begun_once_in_each_round() {
    let (mut pages, places) = dirty(&[(1, 0)]);
    let round = pages.entry(places[0]).round;
    assert_eq!(pages.begin_flush(places[0], round + 1), None, "that is another round");
    assert_eq!(pages.begin_flush(places[0], round), Some(10));
    assert_eq!(pages.begin_flush(places[0], round), None, "it is being flushed");
    assert!(pages.flushing(0).is_some());
    pages.end_flush(places[0], true);
    assert!(pages.entry(places[0]).round != round && pages.flushing(0).is_none());
    assert_eq!((pages.dirty(), pages.oldest(), pages.due(places[0], 9)), (0, None, None));
}

/// C101: a call that waits for all flushes does not begin at the first entry again each time.
#[test]
fn what_is_being_flushed_is_looked_for_from_where_the_last_was() {
    let (mut pages, places) = dirty(&[(1, 0), (2, 0), (3, 0), (4, 0)]);
    let mut flush = |key: usize| {
        let round = pages.entry(places[key - 1]).round;
        assert!(pages.begin_flush(places[key - 1], round).is_some());
    };
    flush(3);
    flush(4);
    let found = |pages: &Pages, first| pages.flushing(first).map(|(since, entry)| (since, entry.key));
    assert_eq!((found(&pages, 0), found(&pages, 3)), (Some((3, 3)), Some((3, 3))));
    pages.end_flush(places[2], true);
    pages.looks.set(0);
    assert_eq!((found(&pages, 3), pages.looks.get()), (Some((4, 4)), 1), "the others are not looked at");
    pages.end_flush(places[3], true);
    let round = pages.entry(places[0]).round;
    assert!(pages.begin_flush(places[0], round).is_some());
    assert_eq!(found(&pages, 4), Some((1, 1)), "it was begun behind the search");
    pages.end_flush(places[0], false);
    assert_eq!((found(&pages, 4), found(&pages, 0)), (None, None));
}

#[test]
fn changed_meanwhile() {
    for (is_written, left) in [(true, 3), (false, 1)] {
        let (mut pages, places) = dirty(&[(1, 0), (2, 0)]);
        let round = pages.entry(places[0]).round;
        assert_eq!(pages.begin_flush(places[0], round), Some(10));
        assert_eq!(pages.change(places[0], 11, Instant::ZERO), 10);
        pages.change(places[0], 12, Instant::ZERO);
        pages.end_flush(places[0], is_written);
        assert_eq!(pages.due(places[0], u64::MAX), Some(left));
        assert_eq!((pages.due(places[0], left - 1), pages.dirty()), (None, 2));
        let first = if is_written { places[1] } else { places[0] };
        assert_eq!(pages.next_dirty(0, 9).map(|(_, place)| place), Some(first));
    }
}

#[test]
fn rounds_of_entries_that_have_left_are_not_used_again() {
    let (mut pages, places) = dirty(&[(1, 0)]);
    let round = pages.entry(places[0]).round;
    pages.begin_flush(places[0], round);
    pages.end_flush(places[0], true);
    pages.take_out(places[0]);
    assert_eq!(pages.reserve(1, None), Spoken::Place);
    let mut new = Some((1, 10));
    let Placed::At(place, _) = pages.place(1, &mut new, Origin::Loaded, false).0 else { panic!("there is room") };
    pages.change(place, 11, Instant::ZERO);
    assert_eq!(pages.begin_flush(place, round), None);
}

/// The number of the last change that has been dirty for at least this long.
fn last_older_than(pages: &Pages, age: Duration, now: Instant) -> u64 {
    let (mut last, mut after) = (0, None);
    loop {
        let (number, more) = pages.older_than(age, now, after);
        (last, after) = (last.max(number), more);
        if after.is_none() {
            return last;
        }
    }
}

/// D49: a step looks at a few hundred changes, in the order of their times.
#[test]
fn d49_many_old_changes() {
    let keys: Vec<_> = (1..=1000).map(|key| (key, u64::from(1001 - key))).collect();
    let (pages, _) = dirty(&keys);
    let (number, more) = pages.older_than(Duration::ZERO, Instant::from_nanos(990), None);
    assert_eq!((number, more.map(|change| (change.at, change.number))), (1000, Some((Instant::from_nanos(256), 745))));
    let looked = (0..).scan(None, |after, _| {
        let (_, more) = pages.older_than(Duration::ZERO, Instant::from_nanos(990), *after);
        *after = more;
        more
    });
    assert_eq!(looked.count(), 3);
    assert_eq!(last_older_than(&pages, Duration::from_nanos(500), Instant::from_nanos(600)), 1000);
}

#[test]
fn by_age() {
    let (mut pages, places) = dirty(&[(1, 100), (2, 200), (3, 150), (4, 300)]);
    let last = |pages: &Pages, age, now| last_older_than(pages, Duration::from_nanos(age), Instant::from_nanos(now));
    assert_eq!(pages.oldest_at(), Some(Instant::from_nanos(100)));
    assert_eq!((last(&pages, 50, 149), last(&pages, 50, 150)), (0, 1));
    assert_eq!(last(&pages, 50, 200), 3, "the second is older than the third, whatever its stamp says (D4)");
    assert_eq!((last(&pages, 50, 250), last(&pages, 0, 1000)), (3, 4));
    assert_eq!(last(&pages, u64::MAX, u64::MAX - 1), 0);
    assert_eq!(pages.entry(places[0]).state, State::Dirty(pages.entry(places[0]).state.since().expect("dirty")));
    pages.take_all();
    assert_eq!((pages.oldest_at(), last(&pages, 0, 1000)), (None, 0));
}

/// D4: a stamp that lies ahead, because the clock has jumped back, hides no later change that is due.
#[test]
fn d4_a_stamp_that_lies_ahead() {
    let at = |nanos| Instant::from_nanos(nanos);
    let (mut pages, places) = dirty(&[(1, 1000), (2, 10), (3, 60)]);
    assert_eq!(pages.oldest_at(), Some(at(10)));
    let age = Duration::from_nanos(100);
    assert_eq!([109, 110, 159, 160].map(|now| last_older_than(&pages, age, at(now))), [0, 2, 2, 3]);
    // An entry changed while it is written has two stamps: the second may be the earlier one.
    let round = pages.entry(places[0]).round;
    assert!(pages.begin_flush(places[0], round).is_some());
    pages.change(places[0], 7, at(5));
    assert_eq!((pages.oldest_at(), last_older_than(&pages, age, at(105))), (Some(at(5)), 4));
    pages.end_flush(places[0], false);
    assert_eq!((pages.oldest_at(), last_older_than(&pages, age, at(105))), (Some(at(10)), 0), "one change again");
    let round = pages.entry(places[0]).round;
    assert!(pages.begin_flush(places[0], round).is_some());
    pages.change(places[0], 8, at(5));
    pages.end_flush(places[0], true);
    assert_eq!((pages.oldest_at(), last_older_than(&pages, age, at(105))), (Some(at(5)), 5));
    pages.take_out(places[0]);
    assert_eq!(pages.oldest_at(), Some(at(10)));
    pages.take_all();
    assert_eq!((pages.oldest_at(), last_older_than(&pages, age, Instant::NEVER)), (None, 0));
}
