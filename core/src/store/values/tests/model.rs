//! Random operations, compared with a plain map after each one.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{strict::Strict, *};
use crate::store::{
    leavers::{Leaver, StoreCounts},
    policy::tests::shelf::Random,
};

const KEYS: u64 = 60;

/// The key and value that left, and why.
type Left = (u32, u32, RemovalCause);

fn all(mut leavers: Leavers<u32, u32>) -> Vec<Left> {
    let left = |leaver: &mut Leaver<u32, u32>| (leaver.key, leaver.value, leaver.cause.expect("not taken yet"));
    leavers.iter_mut().map(left).collect()
}

/// The index of the counter of this cause.
fn number(cause: RemovalCause) -> usize {
    match cause {
        RemovalCause::Evicted => 1,
        RemovalCause::Expired => 2,
        RemovalCause::Replaced => 3,
        RemovalCause::Removed => 4,
        RemovalCause::Refused => 5,
    }
}

struct Held {
    value: u32,
    weight: u64,
    generation: u32,
    published: u64,
    /// When its lifetime ends, even if it is asked for.
    end: Instant,
    deadline: Instant,
}

struct World<P: Policy> {
    values: Values<u32, u32, P>,
    model: BTreeMap<u32, Held>,
    hold: u64,
    idle: Option<u64>,
    reserved: u64,
    now: u64,
    generation: u32,
    /// Stored, evicted, expired, replaced, removed, refused.
    counts: [u64; 6],
}

impl<P: Policy> World<P> {
    fn new(capacity: u64, hold: u64, idle: Option<u64>) -> Self {
        let keeping = Keeping { idle: idle.map(Duration::from_nanos), ..holding(Duration::from_nanos(hold)) };
        let values = Values::new(Allowance::alone(capacity), keeping);
        Self { values, model: BTreeMap::new(), hold, idle, reserved: 0, now: 0, generation: 0, counts: [0; 6] }
    }

    /// Returns when a value expires that is not asked for from now on.
    fn deadline(&self, end: Instant) -> Instant {
        self.idle.map_or(end, |idle| end.min(at(self.now.saturating_add(idle))))
    }

    fn hit(&mut self, key: u32) {
        let Some(place) = find(&self.values, key) else { return };
        let fresh = !self.values.ends(place).reached(at(self.now));
        assert_eq!(fresh, !self.model[&key].deadline.reached(at(self.now)));
        if fresh {
            self.values.hit(place, at(self.now));
            let deadline = self.deadline(self.model[&key].end);
            let held = self.model.get_mut(&key).expect("it is there");
            held.deadline = held.deadline.max(deadline);
        } else {
            self.values.touch(place);
        }
    }

    fn renew(&mut self, key: u32, end: Instant) {
        let Some(place) = find(&self.values, key) else { return };
        assert!(self.values.renew(place, Life { since: at(self.now), end, begun: at(self.now) }));
        let deadline = self.deadline(end);
        self.model.entry(key).and_modify(|held| (held.end, held.deadline) = (end, deadline));
    }

    /// Takes a value that has left for this reason out of the model; returns its weight.
    fn left(&mut self, (key, value, cause): Left, why: RemovalCause) -> u64 {
        let held = self.model.remove(&key).expect("what leaves was held");
        assert_eq!(held.value, value, "it is the value of this key that leaves");
        let why = if held.deadline.reached(at(self.now)) { RemovalCause::Expired } else { why };
        assert_eq!(cause, why, "listeners hear what is counted");
        self.counts[number(why)] += 1;
        held.weight
    }

    /// Checks that no more values were evicted than necessary.
    fn evicted(&mut self, leavers: impl Iterator<Item = Left>) {
        let mut last = None;
        for leaver in leavers {
            last = Some(self.left(leaver, RemovalCause::Evicted));
        }
        if let Some(weight) = last {
            let kept = self.values.weight() + self.reserved;
            assert!(kept + weight > self.values.allowance.own, "the last one could have stayed");
        }
    }

    fn put(&mut self, key: u32, value: u32, weight: u64, end: Instant) {
        let place = find(&self.values, key);
        assert_eq!(place.is_some(), self.model.contains_key(&key));
        let begun = at(self.now.saturating_sub(u64::from(value)));
        let new = New { hash: crowded(key), key, value, weight, now: at(self.now), end, begun, former: None };
        if weight <= self.values.allowance.own {
            // As in a shard: failures give way to a value that needs the whole capacity.
            self.reserved = self.reserved.min(self.values.allowance.own - weight);
        }
        let mut leavers = Leavers::new();
        let generation = self.values.put(place, new, self.reserved, &mut leavers);
        let mut leavers = all(leavers).into_iter();
        if place.is_some() {
            let former = leavers.next().expect("the former value leaves first");
            assert_eq!(former.0, key);
            self.left(former, RemovalCause::Replaced);
        }
        if weight > self.values.allowance.own {
            let refused = (key, value, RemovalCause::Refused);
            assert_eq!((generation, leavers.next(), leavers.next()), (None, Some(refused), None));
            self.counts[number(RemovalCause::Refused)] += 1;
            return;
        }
        self.generation += 1;
        assert_eq!(generation, Some(self.generation), "generations are not used again");
        self.counts[0] += 1;
        self.evicted(leavers);
        let deadline = self.deadline(end);
        let held = Held { value, weight, generation: self.generation, published: self.now, end, deadline };
        assert!(self.model.insert(key, held).is_none());
        assert!(find(&self.values, key).is_some(), "a newcomer is not the victim of its own insertion (D48)");
    }

    fn discard(&mut self, key: u32) {
        let Some(place) = find(&self.values, key) else { return };
        let mut leavers = Leavers::new();
        self.values.discard(place, at(self.now), &mut leavers);
        let leavers = all(leavers);
        assert_eq!(leavers.len(), 1);
        self.left(leavers[0], RemovalCause::Removed);
    }

    /// D96: an earlier deadline stays.
    fn expire(&mut self, key: u32) {
        let Some(place) = find(&self.values, key) else { return };
        self.values.expire(place, at(self.now), &mut Leavers::new());
        let held = self.model.get_mut(&key).expect("it is held");
        held.deadline = held.deadline.min(at(self.now));
        held.end = held.deadline;
    }

    fn set_capacity(&mut self, capacity: u64) {
        self.values.set_capacity(capacity);
        self.make_room(self.reserved.min(capacity));
    }

    fn due(&self, held: &Held) -> Instant {
        // The limit is inclusive.
        held.deadline.saturating_add(Duration::from_nanos(self.hold.saturating_add(1)))
    }

    fn reclaim(&mut self, most: usize) {
        let mut leavers = Leavers::new();
        let count = self.values.reclaim(at(self.now), most, &mut leavers);
        let leavers = all(leavers);
        assert_eq!(leavers.len(), count);
        let mut last = Instant::ZERO;
        for leaver in leavers {
            let due = self.due(&self.model[&leaver.0]);
            assert!(due.reached(at(self.now)) && last <= due, "what is due first leaves first");
            last = due;
            self.left(leaver, RemovalCause::Expired);
        }
        let rest = self.model.values().map(|held| self.due(held)).filter(|due| due.reached(at(self.now))).count();
        assert!(count == most || rest == 0 || self.idle.is_some());
    }

    fn make_room(&mut self, reserved: u64) {
        self.reserved = reserved;
        let mut leavers = Leavers::new();
        self.values.make_room(reserved, None, at(self.now), &mut leavers);
        self.evicted(all(leavers).into_iter());
    }

    fn take_all(&mut self) {
        let cleared = self.values.take_all(at(self.now));
        self.values.count_cleared(cleared.counts());
        for (key, value, cause) in cleared.iter() {
            self.left((*key, *value, cause), RemovalCause::Removed);
        }
        assert!(self.model.is_empty());
    }

    /// Corrects the order of deadlines, and checks the first one.
    fn settle(&mut self) {
        while self.values.settle(2) {}
        let due = self.model.values().map(|held| self.due(held)).filter(|due| *due != Instant::NEVER).min();
        assert_eq!(self.values.first_due(), due);
    }

    fn check(&self) {
        let Self { values, model, .. } = self;
        assert_eq!(values.weight(), model.values().map(|held| held.weight).sum());
        assert!(values.weight() + self.reserved <= values.allowance.own);
        assert_eq!((values.len(), values.entries().len()), (model.len(), model.len()));
        for (place, entry) in values.entries().iter().enumerate() {
            let held = &model[&entry.key];
            assert_eq!(find(values, entry.key), Some(place as u32), "places are dense");
            assert_eq!(
                (entry.value, values.weight_at(place as u32), entry.generation),
                (held.value, held.weight, held.generation)
            );
            assert_eq!(
                (values.published(place as u32), values.ends(place as u32)),
                (at(held.published), held.deadline)
            );
            assert_eq!(values.life(place as u32).map(|life| life.end), self.idle.map(|_| held.end));
            assert_eq!(values.entry(place as u32).key, entry.key);
        }
        let due = model.values().map(|held| self.due(held)).filter(|due| *due != Instant::NEVER).min();
        match self.idle {
            None => assert_eq!(values.first_due(), due),
            Some(_) => {
                assert!(due.is_none_or(|due| values.first_due().is_some_and(|first| first <= due)), "not too late")
            }
        }
        let StoreCounts { stored, evicted, expired, replaced, removed, refused } = values.counts;
        assert_eq!([stored, evicted, expired, replaced, removed, refused], self.counts);
        assert_eq!(stored, model.len() as u64 + evicted + expired + replaced + removed, "D85");
    }

    fn step(&mut self, random: &mut Random, weights: u64, full: u64) {
        self.now += random.below(3);
        if random.below(100) == 0 {
            // A clock may jump back.
            self.now = self.now.saturating_sub(random.below(20));
        }
        let key = random.below(KEYS) as u32;
        match random.below(100) {
            0..45 => {
                let value = random.below(1 << 30) as u32;
                let end = if random.below(3) == 0 { Instant::NEVER } else { at(self.now + random.below(200)) };
                self.put(key, value, 1 + random.below(weights), end);
            }
            45..70 => self.hit(key),
            70..72 => self.renew(key, at(self.now + random.below(200))),
            72..75 => self.settle(),
            75..83 => self.discard(key),
            83..87 => self.expire(key),
            87..93 => self.reclaim(random.below(4) as usize),
            93..97 => self.make_room(random.below(self.values.allowance.own / 8 + 2).min(self.values.allowance.own)),
            97 => self.make_room(0),
            98 if random.below(20) == 0 => self.take_all(),
            99 if random.below(10) == 0 => self.set_capacity(random.below(2 * full + 1)),
            _ => {}
        }
    }
}

fn run<P: Policy>() {
    for (seed, (capacity, weights, hold, idle)) in [
        (0, 1, 0, None),
        (1, 2, 0, Some(5)),
        (20, 1, 0, None),
        (20, 24, 30, None),
        (20, 24, 30, Some(60)),
        (500, 40, 10, None),
        (500, 40, 0, Some(40)),
        (500, 40, 10, Some(u64::MAX)),
        (1 << 40, 1 << 20, 7, Some(100)),
        (1 << 40, 1 << 20, u64::MAX, None),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut random, mut world) = (Random(seed as u64 + 1), World::<P>::new(capacity, hold, idle));
        for _ in 0..5000 {
            world.step(&mut random, weights, capacity);
            world.check();
        }
    }
}

/// P9, P12, D38, D47, D48, D85, D98.
#[test]
fn under_lru_values_are_held_as_a_plain_map_would() {
    run::<Lru>();
}

/// The same.
#[test]
fn under_gated_fifo_values_are_held_as_a_plain_map_would() {
    run::<GatedFifo>();
}

/// A policy is told of each entry that comes, leaves, moves or changes its weight.
#[test]
fn a_policy_is_called_as_its_trait_promises() {
    run::<Strict>();
}
