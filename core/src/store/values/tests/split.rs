//! Values that go to another shard, in their order, with all that is known of them.

use alloc::{collections::BTreeMap, vec};

use super::*;
use crate::store::policy::tests::shelf::Random;

const fn goes(hash: u64) -> bool {
    hash & 2 != 0
}

/// The keys in the order in which they leave.
fn order<P: Policy>(values: &mut Values<u32, u32, P>) -> Vec<u32> {
    let mut leavers = Leavers::new();
    while values.evict(None, at(0), &mut leavers) {}
    keys(leavers)
}

/// C111: both halves evict in the order in which the whole would.
#[test]
fn c111_an_exact_order_stays() {
    let mut random = Random(1);
    for _ in 0..50 {
        let make = || filled(100);
        let (mut whole, mut lower) = (make(), make());
        for _ in 0..random.below(200) {
            let key = 1 + random.below(100) as u32;
            for values in [&mut whole, &mut lower] {
                let place = find(values, key).expect("it is there");
                values.hit(place, at(0));
            }
        }
        let mut upper = lower.split_off(goes, 1000, at(0), &mut Leavers::new());
        let all = order(&mut whole);
        let of = |goes_up| all.iter().copied().filter(|key| goes(crowded(*key)) == goes_up).collect::<Vec<_>>();
        assert!(of(true).len() > 10 && of(false).len() > 10);
        assert_eq!((order(&mut lower), order(&mut upper)), (of(false), of(true)));
    }
}

/// C111, P12: all that is known of a value goes with it, and so does its room.
#[test]
fn c111_what_is_known_of_values_goes_along() {
    fn run<P: Policy>(keeping: Keeping) {
        let mut values = Values::<u32, u32, P>::new(Allowance::alone(1000), keeping);
        for key in 1..=100 {
            let now = at(u64::from(key));
            let new = New {
                hash: crowded(key),
                key,
                value: key,
                weight: 1 + u64::from(key % 4),
                now,
                end: if key % 3 == 0 { Instant::NEVER } else { at(1000 - u64::from(key)) },
                begun: at(0),
                former: None,
            };
            values.put(None, new, 0, &mut Leavers::new()).expect("there is room");
        }
        let facts = |values: &Values<u32, u32, P>| {
            let of = |(place, entry): (usize, &Entry<u32, u32, P::Node>)| {
                let place = place as u32;
                let times = (values.published(place), values.ends(place), values.life(place));
                (entry.key, (entry.generation, values.weight_at(place), times))
            };
            values.entries().iter().enumerate().map(of).collect::<BTreeMap<_, _>>()
        };
        let (before, weight, own) = (facts(&values), values.weight(), values.allowance.own);
        let mut other = values.split_off(goes, 1000, at(0), &mut Leavers::new());
        assert!(values.entries().iter().all(|entry| !goes(entry.hash) && find(&values, entry.key).is_some()));
        assert!(other.entries().iter().all(|entry| goes(entry.hash) && find(&other, entry.key).is_some()));
        let mut after = facts(&values);
        after.extend(facts(&other));
        assert_eq!(after, before);
        assert_eq!((values.weight() + other.weight(), values.allowance.own + other.allowance.own), (weight, own));
        assert_eq!((other.allowance.own, other.generation()), (other.weight(), values.generation()));
        // What is due goes in time, in both.
        for values in [&mut values, &mut other] {
            let mut left = Leavers::new();
            let due = values.entries().iter().filter(|entry| entry.key % 3 != 0).count();
            assert_eq!(values.reclaim(at(2000), 1000, &mut left), due);
            assert!(keys(left).iter().all(|key| key % 3 != 0));
        }
    }
    let lives = Keeping { lives: true, ..Keeping::default() };
    let held = Keeping { hold: Some(Duration::from_nanos(5)), ..Keeping::default() };
    for keeping in [Keeping::default(), lives, held] {
        run::<Lru>(keeping);
        run::<GatedFifo>(keeping);
    }
}

/// C111: walks that are under way go on in both halves, and meet what stays exactly once.
#[test]
fn c111_walks_go_on_in_both_halves() {
    let mut random = Random(7);
    for _ in 0..100 {
        let mut values = Values::<u32, u32, GatedFifo>::new(Allowance::alone(1000), Keeping::default());
        (1..=300).for_each(|key| assert_eq!(put(&mut values, key, 1).1, []));
        let mut walks = vec![];
        for _ in 0..3 {
            walks.push((values.begin_walk(None), BTreeMap::new()));
            for (walk, met) in &mut walks {
                for _ in 0..random.below(3) {
                    go_on(&mut values, *walk, met);
                }
            }
        }
        let (mut other, mut came_back) = (values.split_off(goes, 1000, at(0), &mut Leavers::new()), vec![]);
        for (walk, met) in &mut walks {
            for values in [&mut values, &mut other] {
                // Values that leave and come in between move others.
                let key = values.entries()[random.below(values.len() as u64) as usize].key;
                let place = find(values, key).expect("it is there");
                values.discard(place, at(0), &mut Leavers::new());
                put(values, key, 1);
                came_back.push(key);
                while go_on(values, *walk, met) {}
                values.end_walk(*walk);
            }
            assert!((1..=300).all(|key| came_back.contains(&key) || met.get(&key) == Some(&1)), "{met:?}");
        }
    }
}

fn go_on<P: Policy>(values: &mut Values<u32, u32, P>, walk: u32, met: &mut BTreeMap<u32, u32>) -> bool {
    let next = values.walk(walk, |_, next| next.map(|(_, entry)| entry.key).collect::<Vec<_>>());
    next.iter().flatten().for_each(|key| *met.entry(*key).or_insert(0) += 1);
    next.is_some()
}
