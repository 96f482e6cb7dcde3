use alloc::{vec, vec::Vec};

use super::{Edges, Need, way};

fn next(edges: &[(u32, u32)]) -> impl Fn(&u32) -> Vec<u32> {
    move |from| edges.iter().filter(|(node, _)| node == from).map(|(_, to)| *to).collect()
}

#[test]
fn what_counts() {
    for oldest in [None, Some(1), Some(9)] {
        assert!(Need::Always.counts(oldest));
    }
    let need = Need::UpTo(5);
    assert_eq!([None, Some(1), Some(5), Some(6)].map(|oldest| need.counts(oldest)), [false, true, true, false]);
    assert!(!Need::UpTo(0).counts(Some(1)));
}

#[test]
fn one_edge_of_a_kind() {
    let mut edges = Edges::new();
    edges.add(1, Need::UpTo(3));
    edges.add(1, Need::UpTo(5));
    edges.add(2, Need::UpTo(4));
    edges.add(1, Need::Always);
    edges.add(1, Need::Always);
    assert_eq!(edges.list(), [(1, Need::UpTo(5)), (2, Need::UpTo(4)), (1, Need::Always)]);
    edges.remove(&(1, Need::UpTo(3)));
    assert_eq!(edges.list().len(), 3, "it needs more by now");
    edges.remove(&(1, Need::UpTo(5)));
    assert_eq!(edges.list(), [(2, Need::UpTo(4)), (1, Need::Always)]);
    assert_eq!(edges.take().len(), 2);
    assert!(edges.list().is_empty());
}

/// D82: two callers ask what is dirty over there, and the one who has asked first adds his edge last. (P17)
#[test]
fn an_edge_needs_no_less_than_before() {
    let mut edges = Edges::new();
    edges.add(1, Need::UpTo(5));
    edges.add(1, Need::UpTo(3));
    assert_eq!(edges.list(), [(1, Need::UpTo(5))]);
}

#[test]
fn the_oldest_change_is_noted() {
    let mut edges = Edges::<u32>::new();
    assert_eq!(edges.oldest(), None);
    edges.note(Some(4));
    assert_eq!(edges.oldest(), Some(4));
}

#[test]
fn a_way() {
    let graph = [(1, 2), (1, 3), (3, 4), (4, 5), (2, 4)];
    let from_one = way(1, &5, next(&graph)).expect("there is one");
    assert!(from_one == [1, 2, 4, 5] || from_one == [1, 3, 4, 5], "{from_one:?}");
    assert_eq!(way(5, &1, next(&graph)), None);
    assert_eq!(way(1, &1, next(&graph)), Some(vec![1]), "a cache leads to itself");
    assert_eq!(way(9, &1, next(&[])), None);
}

#[test]
fn a_way_among_circles_ends() {
    let graph = [(1, 2), (2, 3), (3, 1), (3, 3), (2, 1)];
    assert_eq!(way(1, &9, next(&graph)), None);
    assert_eq!(way(2, &1, next(&graph)).expect("there is one").last(), Some(&1));
}

#[test]
fn many_ways_are_not_followed_twice() {
    // A ladder of 60 rungs has 2^60 ways.
    let graph: Vec<_> =
        (0..60).flat_map(|n| [(2 * n, 2 * n + 2), (2 * n, 2 * n + 1), (2 * n + 1, 2 * n + 2)]).collect();
    assert!(way(0, &120, next(&graph)).is_some());
    assert_eq!(way(0, &999, next(&graph)), None);
}
