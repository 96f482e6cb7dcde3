//! Walks over values that come, go, change and grow meanwhile.

use alloc::collections::BTreeMap;

use super::*;
use crate::store::policy::tests::shelf::Random;

/// What a walk has met, and what has stayed since it began.
struct Walked {
    walk: u32,
    stayed: Vec<u32>,
    met: Vec<u32>,
}

impl Walked {
    fn begin<P: Policy>(values: &mut Values<u32, u32, P>) -> Self {
        let stayed = values.entries().iter().map(|entry| entry.key).collect();
        Self { walk: values.begin_walk(None), stayed, met: Vec::new() }
    }

    /// Goes on; false when the walk is over, and met what it had to.
    fn go_on<P: Policy>(&mut self, values: &mut Values<u32, u32, P>) -> bool {
        let next = values.walk(self.walk, |_, next| next.map(|(_, entry)| entry.key).collect::<Vec<_>>());
        let Some(next) = next else {
            values.end_walk(self.walk);
            let mut times = BTreeMap::new();
            self.met.iter().for_each(|key| *times.entry(*key).or_insert(0) += 1);
            assert!(self.stayed.iter().all(|key| times.get(key) == Some(&1)), "what has stayed is met exactly once");
            return false;
        };
        assert!(next.len() <= FEW as usize);
        self.met.extend(next);
        true
    }
}

/// C113, D48: what stays is met exactly once, even if it grew and made others leave.
#[test]
fn c113_what_stays_is_met_once() {
    fn run<P: Policy>(seed: u64) {
        let mut random = Random(seed);
        let mut values = Values::<u32, u32, P>::new(Allowance::alone(600), Keeping::default());
        let mut walks: Vec<Walked> = Vec::new();
        for _ in 0..4000 {
            let key = random.below(500) as u32;
            let gone = match random.below(8) {
                0 | 1 => find(&values, key).map(|place| {
                    values.discard(place, at(0), &mut Leavers::new());
                    key
                }),
                2 => {
                    if walks.len() < 3 {
                        walks.push(Walked::begin(&mut values));
                    }
                    None
                }
                3 => {
                    walks.retain_mut(|walk| walk.go_on(&mut values));
                    None
                }
                _ => {
                    let was_there = find(&values, key).is_some();
                    let (_, mut left) = put(&mut values, key, 1 + random.below(12) * random.below(2));
                    // The first is its own former value.
                    left.drain(..usize::from(was_there));
                    walks.iter_mut().for_each(|walk| walk.stayed.retain(|stayed| !left.contains(stayed)));
                    None
                }
            };
            walks.iter_mut().for_each(|walk| walk.stayed.retain(|stayed| Some(*stayed) != gone));
            let all = (0..).zip(values.entries()).all(|(place, entry)| find(&values, entry.key) == Some(place));
            assert!(all && values.weight() <= 600);
            assert_eq!(values.loose, None);
        }
    }
    (1..4).for_each(run::<Lru>);
    (1..4).for_each(run::<GatedFifo>);
}

/// C113: a walk is over once all values are taken out, whatever comes after that.
#[test]
fn c113_nothing_is_left_to_be_met_of_what_was_taken_out() {
    let mut values = filled(200);
    let mut walk = Walked::begin(&mut values);
    assert!(walk.go_on(&mut values));
    drop(values.take_all(at(0)));
    put(&mut values, 7, 1);
    walk.stayed.clear();
    assert!(!walk.go_on(&mut values));
}
