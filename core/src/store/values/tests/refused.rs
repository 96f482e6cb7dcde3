//! What is done when the heap ends.

use super::*;
use crate::store::without_memory;

fn put_until(values: &mut Values<u32, u32, Lru>, key: u32, end: u64) -> Option<u32> {
    let (place, hash) = (find(values, key), crowded(key));
    let new = New { hash, key, value: key, weight: 1, now: at(0), end: at(end), begun: at(0), former: None };
    values.put(place, new, 0, &mut Leavers::new())
}

/// P12: a value whose end cannot be noted is not stored as one that never ends.
#[test]
fn a_value_whose_end_cannot_be_noted_is_refused() {
    let mut values = filled(4);
    assert_eq!(without_memory(|| put_until(&mut values, 9, 50)), None, "in a victim's place");
    assert_eq!(without_memory(|| put_until(&mut values, 3, 50)), None, "over the present value, which leaves");
    assert_eq!((find(&values, 3), values.weight(), values.counts.refused), (None, 3, 2));
    assert_eq!(without_memory(|| put(&mut values, 5, 1)).0, Some(5), "one that never ends needs no memory");
}

/// A weight that cannot be noted is refused as well, and the sums stay right.
#[test]
fn a_weight_that_cannot_be_noted_is_refused() {
    let mut values = filled(4);
    assert_eq!(without_memory(|| put(&mut values, 9, 2)).0, None);
    assert_eq!((values.weight(), values.len()), (4, 4));
    assert!(put(&mut values, 9, 2).0.is_some());
    assert_eq!(values.weight(), 4);
}

/// Where values have ends already, the next one needs no memory, though the last one has just left.
#[test]
fn the_place_of_an_end_is_there_for_the_next_one() {
    let mut values = Values::<u32, u32, Lru>::new(Allowance::alone(1), Keeping::default());
    assert!(put_until(&mut values, 1, 50).is_some());
    assert!(without_memory(|| put_until(&mut values, 2, 60)).is_some());
    assert_eq!((values.first_due(), values.needs_each_end()), (Some(at(60)), false));
}

/// D96: what is to be expired leaves, if its end cannot be noted.
#[test]
fn what_cannot_be_expired_leaves() {
    let mut values = filled(4);
    let (place, mut leavers) = (find(&values, 2).expect("it is there"), Leavers::new());
    without_memory(|| values.expire(place, at(7), &mut leavers));
    assert_eq!((keys(leavers), find(&values, 2)), ([2].into(), None));
    let place = find(&values, 3).expect("it is there");
    let life = Life { since: at(7), end: at(9), begun: at(7) };
    assert!(!without_memory(|| values.renew(place, life)), "and another life is refused");
    assert!(values.renew(place, life));
}
