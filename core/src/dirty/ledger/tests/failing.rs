//! Victims that cannot be flushed, and many searches at once.

use super::*;
use crate::dirty::health::{AT_ONCE, TRIES};

const NOBODY: &BTreeSet<u64> = &BTreeSet::new();

fn at(ms: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_millis(ms))
}

/// A full ledger of this many keys from 1 on, unpinned and dirty, and one reserved place.
fn dirty(capacity: u32) -> (Pages, Vec<u32>) {
    let (mut pages, places) = full(capacity);
    places.iter().for_each(|place| _ = pages.change(*place, 9, Instant::ZERO));
    assert_eq!(pages.reserve(0, None), Spoken::Place);
    (pages, places)
}

/// Begins the flush of a victim; returns its round.
fn begin(pages: &mut Pages, place: u32) -> u64 {
    let round = pages.entry(place).round;
    assert!(pages.begin_flush(place, round).is_some());
    round
}

/// Makes the flush of what is dirty since that change fail.
fn fails(pages: &mut Pages, place: u32, since: u64, now: Instant) {
    let round = begin(pages, place);
    pages.end_flush(place, false);
    pages.fail(since, round, now);
}

/// C116, D78: a few are tried, the oldest first; then none until the delay has passed.
#[test]
fn c116_a_few_are_tried() {
    let (mut pages, places) = dirty(1000);
    for next in &places[..TRIES] {
        let Victim::At(place, since) = pages.victim(false, NOBODY, Some(at(0))) else { panic!("{next}") };
        assert_eq!(place, *next);
        fails(&mut pages, place, since, at(0));
    }
    for (now, expected) in [(None, Victim::Ask), (Some(at(0)), Victim::Failed), (Some(at(99)), Victim::Failed)] {
        assert_eq!(pages.victim(false, NOBODY, now), expected);
    }
    // Then one that was not tried yet.
    let Victim::At(place, since) = pages.victim(false, NOBODY, Some(at(100))) else { panic!("the delay has passed") };
    assert_eq!(place, places[TRIES]);
    let round = begin(&mut pages, place);
    assert_eq!(pages.victim(false, NOBODY, Some(at(100))), Victim::At(place, since), "all wait for that");
    pages.end_flush(place, false);
    pages.fail(since, round, at(110));
    assert_eq!(pages.victim(false, NOBODY, Some(at(309))), Victim::Failed);
    let Victim::At(place, _) = pages.victim(false, NOBODY, Some(at(310))) else { panic!("the delay has passed") };
    // A flush works again, by any caller. The flushed entry leaves, and then the order of use is as before.
    begin(&mut pages, place);
    pages.end_flush(place, true);
    assert!(!pages.health.is_bad());
    assert_eq!(victim(&mut pages, false), Victim::None);
    let mut new = Some((5000, 5));
    assert!(matches!(pages.place(5000, &mut new, Origin::Loaded, true).0, Placed::At(_, Some((6, 9)))));
    assert_eq!(pages.reserve(0, None), Spoken::Place);
    assert_eq!(victim(&mut pages, false), Victim::At(places[0], 1));
}

/// D78: flushes that fail together count for four rounds; what the others failed at keeps its place in the order of use.
#[test]
fn d78_more_fail_together_than_count() {
    let (mut pages, places) = dirty(6);
    (1..5).for_each(|_| assert_eq!(pages.reserve(0, None), Spoken::Place));
    let begun: Vec<_> = (0..5).map(|nth| (begin(&mut pages, places[nth]), nth as u64 + 1)).collect();
    for (place, (round, since)) in places.iter().zip(begun) {
        pages.end_flush(*place, false);
        pages.fail(since, round, at(10));
    }
    let Victim::At(next, _) = pages.victim(false, NOBODY, Some(at(110))) else { panic!("the delay has passed") };
    assert_eq!(next, places[4]);
}

/// D78: a caller that is told late of a failure, when the entry is tried again, does not make others skip it.
#[test]
fn d78_a_failure_that_is_told_late() {
    let (mut pages, places) = dirty(1);
    let round = begin(&mut pages, places[0]);
    pages.end_flush(places[0], false);
    pages.fail(1, round, at(0));
    assert_eq!(pages.victim(false, NOBODY, Some(at(0))), Victim::Failed, "all have failed");
    assert_eq!(pages.victim(false, NOBODY, Some(at(100))), Victim::At(places[0], 1), "it is tried again");
    pages.fail(1, round, at(100));
    assert_eq!(pages.victim(false, NOBODY, Some(at(100))), Victim::At(places[0], 1));
}

/// C116, D78: clean entries leave first, wherever they are in the order.
#[test]
fn c116_clean_ones_first() {
    let (mut pages, places) = full(100);
    places[..99].iter().for_each(|place| _ = pages.change(*place, 9, Instant::ZERO));
    assert_eq!((pages.reserve(0, None), pages.reserve(0, None)), (Spoken::Place, Spoken::Place));
    assert_eq!(victim(&mut pages, false), Victim::At(places[0], 1), "before that, the order of use counts");
    fails(&mut pages, places[0], 1, at(0));
    assert_eq!(victim(&mut pages, false), Victim::None);
    assert_eq!(victim(&mut pages, false), Victim::At(places[1], 2), "that is one for one");
    let mut new = Some((500, 5));
    assert!(matches!(pages.place(500, &mut new, Origin::Loaded, true).0, Placed::At(_, Some((100, 1000)))));
    assert_eq!(victim(&mut pages, false), Victim::At(places[1], 2));
}

/// C116: if there are fewer, all of them are tried; pinned ones cannot be.
#[test]
fn c116_all_that_can_be_tried() {
    let (mut pages, places) = dirty(3);
    pages.pin(places[1]);
    assert_eq!(victim(&mut pages, false), Victim::At(places[0], 1));
    fails(&mut pages, places[0], 1, at(0));
    assert_eq!(victim(&mut pages, false), Victim::At(places[2], 3));
    fails(&mut pages, places[2], 3, at(0));
    assert_eq!(pages.victim(false, NOBODY, None), Victim::Ask);
    assert_eq!(pages.victim(false, NOBODY, Some(at(7))), Victim::Failed);
    assert_eq!(pages.victim(false, NOBODY, Some(at(106))), Victim::Failed);
    // All of them have been tried, so they are tried again.
    assert_eq!(pages.victim(false, NOBODY, Some(at(107))), Victim::At(places[0], 1));
    pages.pin(places[0]);
    pages.pin(places[2]);
    assert_eq!(pages.victim(false, NOBODY, Some(at(107))), Victim::NoneLeft);
}

/// C116: a limited number at once while nothing is known, and all of them once one has succeeded.
#[test]
fn c116_with_care_at_first() {
    let (mut pages, _) = dirty(100);
    (1..50).for_each(|_| assert_eq!(pages.reserve(0, None), Spoken::Place));
    let mut first = None;
    for _ in 0..AT_ONCE {
        let Victim::At(place, _) = victim(&mut pages, false) else { panic!("there is one") };
        begin(&mut pages, place);
        first = first.or(Some(place));
    }
    let first = first.expect("there is one");
    let Victim::At(waited, since) = victim(&mut pages, false) else { panic!("there is one") };
    assert_eq!(waited, first, "that is waited for");
    // A call from inside this flush cannot wait for it.
    let inside = BTreeSet::from([since]);
    assert!(matches!(pages.victim(false, &inside, None), Victim::At(place, _) if place != first));
    pages.end_flush(first, true);
    assert_eq!(victim(&mut pages, false), Victim::None);
    for _ in AT_ONCE..49 {
        let Victim::At(place, _) = victim(&mut pages, false) else { panic!("there is one") };
        assert!(!pages.entry(place).state.is_flushing());
        begin(&mut pages, place);
    }
}

/// C117: the search for a victim costs the same whatever other callers have claimed, clean or dirty, failing or not.
#[test]
fn c117_the_cost_of_a_miss() {
    for (is_dirty, fail) in [(false, false), (true, false), (true, true)] {
        let looks = [250, 4000].map(|count| {
            let (mut pages, places) = full(count);
            if is_dirty {
                places.iter().for_each(|place| _ = pages.change(*place, 9, Instant::ZERO));
            }
            let before = pages.looks.get();
            let mut begun = Vec::new();
            for key in 0..count {
                assert_eq!(pages.reserve(u64::from(key), None), Spoken::Place);
                match victim(&mut pages, false) {
                    Victim::At(place, since) if pages.entry(place).state.is_flushing() => assert!(since <= 8),
                    Victim::At(place, since) if fail => fails(&mut pages, place, since, at(0)),
                    Victim::At(place, _) => {
                        begin(&mut pages, place);
                        begun.push(place);
                    }
                    Victim::Failed => assert!(fail),
                    other => assert_eq!((other, is_dirty), (Victim::None, false)),
                }
            }
            // They are written one after another, and each belongs to one caller.
            while let Some(place) = begun.pop() {
                pages.end_flush(place, true);
                assert_eq!(victim(&mut pages, false), Victim::None);
                if let Victim::At(place, _) = victim(&mut pages, false) {
                    if !pages.entry(place).state.is_flushing() {
                        begin(&mut pages, place);
                        begun.push(place);
                    }
                }
            }
            for key in 0..if fail { 0 } else { count } {
                let mut new = Some((10_000 + key, 1));
                let (placed, _) = pages.place(u64::from(10_000 + key), &mut new, Origin::Loaded, true);
                let Placed::At(place, Some(_)) = placed else { panic!("{key}") };
                pages.unpin(place);
            }
            (pages.looks.get() - before) / count as usize
        });
        assert!(looks[0].abs_diff(looks[1]) <= 1, "{looks:?}, {is_dirty}, {fail}");
    }
}
