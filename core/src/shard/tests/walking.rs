//! Goes over all keys, a few at a time.

use super::*;
use crate::shard::walk::KeyWalk;

impl Rig {
    /// Copies of all fresh entries.
    pub(super) fn copies(&mut self) -> Vec<crate::Entry<u32, u32>> {
        let walk = self.shard.values.begin_walk(None);
        let copies = core::iter::from_fn(|| self.shard.copy_next(walk, at(self.now))).flatten().collect();
        self.shard.values.end_walk(walk);
        copies
    }

    /// The keys from as many places, in order.
    fn next_keys(&mut self, walk: &mut KeyWalk, most: usize) -> Vec<u32> {
        let mut keys = self.shard.next_keys(walk, most);
        keys.sort_unstable();
        keys
    }
}

/// C105, D49.
#[test]
fn loads_failures_and_values_are_met_a_few_at_a_time() {
    let mut rig = Rig::new(Rules { backoff: Backoff { first: nanos(99), ..rules().backoff }, ..rules() });
    rig.load_fails(20, "no");
    (1..=5).for_each(|key| _ = rig.insert(key, 7));
    let _waiting = [10, 11, 12].map(|key| rig.wait(key));
    let mut walk = rig.shard.walk_keys();
    let mut steps = Vec::new();
    while !walk.is_over() {
        steps.push(rig.next_keys(&mut walk, 2));
    }
    assert!(steps.iter().all(|keys| keys.len() <= 2), "{steps:?}");
    let mut keys = steps.concat();
    assert!(keys.iter().position(|key| *key >= 20) > keys.iter().rposition(|key| (10..20).contains(key)));
    keys.sort_unstable();
    assert_eq!(keys, [1, 2, 3, 4, 5, 10, 11, 12, 20]);
}

/// D41: a load that is detached already is another epoch's.
#[test]
fn what_a_write_has_detached_is_passed_over() {
    let mut rig = Rig::new(rules());
    let _waiting = [10, 11].map(|key| rig.wait(key));
    rig.remove(10);
    let mut walk = rig.shard.walk_keys();
    assert_eq!(rig.next_keys(&mut walk, 9), [11]);
    assert!(walk.is_over());
}

/// C105, C114: when room is given back, flights move to the front, which is still to come.
#[test]
fn flights_that_move_are_met() {
    let mut rig = Rig::new(rules());
    let mut waiting: Vec<_> = (0..40).map(|key| rig.wait(key)).collect();
    let mut walk = rig.shard.walk_keys();
    assert_eq!(rig.next_keys(&mut walk, 10), Vec::from_iter(30..40));
    let stays = [waiting.remove(21), waiting.remove(3)];
    waiting.into_iter().for_each(|caller| _ = rig.leave(caller));
    assert!(rig.shard.flights.places() < 10, "they have moved");
    assert_eq!(rig.next_keys(&mut walk, 10), [3, 21]);
    assert!(walk.is_over());
    stays.into_iter().for_each(|caller| _ = rig.leave(caller));
}

/// C105: an entry that stays is met, though the last ones move into the gaps that others leave.
#[test]
fn values_that_move_are_met() {
    let mut rig = Rig::new(rules());
    (0..40).for_each(|key| _ = rig.insert(key, 7));
    let mut walk = rig.shard.walk_keys();
    let mut met = rig.next_keys(&mut walk, 10);
    (0..30).filter(|key| key % 3 != 0).for_each(|key| _ = rig.remove(key));
    while !walk.is_over() {
        met.extend(rig.next_keys(&mut walk, 3));
    }
    met.sort_unstable();
    met.dedup();
    assert_eq!(met, Vec::from_iter((0..40).filter(|key| *key >= 30 || key % 3 == 0)));
}

/// D112: what comes while all values are expired is spared, wherever it is put; what moves meanwhile is not passed over.
#[test]
fn d112_what_comes_meanwhile_is_spared() {
    let mut rig = Rig::new(rules());
    (1..=6).for_each(|key| _ = rig.insert(key, Loaded::new(7).ttl(nanos(99))));
    let caller = rig.wait(30);
    rig.effects = Effects::default();
    let mut expiring = rig.shard.begin_expiring(None, &mut rig.effects);
    assert!(!rig.is_attached(&caller) && !expiring.is_over());
    let mut next = |rig: &mut Rig| rig.shard.expire_next(&mut expiring, 2, at(rig.now), &mut rig.effects);
    assert_eq!(next(&mut rig), 2);
    rig.insert(20, 7);
    rig.remove(1);
    assert_eq!((next(&mut rig), next(&mut rig)), (2, 1), "the newcomer has come to where the first one was");
    assert!(expiring.is_over());
    let fresh = |key: &u32| rig.contains(*key);
    assert_eq!([1, 2, 3, 4, 5, 6, 20].iter().copied().filter(fresh).collect::<Vec<_>>(), [20]);
    assert_eq!(rig.shard.expire_next(&mut expiring, 2, at(rig.now), &mut rig.effects), 0);
}

/// D112: what was there before is expired, however many have come since.
#[test]
fn d112_what_is_old_in_generations_is_expired() {
    for later in [1, 1 << 31, u32::MAX - 10] {
        let mut rig = Rig::new(rules());
        rig.insert(1, Loaded::new(7).ttl(nanos(99)));
        rig.shard.values.skip_generations(later);
        rig.insert(2, Loaded::new(7).ttl(nanos(99)));
        let mut expiring = rig.shard.begin_expiring(None, &mut rig.effects);
        rig.insert(3, 7);
        assert_eq!(rig.shard.expire_next(&mut expiring, 9, at(rig.now), &mut rig.effects), 2, "{later}");
        assert_eq!([1, 2, 3].map(|key| rig.contains(key)), [false, false, true]);
    }
}

/// D96: without memory to note their ends, all values leave, a few in each step.
#[cfg(feature = "std")]
#[test]
fn all_are_expired_even_without_memory() {
    let mut rig = Rig::new(rules());
    (1..=9).for_each(|key| _ = rig.insert(key, 7));
    let mut effects = Effects::default();
    let mut expiring = rig.shard.begin_expiring(None, &mut effects);
    let (mut steps, mut count) = (0, 0);
    while !expiring.is_over() {
        let mut effects = Effects::default();
        let now = at(rig.now);
        count += crate::store::without_memory(|| rig.shard.expire_next(&mut expiring, 64, now, &mut effects));
        assert!(effects.leavers.iter_mut().count() <= 1, "there is no memory for more");
        steps += 1;
        assert!(steps < 100);
    }
    assert_eq!((count, rig.shard.values.len()), (9, 0));
}
