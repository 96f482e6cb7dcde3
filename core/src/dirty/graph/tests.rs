use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::cell::Cell;

use super::{Edges, Kind, Need, way};

type Own = Edges<&'static str, &'static str>;

/// Edges between numbers, and how many of them were visited.
#[derive(Default)]
struct Graph {
    to: BTreeMap<usize, Vec<usize>>,
    from: BTreeMap<usize, Vec<usize>>,
    looks: Cell<usize>,
}

impl Graph {
    fn of(edges: &[(usize, usize)]) -> Self {
        let mut graph = Self::default();
        edges.iter().for_each(|(from, to)| graph.add(*from, *to));
        graph
    }

    fn add(&mut self, from: usize, to: usize) {
        for (edges, end, other) in [(&mut self.to, from, to), (&mut self.from, to, from)] {
            let those = edges.entry(end).or_default();
            those.push(other);
            those.sort_unstable();
        }
    }

    fn next(
        &self,
        edges: &BTreeMap<usize, Vec<usize>>,
        of: usize,
        after: Option<usize>,
    ) -> Option<(usize, Option<usize>)> {
        self.looks.set(self.looks.get() + 1);
        let those = edges.get(&of)?;
        let place = those.partition_point(|id| Some(*id) <= after);
        those.get(place).map(|id| (*id, Some(*id)))
    }

    fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let ahead = |of: &usize, after| self.next(&self.to, *of, after);
        let behind = |of: &usize, after| self.next(&self.from, *of, after);
        way((from, from), (to, to), ahead, behind)
    }

    /// Adds an edge that closes no circle; returns how many edges were visited for that.
    fn connect(&mut self, from: usize, to: usize) -> usize {
        self.looks.set(0);
        assert_eq!(self.way(to, from), None, "{from} {to}");
        self.add(from, to);
        self.looks.get()
    }
}

#[test]
fn a_way() {
    let graph = Graph::of(&[(1, 2), (1, 3), (3, 4), (4, 5), (2, 4)]);
    let from_one = graph.way(1, 5).expect("there is one");
    assert!(from_one == [1, 2, 4, 5] || from_one == [1, 3, 4, 5], "{from_one:?}");
    assert_eq!(graph.way(5, 1), None);
    assert_eq!(graph.way(1, 1), Some(vec![1]), "a cache leads to itself");
    assert_eq!(graph.way(1, 2), Some(vec![1, 2]));
    assert_eq!(Graph::default().way(9, 1), None);
}

#[test]
fn a_way_among_circles_ends() {
    let graph = Graph::of(&[(1, 2), (2, 3), (3, 1), (3, 3), (2, 1)]);
    assert_eq!(graph.way(1, 9), None);
    assert_eq!(graph.way(9, 1), None);
    assert_eq!(graph.way(2, 1).expect("there is one").last(), Some(&1));
}

/// All graphs of four: there is a path exactly if another kind of search finds one, and the result is a path.
#[test]
fn every_small_graph() {
    let all: Vec<_> = (0..12).map(|n| (n / 3, (n / 3 + n % 3 + 1) % 4)).collect();
    for chosen in 0..1_u32 << 12 {
        let edges: Vec<_> =
            all.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, edge)| *edge).collect();
        let graph = Graph::of(&edges);
        let mut reached = vec![0];
        while let Some((_, to)) = edges.iter().find(|(from, to)| reached.contains(from) && !reached.contains(to)) {
            reached.push(*to);
        }
        let found = graph.way(0, 3);
        assert_eq!(found.is_some(), reached.contains(&3), "{edges:?}");
        let way = found.unwrap_or_else(|| vec![0, 3]);
        assert_eq!((way.first(), way.last()), (Some(&0), Some(&3)));
        assert!(!reached.contains(&3) || way.windows(2).all(|pair| edges.contains(&(pair[0], pair[1]))), "{edges:?}");
    }
}

/// C118: everything that depends on the one, and everything that the other depends on. (D82)
#[test]
fn c118_an_edge_costs_what_lies_between() {
    for n in [500, 4000] {
        let mut star = Graph::default();
        assert!((1..n).all(|other| star.connect(0, other) <= 4), "one that depends on many");
        let mut star = Graph::default();
        assert!((1..n).all(|other| star.connect(other, 0) <= 4), "many that depend on one");
        let mut chain = Graph::default();
        assert!((1..n).all(|last| chain.connect(last - 1, last) <= 4), "a chain, from its head on");
        let mut chain = Graph::default();
        assert!((1..n).rev().all(|first| chain.connect(first - 1, first) <= 4), "a chain, from its end on");
        // An unconnected part does not count.
        assert!(chain.connect(n + 1, n + 2) <= 4);
    }
}

/// C118: layers of two, each of which depends on both of the next: there are 2^16 paths through them.
#[test]
fn c118_diamonds() {
    for from_the_end in [false, true] {
        let (mut graph, mut most) = (Graph::default(), 0);
        for nth in 0..16 {
            let layer = if from_the_end { 15 - nth } else { nth };
            for (from, to) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
                most = most.max(graph.connect(2 * layer + from, 2 * layer + to));
            }
        }
        assert!(most <= 8, "{most}");
        assert!(graph.way(0, 33).is_some());
        graph.looks.set(0);
        assert_eq!((graph.way(33, 0), graph.looks.get() <= 2), (None, true));
    }
}

/// D82: what is needed was flushed, and the other one does not know yet when it takes back the rest.
#[test]
fn nothing_is_left_of_an_edge_that_was_served_in_between() {
    let mut edges = Own::new();
    edges.needed_by(1, "one", Kind::Always);
    edges.needed_less(1, Need { up_to: Some(5), ..Need::default() });
    assert_eq!(edges.next_from(None), None);
}

#[test]
fn one_edge_of_a_kind() {
    let mut edges = Own::new();
    assert_eq!(edges.need(1, "one", Kind::UpTo(3)), None);
    assert_eq!(edges.need(1, "one again", Kind::UpTo(5)), Some("one again"));
    // D82: two callers read what is dirty there, and the first one to read adds its edge last. (P17)
    edges.need(1, "one", Kind::UpTo(4));
    edges.need(2, "two", Kind::UpTo(4));
    edges.need(1, "one", Kind::Always);
    let both = Need { up_to: Some(5), always: true, ..Need::default() };
    assert_eq!(edges.next_to(None, |to| *to), Some((1, both, "one")));
    assert_eq!(edges.next_to(Some(1), |to| *to).map(|(id, ..)| id), Some(2));
    assert_eq!(edges.next_to(Some(2), |to| *to), None);
    assert_eq!(edges.lessen(1, |need| need.up_to = None), Some((Need { up_to: None, ..both }, None)));
    assert_eq!(edges.lessen(1, |need| need.always = false).and_then(|(_, gone)| gone), Some("one"));
    assert_eq!((edges.needs(1), edges.needs(2).is_some()), (None, true));
}

/// D82: a wish that is made again is a new one.
#[test]
fn wishes_are_numbered() {
    let mut edges = Own::new();
    edges.need(1, "one", Kind::UntilFlushed);
    let first = edges.needs(1).and_then(|need| need.until_flushed);
    edges.need(1, "one", Kind::UntilFlushed);
    assert!(first.is_some() && edges.needs(1).is_some_and(|need| need.until_flushed != first && need.gives_way()));
    edges.need(1, "one", Kind::UpTo(1));
    assert!(edges.needs(1).is_some_and(|need| !need.gives_way()));
}

/// D82: a cache whose need is met is told once, whichever call flushes.
#[test]
fn those_that_are_served() {
    let mut edges = Own::new();
    assert!(!edges.needed_by(7, "seven", Kind::UpTo(5)), "nothing is dirty");
    assert!(edges.note(Some(3), 5).is_empty());
    assert_eq!((edges.dirty_up_to(), edges.is_dirty(3), edges.is_dirty(2)), (Some(5), true, false));
    assert!(!edges.needed_by(7, "seven", Kind::UpTo(2)), "that is on disk");
    assert!(edges.needed_by(7, "seven", Kind::UpTo(3)));
    assert!(edges.needed_by(8, "eight", Kind::UpTo(5)) && edges.needed_by(8, "eight", Kind::Always));
    assert!(edges.needed_by(9, "nine", Kind::UntilFlushed));
    assert!(edges.needed_by(7, "seven", Kind::UpTo(4)) && edges.needed_by(7, "seven", Kind::UpTo(3)));
    assert!(edges.note(Some(4), 6).is_empty(), "it needs four by now");
    assert_eq!(edges.note(Some(5), 6), [("seven", 4)]);
    assert_eq!(edges.note(None, 6), [("eight", 5)]);
    assert_eq!(edges.note(None, 6), []);
    let mut left = Vec::new();
    while let Some((id, _)) = edges.next_from(left.last().copied()) {
        left.push(id);
    }
    assert_eq!(left, [8, 9], "those that need more");
    edges.needed_less(8, Need::default());
    edges.needed_less(9, Need::default());
    assert_eq!(edges.next_from(None), None);
}
