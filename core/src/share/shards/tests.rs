//! Which shard has which hashes, while they become more.

use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::*;
use crate::shard::Home;

/// Hashes, and the further bits that choose this shard.
type Hashes = spin::Mutex<(Vec<u64>, Home)>;

fn shards(first: usize, most: usize) -> Shards<Hashes> {
    Shards::new((0..first).map(|_| Aligned(Hashes::default())).collect(), most)
}

/// Hashes that differ in all bits that choose among shards.
fn hashes() -> impl Iterator<Item = u64> {
    (0..4096_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn split(lower: &Hashes, upper: &mut dyn FnMut(Hashes)) {
    let mut shard = lower.lock();
    let (low, high) = shard.1.halves();
    let (stay, go) = shard.0.iter().partition(|hash| high.elsewhere(**hash).is_some());
    *shard = (stay, low);
    upper(Hashes::new((go, high)));
}

/// The shard that has a hash, as a caller finds it.
fn find(shards: &Shards<Hashes>, hash: u64) -> &Hashes {
    let mut shard = shards.of(hash);
    loop {
        let elsewhere = shard.lock().1.elsewhere(hash);
        match elsewhere {
            Some(mask) => shard = shards.split_of(hash, mask),
            None => return shard,
        }
    }
}

fn check(shards: &Shards<Hashes>) {
    assert_eq!(shards.iter().count(), shards.len());
    assert_eq!(shards.iter().map(|shard| shard.lock().0.len()).sum::<usize>(), 4096);
    for hash in hashes() {
        let shard = find(shards, hash);
        assert!(shard.lock().0.contains(&hash));
        assert!(core::ptr::eq(shard, shards.of(hash)), "without a detour");
        assert!(core::ptr::eq(shard, shards.get(shards.number_of(hash)).expect("it is there")));
    }
    let even = 4096 / shards.len();
    assert!(shards.iter().all(|shard| (even / 2..2 * even).contains(&shard.lock().0.len())), "they share evenly");
}

#[test]
fn all_hashes_are_found_however_the_shards_become_more() {
    for first in [1, 2, 16, 7] {
        for steps in [&[16 * first][..], &[2 * first, 4 * first, 16 * first], &[8 * first, 1, 9 * first, 16 * first]] {
            let shards = shards(first, 16 * first);
            hashes().for_each(|hash| shards.of(hash).lock().0.push(hash));
            check(&shards);
            for to in steps {
                let before = shards.len();
                shards.grow(*to, |lower, _, upper| split(lower, upper));
                assert!(shards.len() >= before && shards.len() <= (*to).max(before) && 2 * shards.len() > *to);
                check(&shards);
            }
            shards.grow(usize::MAX, |_, _, _| panic!("there may be no more"));
            assert_eq!(shards.len(), 16 * first);
        }
    }
}

#[test]
fn in_the_middle_of_a_split_all_are_found_and_a_walk_meets_what_moves() {
    let shards = shards(4, 64);
    hashes().for_each(|hash| shards.of(hash).lock().0.push(hash));
    let mut walk = shards.iter();
    let mut met = walk.next().expect("the first").lock().0.clone();
    shards.grow(64, |lower, number, upper| {
        split(lower, upper);
        assert!(number > shards.len());
        // A caller that was told of a split whose half is not there yet comes to where the key still is.
        for hash in hashes() {
            let shard = shards.split_of(hash, u32::MAX >> 16);
            assert!(shard.lock().0.contains(&hash));
        }
        hashes().for_each(|hash| assert!(find(&shards, hash).lock().0.contains(&hash)));
    });
    walk.for_each(|shard| met.extend_from_slice(&shard.lock().0));
    assert!(hashes().all(|hash| met.contains(&hash)));
}

#[test]
fn a_split_that_unwinds_is_done_by_the_next_growth() {
    let shards = shards(4, 16);
    hashes().for_each(|hash| shards.of(hash).lock().0.push(hash));
    let mut splits = 0;
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        shards.grow(16, |lower, _, upper| {
            splits += 1;
            assert!(splits < 3);
            split(lower, upper);
        });
    }));
    assert!(unwound.is_err());
    assert_eq!((shards.len(), shards.iter().count()), (6, 6), "two have split");
    hashes().for_each(|hash| assert!(find(&shards, hash).lock().0.contains(&hash)));
    shards.grow(16, |lower, _, upper| split(lower, upper));
    assert_eq!(shards.len(), 16);
    check(&shards);
}

#[test]
fn what_splits_off_after_a_visit_is_visited_with_what_was_noted() {
    let shards = shards(2, 64);
    hashes().for_each(|hash| shards.of(hash).lock().0.push(hash));
    let mut visits = Vec::new();
    shards.each_once(|shard, before: Option<usize>| {
        if visits.len() == 1 {
            shards.grow(64, |lower, _, upper| split(lower, upper));
        }
        visits.push(before);
        let shard = shard.lock();
        (shard.1.mask(), 100 + visits.len())
    });
    // The first was visited before it split, the second after that.
    let of = |number: usize| if number > 1 && number % 2 == 0 { Some(101) } else { None };
    assert_eq!(visits, (0..64).map(of).collect::<Vec<_>>());
    let mut visits = 0;
    shards.each_once(|shard, before: Option<()>| {
        visits += 1;
        assert_eq!(before, None, "all have split before");
        let shard = shard.lock();
        (shard.1.mask(), ())
    });
    assert_eq!(visits, 64);
}
