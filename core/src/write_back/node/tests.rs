use alloc::boxed::Box;
use core::future::ready;

use super::{Held, Node, Other};
use crate::{
    OneThread,
    dirty::Kind,
    sync::{Arc, erased},
};

fn held(node: &Node<OneThread>) -> Held<OneThread> {
    let upstream = |_| -> super::FlushOf<OneThread> { Box::pin(ready(Ok(()))) };
    Held { id: node.id(), dirty_up_to: None, own: Some(node.clone()), upstream: erased!(upstream, Other<OneThread>) }
}

/// D82: an edge until flushed gives way between the step in which a flush finds it and the one in which that asks what is
/// dirty there. The flush then asks for nothing, or it would close a circle. (P17)
#[test]
fn d82_gives_way_while_a_flush_looks() {
    for is_wished_anew in [false, true] {
        let [a, b] = ["a", "b"].map(|name| Node::new(Arc::from(name)));
        let (to_a, to_b) = (held(&a), held(&b));
        [&a, &b].into_iter().for_each(|node| _ = node.note(Some(1), 1));
        a.connect(&to_b, Kind::UntilFlushed).expect("no circle");
        let (_, need, to) = a.with(|edges| edges.obey(None)).expect("there is one");
        assert!(need.until_flushed.is_some());
        if is_wished_anew {
            a.connect(&to_b, Kind::UntilFlushed).expect("no circle");
            assert_eq!(a.ask_now(&to), Some(1));
            assert!(b.connect(&to_a, Kind::UpTo(1)).is_err(), "it is asked for");
        } else {
            b.connect(&to_a, Kind::UpTo(1)).expect("it gives way");
            assert_eq!(a.ask_now(&to), None);
            assert!(a.connect(&to_b, Kind::Always).is_err(), "b waits for a");
        }
        // No edge keeps the nodes alive.
        [&a, &b].into_iter().for_each(|node| drop(node.forget(true)));
    }
}

/// D82: what has been flushed counts for no circle, also while the caches that needed it have not been told. (P17)
#[test]
fn d82_served_and_not_told_yet() {
    for kind in [None, Some(Kind::UntilFlushed), Some(Kind::Always)] {
        let nodes = ["a", "b", "c", "d"].map(|name| Node::new(Arc::from(name)));
        let [a, b, c, d] = &nodes;
        nodes.iter().for_each(|node| _ = node.note(Some(1), 1));
        for (from, to) in [(a, b), (b, c), (c, d)] {
            from.connect(&held(to), Kind::UpTo(1)).expect("no circle");
        }
        kind.into_iter().for_each(|kind| b.connect(&held(c), kind).expect("no circle"));
        assert!(d.connect(&held(a), Kind::UpTo(1)).is_err());
        let served = c.note(Some(2), 2);
        let is_refused = d.connect(&held(a), Kind::UpTo(1)).is_err();
        assert_eq!(is_refused, kind == Some(Kind::Always), "{kind:?}");
        c.serve(served);
        assert_eq!(b.with(|edges| edges.needs(c.id())).is_some(), is_refused, "{kind:?}");
        nodes.iter().for_each(|node| drop(node.forget(true)));
    }
}
