//! The three kinds of dependencies, and how each of them ends.

use super::*;

on_every_runtime! {
    c131_until_flushed
    c131_until_flushed_by_an_eviction
    c131_until_it_is_really_flushed
    c131_wished_anew_during_the_flush
    c131_nothing_was_dirty_when_that_failed
    c131_nothing_is_dirty_there
    c131_a_standing_one_is_taken_back
    c131_taken_back_with_others_beside_it
    c131_until_flushed_counts_for_no_circle
    c131_two_until_flushed_in_turn
    c131_across_a_clean_cache
    c131_passed_on_the_way
}

pub(super) fn two<R: Host>() -> (Sim, Disk, Pages<R>, Pages<R>) {
    let (sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    (sim, disk, a, b)
}

/// C131: what is dirty there when this one is flushed goes first, and nothing after that. (D82, P17)
fn c131_until_flushed<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    a.depend_until_flushed_on(&b).expect("no circle");
    a.depend_until_flushed_on(&b).expect("the same once more");
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=11", "0 a1=12"]);
    sim.write(&b, 2, 21);
    sim.write(&a, 2, 22);
    sim.flush(&a);
    assert_eq!((disk.log(), b.dirty()), (vec!["0 a2=22".to_string()], 1));
}

/// C131: the flush of one key is enough, by any call.
fn c131_until_flushed_by_an_eviction<R: Host>() {
    for how in 0..3 {
        let (mut sim, disk, a) = start::<R>(1);
        let (_, b) = beside::<R>(&sim, &disk, "b");
        a.depend_until_flushed_on(&b).expect("no circle");
        sim.write(&b, 1, 11);
        sim.write(&a, 1, 12);
        match how {
            0 => _ = sim.load(&a, 2),
            1 => _ = sim.remove(&a, 1),
            _ => _ = sim.flush_key(&a, 1),
        }
        assert_eq!(disk.log(), ["0 b1=11", "0 a1=12"], "{how}");
        sim.write(&b, 2, 21);
        sim.write(&a, 3, 22);
        sim.flush(&a);
        assert_eq!(disk.log(), ["0 a3=22"], "{how}");
    }
}

/// C131: a flush that fails or is dropped leaves the edge, and newly dirty entries go first as well. (P16, P17)
fn c131_until_it_is_really_flushed<R: Host>() {
    for is_dropped in [false, true] {
        let (mut sim, disk, a) = start::<R>(10);
        let (other, b) = beside::<R>(&sim, &disk, "b");
        a.depend_until_flushed_on(&b).expect("no circle");
        sim.write(&b, 1, 11);
        sim.write(&a, 1, 12);
        other.flushes_by(move |_, _| if is_dropped { after(10) } else { after(10).fails(1) });
        let flush = sim.flush(&a);
        assert_eq!(circle(b.depend_on(&a)), "b a b", "it is asked for now");
        sim.to(5);
        if is_dropped {
            sim.drop(flush);
        }
        sim.to(20);
        assert_eq!((disk.log().len(), a.dirty(), b.dirty()), (0, 1, 1));
        other.flushes_by(|_, _| ready());
        sim.write(&b, 2, 21);
        sim.flush(&a);
        assert_eq!(disk.log(), ["20 b1=11", "20 b2=21", "20 a1=12"]);
        sim.write(&b, 2, 31);
        sim.write(&a, 1, 32);
        sim.flush(&a);
        assert_eq!(disk.log(), ["20 a1=32"]);
    }
}

/// C131: it is a wish of its own, for the flush after this one.
fn c131_wished_anew_during_the_flush<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    other.flushes_by(|_, _| after(10));
    a.depend_until_flushed_on(&b).expect("no circle");
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    sim.to(5);
    a.depend_until_flushed_on(&b).expect("no circle");
    sim.write(&b, 2, 21);
    sim.to(10);
    assert_eq!(disk.log(), ["10 b1=11", "10 a1=12"]);
    sim.write(&a, 2, 22);
    sim.flush(&a);
    sim.to(20);
    assert_eq!(disk.log(), ["20 b2=21", "20 a2=22"]);
}

/// C131: a flush that failed does not count as the next one, though nothing had to go before it. (P16, P17)
fn c131_nothing_was_dirty_when_that_failed<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    let (other, c) = beside::<R>(&sim, &disk, "c");
    a.depend_until_flushed_on(&b).expect("no circle");
    a.always_depend_on(&c).expect("no circle");
    other.flushes_by(|_, _| ready().fails(3));
    sim.write(&c, 1, 13);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    assert_eq!((disk.log().len(), a.dirty()), (0, 1));
    other.flushes_by(|_, _| ready());
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 22);
    sim.flush(&a);
    let log = disk.log();
    assert!(log.len() == 3 && log[2] == "0 a1=22", "{log:?}");
}

/// C131: with nothing dirty there, this flush was still the next one, and the edge is over.
fn c131_nothing_is_dirty_there<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    a.depend_until_flushed_on(&b).expect("no circle");
    sim.flush(&a);
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=11", "0 a1=12"], "nothing was flushed before");
    a.depend_until_flushed_on(&b).expect("no circle");
    sim.write(&a, 1, 13);
    sim.flush(&a);
    sim.write(&b, 1, 21);
    sim.write(&a, 1, 22);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 a1=13", "0 a1=22"]);
}

/// C131. (D82)
fn c131_a_standing_one_is_taken_back<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    assert!(!a.stop_depending_on(&b));
    a.always_depend_on(&b).expect("no circle");
    for round in 0..2 {
        sim.write(&b, 1, round);
        sim.write(&a, 1, round);
        sim.flush(&a);
        assert_eq!(disk.log(), [format!("0 b1={round}"), format!("0 a1={round}")]);
    }
    assert_eq!(circle(b.always_depend_on(&a)), "b a b");
    assert!(a.stop_depending_on(&b) && !a.stop_depending_on(&b));
    sim.write(&b, 2, 21);
    sim.write(&a, 2, 22);
    sim.flush(&a);
    assert_eq!((disk.log(), b.dirty()), (vec!["0 a2=22".to_string()], 1));
    b.always_depend_on(&a).expect("no circle any more");
    sim.write(&a, 3, 31);
    sim.flush(&b);
    assert_eq!(disk.log(), ["0 a3=31", "0 b2=21"]);
}

/// C131: the other edges between the two stay, and a flush under way keeps the edges it began with. (P17)
fn c131_taken_back_with_others_beside_it<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    a.always_depend_on(&b).expect("no circle");
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    a.depend_on(&b).expect("no circle");
    assert!(a.stop_depending_on(&b));
    assert_eq!(circle(b.depend_on(&a)), "b a b", "the one-shot edge is still there");
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=11", "0 a1=12"]);
    a.always_depend_on(&b).expect("no circle");
    a.depend_until_flushed_on(&b).expect("no circle");
    assert!(a.stop_depending_on(&b));
    sim.write(&b, 1, 21);
    sim.write(&a, 1, 22);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=21", "0 a1=22"]);
    a.always_depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| after(10));
    sim.write(&b, 1, 31);
    sim.write(&a, 1, 32);
    sim.flush(&a);
    sim.to(5);
    assert!(a.stop_depending_on(&b));
    sim.to(10);
    assert_eq!(disk.log(), ["10 b1=31", "10 a1=32"]);
}

/// C131, C72: it gives way to an edge that would close a circle with it, and is refused if others lead back. (D82, P17)
fn c131_until_flushed_counts_for_no_circle<R: Host>() {
    for always in [false, true] {
        let (mut sim, disk, a, b) = two::<R>();
        assert_eq!(circle(a.depend_until_flushed_on(&a)), "a a");
        a.depend_until_flushed_on(&b).expect("no circle");
        sim.write(&a, 1, 12);
        sim.write(&b, 1, 11);
        if always { b.always_depend_on(&a) } else { b.depend_on(&a) }.expect("no circle");
        assert_eq!(circle(a.depend_until_flushed_on(&b)), "a b a");
        let flushes = [sim.flush(&b), sim.flush(&a)];
        assert!(flushes.iter().all(|i| sim.saw(*i) == "0: done"));
        assert_eq!(disk.log(), ["0 a1=12", "0 b1=11"]);
        assert_eq!(circle(a.depend_until_flushed_on(&b)), if always { "a b a" } else { "no circle" });
    }
}

/// C131: the later edge counts; flushing ends, and neither cache keeps the other alive. (P17, D84)
fn c131_two_until_flushed_in_turn<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    a.depend_until_flushed_on(&b).expect("no circle");
    b.depend_until_flushed_on(&a).expect("no circle");
    sim.write(&a, 1, 12);
    sim.write(&b, 1, 11);
    let flushes = [sim.flush(&b), sim.flush(&a)];
    assert!(flushes.iter().all(|i| sim.saw(*i) == "0: done"));
    assert_eq!(disk.log(), ["0 a1=12", "0 b1=11"]);
    a.depend_until_flushed_on(&b).expect("no circle");
    b.depend_until_flushed_on(&a).expect("no circle");
    sim.write(&a, 1, 22);
    sim.write(&b, 1, 21);
    drop((sim, a, b));
    assert_eq!((disk.lost(), other.lost()), (vec![vec![1]], vec![vec![1]]));
}

/// C131: a wish of a cache that is flushed before this one. (P17)
fn c131_across_a_clean_cache<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    let (_, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.depend_until_flushed_on(&c).expect("no circle");
    sim.write(&c, 1, 13);
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 c1=13", "0 b1=11", "0 a1=12"]);
    sim.write(&c, 1, 23);
    sim.write(&b, 1, 21);
    sim.write(&a, 1, 22);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=21", "0 a1=22"]);
}

/// C131: a cache that is only passed through, because it has nothing to flush, has not been flushed. (P17)
fn c131_passed_on_the_way<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    let (_, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.depend_until_flushed_on(&c).expect("no circle");
    sim.write(&c, 1, 13);
    sim.write(&a, 1, 12);
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 c1=13", "0 a1=12"]);
    sim.write(&c, 1, 23);
    sim.write(&b, 1, 21);
    sim.flush(&b);
    assert_eq!(disk.log(), ["0 c1=23", "0 b1=21"]);
}

/// D79, D81: of a cache on many threads, a flush of one on a single thread waits for what is dirty there when it begins,
/// however often that is changed meanwhile. (P3)
#[test]
fn d79_a_cache_of_many_threads_that_is_changed_all_the_time() {
    use larder::{
        Backend, BoxIo, ManualClock,
        parts::{Local, Std},
    };

    /// Each flush takes two polls.
    struct Slow;

    impl Backend<u32> for Slow {
        type Value = u32;
        type Error = Boom;
        type Load = BoxIo<Result<u32, Boom>>;
        type Flush = BoxIo<Result<(), Boom>>;
        type Discard = BoxIo<()>;

        fn load(&self, key: u32) -> Self::Load {
            Box::pin(core::future::ready(Ok(key)))
        }

        fn flush(&self, _: u32, _: u32) -> Self::Flush {
            Box::pin(async {
                futures_lite::future::yield_now().await;
                Ok(())
            })
        }

        fn discard(&self, _: u32, _: u32) -> Self::Discard {
            Box::pin(core::future::ready(()))
        }

        fn lost(&self, _: Vec<u32>) {}
    }

    for always in [true, false] {
        let a = WriteBack::builder(Local::new(ManualClock::new()), Slow).build().expect("valid");
        let b = WriteBack::builder(Std::new(ManualClock::new()), Slow).flush_limit(1).build().expect("valid");
        if always { a.always_depend_on(&b) } else { a.depend_until_flushed_on(&b) }.expect("no circle");
        let write = |key| wakers::now(b.get_or_load(&key)).expect("it is loaded").set(7);
        wakers::now(a.get_or_load(&1)).expect("it is loaded").set(7);
        write(1);
        let mut flush = a.flush();
        let polls = (0..20).take_while(|key| {
            // One more key, and the one that is being written.
            let poll = wakers::poll_once(&mut flush);
            write(100 + key);
            write(1);
            poll.is_pending()
        });
        assert!(polls.count() < 10);
        assert_eq!(a.dirty(), 0);
    }
}
