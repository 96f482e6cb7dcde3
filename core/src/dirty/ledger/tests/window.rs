//! Random operations with many reserved places: the entries that have to leave, compared with a look at all entries.

use super::*;
use crate::{
    dirty::{Entry, State, leaving::Stands},
    store::policy::tests::shelf::Random,
};

/// The least recently used entries have to leave, except for those that are passed over.
fn check(pages: &Pages) {
    let mut unpinned: Vec<&Entry<u32, u32>> =
        pages.entries.iter().map(|(_, entry)| entry).filter(|entry| entry.pins == 0).collect();
    unpinned.sort_by_key(|entry| entry.used);
    let stays = |entry: &&&Entry<u32, u32>| entry.stands != Stands::Aside;
    let wanted = (pages.len() + pages.reserved).saturating_sub(pages.capacity);
    let expected: Vec<_> = unpinned.iter().filter(stays).take(wanted).map(|entry| entry.used).collect();
    let is = |state: fn(State) -> bool| {
        let those = unpinned.iter().filter(move |entry| entry.stands == Stands::Leaves && state(entry.state));
        those.map(|entry| entry.used).collect::<Vec<_>>()
    };
    assert_eq!(is(|_| true), expected);
    assert!(pages.leaving.clean.keys().copied().eq(is(|state| state == State::Clean)));
    assert!(pages.leaving.dirty.keys().copied().eq(is(|state| matches!(state, State::Dirty(_)))));
    assert!(pages.leaving.flushing.keys().copied().eq(is(|state| state.is_flushing())));
    let idle = |entry: &&&Entry<u32, u32>| entry.stands == Stands::Idle && entry.state == State::Clean;
    assert_eq!(pages.leaving.idles, unpinned.iter().filter(idle).count());
    assert_eq!(pages.leaving.idle.back().is_some(), pages.leaving.idles > 0);
    assert!(pages.entries.iter().all(|(_, entry)| (entry.stands == Stands::Pinned) == (entry.pins > 0)));
    assert!(unpinned.iter().filter(|entry| entry.stands == Stands::Aside).all(|entry| entry.state != State::Clean));
    // Whatever is skipped is listed, or nothing would bring it back.
    let aside = pages.entries.iter().filter(|(_, entry)| entry.stands == Stands::Aside);
    assert!(aside.map(|(place, _)| place as u32).all(|place| pages.health.aside.contains(&place)));
}

/// D76 to D78, C116, C117.
#[test]
fn random_places() {
    for seed in 0..120 {
        let capacity = 1 + seed as usize % 12;
        let (mut pages, mut random, mut clear) = (pages(capacity), Random(seed + 1), 0);
        // Failures of which a caller has still to be told.
        let mut late = Vec::new();
        for step in 0..400_u32 {
            let keys: Vec<_> = pages.entries.iter().map(|(place, _)| place as u32).collect();
            let one = keys.get(random.below(keys.len().max(1) as u64) as usize).copied();
            match (random.below(13), one) {
                (0..3, _) => _ = pages.reserve(u64::from(step), None),
                (3, _) if pages.reserved > clear => _ = pages.give_back(false),
                (3, _) if clear > 0 => {
                    clear -= 1;
                    pages.give_back(true);
                }
                (4, Some(one)) => pages.pin(one),
                (5 | 6, Some(one)) if pages.entries[one as usize].pins > 0 => _ = pages.unpin(one),
                (7, Some(one)) => _ = pages.change(one, step, Instant::ZERO),
                (8, Some(one)) => {
                    let Entry { state, round, .. } = pages.entries[one as usize];
                    let now = Instant::from_nanos(u64::from(step) * 40_000_000);
                    match state {
                        State::Dirty(_) => _ = pages.begin_flush(one, round),
                        State::Flushing(since) | State::Again(since, _) => {
                            let is_written = random.below(3) == 0;
                            pages.end_flush(one, is_written);
                            if !is_written && random.below(4) > 0 {
                                pages.fail(since.number, round, now);
                                late.push((since.number, round));
                            }
                        }
                        State::Clean => {}
                    }
                }
                (9 | 10, _) if pages.reserved > 0 => {
                    let mut new = Some((1000 + step, step));
                    let is_clear = clear > 0;
                    let (placed, _) = pages.place(u64::from(1000 + step), &mut new, Origin::Loaded, is_clear);
                    if matches!(placed, Placed::At(..)) && is_clear {
                        clear -= 1;
                    }
                }
                (11, _) if pages.reserved > clear => {
                    let now = Instant::from_nanos(u64::from(step) * 40_000_000);
                    match pages.victim(false, &BTreeSet::new(), Some(now)) {
                        Victim::None => clear += 1,
                        Victim::At(place, since) => {
                            let entry = &pages.entries[place as usize];
                            assert!(entry.pins == 0 && entry.state.since().is_some_and(|is| is.number == since));
                        }
                        Victim::Failed => assert!(pages.health.is_bad()),
                        Victim::NoneLeft => {
                            assert!(pages.leaving.dirty.is_empty() && pages.leaving.flushing.is_empty())
                        }
                        Victim::Ask => panic!("the time is known"),
                    }
                }
                (12, _) if !late.is_empty() => {
                    let (since, round) = late.swap_remove(random.below(late.len() as u64) as usize);
                    pages.fail(since, round, Instant::from_nanos(u64::from(step) * 40_000_000));
                }
                _ => {}
            }
            check(&pages);
            assert!(pages.len() <= capacity);
        }
    }
}
