//! A walk over rows that come and go meets each that stays once.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::*;
use crate::store::policy::tests::shelf::Random;

/// C113: whatever comes, goes and moves meanwhile.
#[test]
fn c113_what_stays_is_met_once_by_each_walk() {
    for seed in 1..200 {
        let mut random = Random(seed);
        let (mut walks, mut rows, mut next) = (Walks::default(), (0..40_u64).collect::<Vec<_>>(), 40);
        // For each walk: what has stayed since it began, and what it has met.
        let mut under_way: BTreeMap<u32, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
        for _ in 0..300 {
            match random.below(8) {
                0 if under_way.len() < 4 => {
                    let id = walks.begin(None, rows.len() as u32);
                    under_way.insert(id, (rows.clone(), vec![]));
                }
                1 | 2 if !under_way.is_empty() => {
                    let id = *under_way.keys().nth(random.below(under_way.len() as u64) as usize).expect("one of them");
                    let below = walks.below(id).expect("it is under way");
                    let top = *below;
                    *below = top.saturating_sub(1 + random.below(5) as u32);
                    under_way.get_mut(&id).expect("it").1.extend(&rows[*below as usize..top as usize]);
                    if *below == 0 {
                        walks.end(id);
                        let (stayed, mut met) = under_way.remove(&id).expect("it");
                        met.sort_unstable();
                        assert!(met.windows(2).all(|two| two[0] != two[1]), "nothing is met twice");
                        assert!(stayed.iter().all(|row| met.binary_search(row).is_ok()), "what stayed was met");
                    }
                }
                3..6 if !rows.is_empty() => {
                    let mut gap = random.below(rows.len() as u64) as u32;
                    let gone = rows[gap as usize];
                    while let Some(from) = walks.bridge(gap) {
                        rows.swap(from as usize, gap as usize);
                        gap = from;
                    }
                    assert_eq!(rows.swap_remove(gap as usize), gone);
                    under_way.values_mut().for_each(|(stayed, _)| stayed.retain(|row| *row != gone));
                }
                _ => {
                    rows.push(next);
                    next += 1;
                }
            }
        }
    }
}

#[test]
fn nothing_is_kept_of_walks_that_have_ended() {
    let mut walks = Walks::default();
    let (one, other) = (walks.begin(None, 3), walks.begin(None, 3));
    walks.pass_over_all();
    assert_eq!((walks.below(one).copied(), walks.bridge(0)), (Some(0), None));
    walks.end(one);
    walks.end(other);
    assert_eq!((walks.below(one).copied(), walks.under_way.capacity()), (None, 0));
}
