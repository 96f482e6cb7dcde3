use alloc::vec::Vec;

use super::Plan;

/// A plan of this many places; in each pair, the first waits for the second.
fn plan(places: usize, waits: &[(usize, usize)]) -> Plan {
    let mut plan = Plan::default();
    assert!((0..places).all(|place| plan.add() == place));
    waits.iter().for_each(|(one, other)| plan.wait(*one, *other));
    plan.begin();
    plan
}

/// Takes all that can be done now.
fn next(plan: &mut Plan) -> Vec<(usize, Option<usize>)> {
    let mut those: Vec<_> = core::iter::from_fn(|| plan.next()).collect();
    those.sort_unstable();
    those
}

#[test]
fn alone() {
    let mut plan = plan(1, &[]);
    assert_eq!((plan.next(), plan.next()), (Some((0, None)), None));
}

/// P17: each once, and none before those that it waits for.
#[test]
fn a_diamond() {
    let mut plan = plan(5, &[(0, 1), (0, 2), (1, 3), (2, 3), (2, 4)]);
    assert_eq!(next(&mut plan), [(3, None), (4, None)]);
    plan.end(3, false);
    assert_eq!(next(&mut plan), [(1, None)]);
    plan.end(1, false);
    assert_eq!(next(&mut plan), []);
    plan.end(4, false);
    assert_eq!(next(&mut plan), [(2, None)]);
    plan.end(2, false);
    assert_eq!(next(&mut plan), [(0, None)]);
}

/// D80: a cache that does not wait for it goes on; a waiting one is told of the first failure in its way.
#[test]
fn what_fails_is_in_the_way() {
    let mut plan = plan(5, &[(0, 1), (0, 2), (1, 3), (2, 4), (1, 4)]);
    assert_eq!(next(&mut plan), [(3, None), (4, None)]);
    plan.end(3, true);
    plan.end(4, false);
    assert_eq!(next(&mut plan), [(1, Some(3)), (2, None)]);
    plan.end(1, true);
    assert_eq!(next(&mut plan), [], "the others are waited for");
    plan.end(2, true);
    assert_eq!(next(&mut plan), [(0, Some(1))]);
}
