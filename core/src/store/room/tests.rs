//! One account: whatever is taken and given, no room is lost, and none is there twice.

use alloc::vec::Vec;

use super::*;
use crate::store::policy::tests::shelf::Random;

impl Allowance {
    /// The allowance of the only shard.
    pub(crate) fn alone(capacity: u64) -> Self {
        Self::of(&Arc::new(Room::new(capacity)), capacity, 1)
    }

    /// Gives the only shard of a cache another capacity.
    pub(in crate::store) fn set_capacity(&mut self, capacity: u64) {
        *self = Self::alone(capacity);
    }
}

/// P12, D47: what the shards have, what is free and what is on its way make the capacity at every instant.
#[test]
fn nothing_is_lost_and_nothing_is_there_twice() {
    for (seed, shards, capacity) in [(1, 1, 100), (2, 2, 100), (3, 16, 4), (4, 16, 1000), (5, 7, u64::MAX / 2)] {
        let mut random = Random(seed);
        let room = Arc::new(Room::new(capacity));
        let mut all: Vec<_> = (0..shards).map(|_| Allowance::of(&room, capacity, shards)).collect();
        let mut used = all.iter().map(|_| 0).collect::<Vec<u64>>();
        let mut hand = 0;
        for _ in 0..2000 {
            let at = random.below(shards as u64) as usize;
            let weight = 1 + random.below(capacity / 3 + 1);
            match random.below(5) {
                0 | 1 => {
                    let lack = all[at].lack(used[at], weight);
                    assert!(lack <= weight);
                    if lack == 0 {
                        used[at] += weight;
                    }
                }
                2 => {
                    used[at] = random.below(used[at] + 1);
                    all[at].settle(used[at]);
                }
                3 => hand += all[at].hand_out(used[at], weight),
                _ => all[at].receive(core::mem::take(&mut hand)),
            }
            let free = room.take(u64::MAX);
            assert_eq!(all.iter().map(|one| one.own).sum::<u64>() + hand + free, capacity);
            room.give(free);
            assert!(used.iter().zip(&all).all(|(used, one)| *used <= one.own));
        }
    }
}

/// A single shard has all from the beginning, and no other shard is asked.
#[test]
fn a_single_shard_keeps_what_it_does_not_use() {
    let mut only = Allowance::alone(100);
    assert_eq!((only.own, only.lack(0, 100), only.lack(1, 100)), (100, 0, 1));
    only.settle(0);
    assert!(only.own == 100 && only.is_enough(1));
}

/// A shard with a little less than the others makes do; one with much less asks them.
#[test]
fn who_has_too_little_asks_others() {
    let one = Allowance::of(&Arc::new(Room::new(800)), 800, 8);
    assert_eq!([1, 88, 89, 100].map(|weight| one.is_enough(weight)), [false, false, true, true]);
    let one = Allowance::of(&Arc::new(Room::new(4)), 4, 16);
    assert!(one.is_enough(1), "of nothing");
}

/// A shard first gives what is beyond its part, and in the end everything.
#[test]
fn others_keep_less_from_round_to_round() {
    for part in [0, 1, 7, 8, 66, u64::MAX] {
        let kept: Vec<_> = (0..=ROUNDS + 1).map(|round| keeps(part, round)).collect();
        assert_eq!((kept[0], kept[ROUNDS as usize], kept[ROUNDS as usize + 1]), (part, 0, 0));
        assert!(kept.is_sorted_by(|before, after| before >= after));
    }
}

/// D47: all shards are asked before any is asked for more, and in the end none keeps anything.
#[test]
fn shards_are_asked_in_turn() {
    let mut asking = Asking::default();
    let mut last = u64::MAX;
    for round in 0..=ROUNDS {
        assert!(asking.goes_on(ROUNDS));
        for shard in 0..4 {
            let (next, keeps) = asking.next(400, 4);
            assert_eq!((next, keeps <= 100), (shard, true), "round {round}");
            assert!(keeps < last || shard > 0, "round {round}: {keeps} after {last}");
            last = keeps;
            asking.go_on(4);
        }
    }
    assert_eq!((last, asking.goes_on(ROUNDS)), (0, false));
}

/// Room that is in use is not given back.
#[test]
fn no_more_is_given_back_than_there_is() {
    let room = Arc::new(Room::new(100));
    let mut allowance = Allowance::of(&room, 100, 2);
    assert_eq!(allowance.lack(0, 30), 0);
    allowance.settle(40);
    assert_eq!((allowance.own, room.take(100)), (30, 70));
    allowance.settle(10);
    assert_eq!((allowance.own, room.take(100)), (10, 20));
}
