//! The graph of dependencies: circles and reversals.
use super::*;

on_every_runtime! {
    c72_circles
    c72_one_shot_circles
    c72_a_chain_of_ten
    d82_only_what_is_unsatisfied_counts
    d82_a_refused_edge_changes_nothing
    d82_flush_then_depend_on_reverses
    d82_flush_then_depend_on_may_fail
    d82_flush_then_depend_on_a_standing_one
}

/// C72. (P17)
fn c72_circles<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (b, c) = (beside::<R>(&sim, &disk, "b").1, beside::<R>(&sim, &disk, "c").1);
    assert_eq!(circle(a.always_depend_on(&a)), "a a");
    a.always_depend_on(&b).expect("no circle");
    assert_eq!(circle(b.always_depend_on(&a)), "b a b");
    b.always_depend_on(&c).expect("no circle");
    assert_eq!(circle(c.always_depend_on(&a)), "c a b c");
    c.depend_on(&a).expect("nothing is dirty there");
    sim.write(&a, 1, 11);
    assert_eq!(circle(c.depend_on(&a)), "c a b c");
    assert_eq!(
        c.depend_on(&a).expect_err("a circle").to_string(),
        "flushing would never end: c before a before b before c"
    );
    for pages in [&b, &c] {
        sim.write(pages, 1, 11);
    }
    let i = sim.flush(&a);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 c1=11", "0 b1=11", "0 a1=11"]);
}

/// C72: edges to dirty caches. (P17)
fn c72_one_shot_circles<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (b, c) = (beside::<R>(&sim, &disk, "b").1, beside::<R>(&sim, &disk, "c").1);
    for pages in [&a, &b, &c] {
        sim.write(pages, 1, 11);
    }
    assert_eq!(circle(a.depend_on(&a)), "a a");
    a.depend_on(&b).expect("no circle");
    assert_eq!(circle(b.depend_on(&a)), "b a b");
    assert_eq!(circle(b.always_depend_on(&a)), "b a b");
    b.depend_on(&c).expect("no circle");
    assert_eq!(circle(c.depend_on(&a)), "c a b c");
    let i = sim.flush(&a);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 c1=11", "0 b1=11", "0 a1=11"]);
}

/// C72. (P17)
fn c72_a_chain_of_ten<R: Host>() {
    let (mut sim, disk, first) = start::<R>(10);
    let mut chain = vec![first];
    for name in ["b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        let (_, pages) = beside::<R>(&sim, &disk, name);
        chain.last().expect("there is one").always_depend_on(&pages).expect("no circle");
        chain.push(pages);
    }
    let last = chain.last().expect("there is one");
    sim.write(&chain[0], 1, 1);
    for always in [false, true] {
        let closes = if always { last.always_depend_on(&chain[0]) } else { last.depend_on(&chain[0]) };
        assert_eq!(circle(closes), "j a b c d e f g h i j");
    }
    for pages in &chain[1..] {
        sim.write(pages, 1, 1);
    }
    let i = sim.flush(&chain[0]);
    let log: Vec<_> = disk.log().iter().map(|line| line[2..3].to_string()).collect();
    assert_eq!((sim.saw(i), log.concat()), ("0: done".into(), "jihgfedcba".into()));
}

/// D82.
fn d82_only_what_is_unsatisfied_counts<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 1);
    sim.write(&b, 1, 1);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| after(10).fails(1));
    sim.flush(&b);
    sim.to(10);
    assert_eq!(circle(b.depend_on(&a)), "b a b", "it has failed");
    other.flushes_by(|_, _| after(10));
    let flush = sim.flush(&b);
    assert_eq!(circle(b.depend_on(&a)), "b a b", "it is not over");
    sim.drop(flush);
    assert_eq!(circle(b.depend_on(&a)), "b a b", "it was dropped");
    sim.flush(&b);
    sim.to(15);
    // A change made now is not covered, and counts for nothing.
    sim.write(&b, 1, 2);
    sim.to(20);
    assert_eq!((circle(b.depend_on(&a)), b.dirty()), ("no circle".into(), 1));
    assert_eq!(circle(a.depend_on(&b)), "a b a");
}

/// D82: refused at once, never resolved by flushing.
fn d82_a_refused_edge_changes_nothing<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 1);
    sim.write(&b, 1, 1);
    a.depend_on(&b).expect("no circle");
    assert_eq!(circle(b.always_depend_on(&a)), "b a b");
    assert_eq!((a.dirty(), b.dirty(), disk.flushes()), (1, 1, 0));
    sim.flush(&b);
    assert_eq!(disk.log(), ["0 b1=1"], "no edge has stayed");
}

/// D82.
fn d82_flush_then_depend_on_reverses<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    disk.flushes_by(|_, _| after(10));
    other.flushes_by(|_, _| after(10));
    sim.write(&a, 1, 1);
    sim.write(&b, 1, 1);
    a.depend_on(&b).expect("no circle");
    let (from, to) = (b.clone(), a.clone());
    let turns = sim.call(async move {
        Answer::Text(from.flush_then_depend_on(&to).await.map_or_else(|e| e.to_string(), |()| "done".into()))
    });
    sim.to(15);
    // The entry is dirty again by the time the other cache is flushed, which then depends on it.
    sim.write(&a, 1, 2);
    sim.write(&b, 1, 2);
    sim.to(20);
    assert_eq!((sim.saw(turns), disk.log()), ("20: done".into(), vec!["10 b1=1".to_string(), "20 a1=1".into()]));
    assert_eq!(circle(a.depend_on(&b)), "a b a");
    sim.flush(&b);
    sim.to(40);
    assert_eq!(disk.log(), ["30 a1=2", "40 b1=2"]);
}

/// D82: if it fails, nothing has changed except what was flushed.
fn d82_flush_then_depend_on_may_fail<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 1);
    sim.write(&b, 1, 1);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| ready().fails(7));
    let error = wakers::now(b.flush_then_depend_on(&a)).expect_err("it cannot be flushed");
    assert!(matches!(&error, larder::DependError::Unflushed(unflushed) if unflushed.cache() == "a"), "{error}");
    assert!(error.to_string().contains("E7"), "{error}");
    assert_eq!(circle(b.depend_on(&a)), "b a b");
    other.flushes_by(|_, _| never());
    let (from, to) = (b.clone(), a.clone());
    let turns = sim.call(async move { from.flush_then_depend_on(&to).await.expect("never") });
    sim.drop(turns);
    other.flushes_by(|_, _| ready());
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=1", "0 a1=1"]);
}

/// D82: a standing edge stays.
fn d82_flush_then_depend_on_a_standing_one<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    a.always_depend_on(&b).expect("no circle");
    wakers::now(b.flush_then_depend_on(&a)).expect("nothing is dirty there");
    sim.write(&a, 1, 1);
    disk.flushes_by(|_, _| after(10));
    let (from, to) = (b.clone(), a.clone());
    let turns = sim.call(async move {
        let refused = from.flush_then_depend_on(&to).await;
        Answer::Text(format!("{}", matches!(refused, Err(larder::DependError::Circle(_)))))
    });
    sim.to(5);
    sim.write(&a, 1, 2);
    sim.to(10);
    assert_eq!(sim.saw(turns), "10: true");
}

/// C72, P17: two caches that add an edge to each other at the same time: only one succeeds, and flushing ends.
#[test]
fn c72_circles_among_threads() {
    use larder::{
        ManualClock,
        parts::{NoTimer, Std},
    };
    use std::{sync::Barrier, thread};

    let make = |name| {
        WriteBack::builder(Std::new(NoTimer::new(ManualClock::new())), Sink)
            .capacity(8)
            .name(name)
            .build()
            .expect("valid")
    };
    for round in 0..200 {
        let ring: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| make(name)).collect();
        for pages in &ring {
            wakers::now(pages.get_or_load(&1)).expect("it is loaded").set(1);
        }
        let barrier = Barrier::new(4);
        let refused: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|nth| {
                    let (ring, barrier) = (&ring, &barrier);
                    scope.spawn(move || {
                        let (from, to) = (&ring[nth], &ring[(nth + 1) % 4]);
                        barrier.wait();
                        let edge = if round % 2 == 0 { from.depend_on(to) } else { from.always_depend_on(to) };
                        usize::from(edge.is_err())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
        });
        assert_eq!(refused, 1, "exactly one edge would have closed it");
        ring.iter().for_each(|pages| assert!(wakers::now(pages.flush()).is_ok()));
        assert!(ring.iter().all(|pages| pages.dirty() == 0));
    }
}

/// A disk that accepts everything.
pub(super) struct Sink;

impl larder::Backend<u32> for Sink {
    type Value = u32;
    type Error = Boom;
    type Load = core::future::Ready<Result<u32, Boom>>;
    type Flush = core::future::Ready<Result<(), Boom>>;
    type Discard = core::future::Ready<()>;

    fn load(&self, key: u32) -> Self::Load {
        core::future::ready(Ok(key))
    }

    fn flush(&self, _: u32, _: u32) -> Self::Flush {
        core::future::ready(Ok(()))
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        core::future::ready(())
    }

    fn lost(&self, _: Vec<u32>) {}
}
