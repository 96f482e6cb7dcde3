//! Looks that count as lookups and load nothing, and a value that is at hand.

use super::*;

impl Rig {
    fn look_up(&mut self, key: u32) -> Option<Outcome<u32, &'static str>> {
        self.effects = Effects::default();
        self.shard.lookup_if_present(hash(key), at(self.now), |k| *k == key, &mut self.effects)
    }

    fn get_or_insert(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Outcome<u32, &'static str> {
        self.effects = Effects::default();
        let loaded = loaded.into();
        let (copy, mut coming) = (loaded.value, Some((key, loaded)));
        let at = At { now: at(self.now), rules: &self.rules };
        self.shard.get_or_insert(hash(key), &mut coming, &copy, Judgement::default(), at, &mut self.effects)
    }

    fn lookups(&self) -> [u64; 3] {
        let LookupCounts { hits, misses, expired, .. } = self.shard.counts;
        [hits, misses, expired]
    }
}

/// D36, D85.
#[test]
fn a_look_counts_once_by_what_is_there() {
    let mut rig = Rig::new(Rules { stale_if_error: Some(nanos(99)), ..rules() });
    assert!(rig.look_up(1).is_none());
    let generation = rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 4;
    let found = rig.look_up(1).expect("fresh");
    assert_eq!((found.value, found.status, found.age), (5, Status::Hit, nanos(4)));
    assert_eq!((found.time_left, found.generation), (TimeLeft::For(nanos(6)), generation));
    rig.now += 6;
    assert!(rig.look_up(1).is_none(), "held, and expired");
    assert_eq!(rig.lookups(), [1, 1, 1]);
}

/// D39, D85: a present value stays; otherwise, the waiting callers get the value at hand.
#[test]
fn a_value_at_hand_is_stored_unless_there_is_one() {
    let mut rig = Rig::new(rules());
    let mut waits = rig.wait(1);
    let made = rig.get_or_insert(1, Loaded::new(5).ttl(nanos(10)));
    assert_eq!((made.value, made.status, made.time_left), (5, Status::Miss, TimeLeft::For(nanos(10))));
    assert_eq!(rig.effects.rest().loads, [1], "the load is dropped outside the lock");
    assert_eq!(rig.outcome(&mut waits).generation, made.generation);
    let found = rig.get_or_insert(1, 6);
    assert_eq!((found.value, found.status, found.generation), (5, Status::Hit, made.generation));
    rig.now += 10;
    assert_eq!((rig.get_or_insert(1, 7).value, rig.served(1).value), (7, 7));
}

/// D49: a hit reclaims other expired entries.
#[test]
fn a_hit_reclaims() {
    let mut rig = Rig::new(rules());
    rig.insert(1, 5);
    (2..10).for_each(|key| _ = rig.insert(key, Loaded::new(6).ttl(nanos(10))));
    rig.now += 10;
    for _ in 0..4 {
        assert_eq!(rig.get_or_insert(1, 7).value, 5);
    }
    assert_eq!(rig.shard.values.len(), 1);
}
