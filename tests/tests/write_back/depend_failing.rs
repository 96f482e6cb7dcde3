//! Dependencies that cannot be flushed.

use super::*;

on_every_runtime! {
    c73_the_dependencys_flush_fails
    several_dependencies_of_which_one_fails
    a_dependency_that_panics
    what_failed_in_a_dependency_is_told
}

/// C73. (P16, P17)
fn c73_the_dependencys_flush_fails<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| ready().fails(3));
    for _ in 0..3 {
        let i = sim.load(&a, 2);
        assert!(sim.saw(i).contains("E3"), "{}", sim.saw(i));
        assert_eq!((a.dirty(), b.dirty(), disk.flushes()), (1, 1, 0));
        assert_eq!(value(&a, 1), Some(11));
    }
    other.flushes_by(|_, _| ready());
    let i = sim.flush(&a);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 b5=55", "0 a1=11"]);
    assert_all_is_free(&mut sim, &disk, &a, 1);
}

/// D80: one failure does not stop the flushes of the others.
fn several_dependencies_of_which_one_fails<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (bad, b) = beside::<R>(&sim, &disk, "b");
    let (slow, c) = beside::<R>(&sim, &disk, "c");
    for pages in [&b, &c] {
        sim.write(pages, 1, 1);
        a.always_depend_on(pages).expect("no circle");
    }
    sim.write(&a, 1, 1);
    bad.flushes_by(|_, _| after(10).fails(2));
    slow.flushes_by(|_, _| after(30));
    let flush = sim.flush(&a);
    sim.to(30);
    assert!(sim.saw(flush).starts_with("30: [1: ") && sim.saw(flush).contains("E2"), "{}", sim.saw(flush));
    assert_eq!((disk.log(), a.dirty(), c.dirty()), (vec!["30 c1=1".to_string()], 1, 0));
}

/// P5, P17.
fn a_dependency_that_panics<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let (bad, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    bad.flushes_by(|_, call| if call == 0 { after(10).panics(3) } else { ready() });
    let callers = [sim.load(&a, 2), sim.flush(&b), sim.flush(&a)];
    sim.to(10);
    let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
    assert_eq!(saw.iter().filter(|saw| *saw == "10: unwound 3").count(), 1, "{saw:?}");
    assert!(saw.iter().all(|saw| saw != "waits"), "{saw:?}");
    assert_eq!((a.dirty(), b.dirty(), value(&a, 1)), (1, 1, Some(11)));
    sim.flush(&a);
    assert_eq!(disk.log(), ["10 b5=55", "10 a1=11"]);
    assert_all_is_free(&mut sim, &disk, &a, 1);
}

/// The error tells which cache failed, and why, however long the path to it.
fn what_failed_in_a_dependency_is_told<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    let (bad, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.always_depend_on(&c).expect("no circle");
    for pages in [&a, &b, &c] {
        sim.write(pages, 1, 1);
    }
    bad.flushes_by(|_, _| ready().fails(8));
    let error = wakers::now(a.flush()).expect_err("it fails").failed()[0].1.clone();
    let text = error.to_string();
    assert!(text.contains("\"b\"") && text.contains("\"c\"") && text.contains("E8"), "{text}");
    let larder::WriteBackError::Failed(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(failure.error(), Some(larder::Fault::Dependency(unflushed)) if unflushed.cache() == "b"));
}

/// The error of a dependency is found among the sources, where errors may be sent between threads.
#[test]
fn errors_of_dependencies_keep_their_cause() {
    use larder::{Backend, BoxIo, ManualClock, parts::Std};
    use std::error::Error;

    #[derive(Clone)]
    struct Fails;

    impl Backend<u32> for Fails {
        type Value = u32;
        type Error = Boom;
        type Load = BoxIo<Result<u32, Boom>>;
        type Flush = BoxIo<Result<(), Boom>>;
        type Discard = BoxIo<()>;

        fn load(&self, key: u32) -> Self::Load {
            Box::pin(async move { Ok(key) })
        }

        fn flush(&self, key: u32, _: u32) -> Self::Flush {
            Box::pin(async move { Err(Boom(key)) })
        }

        fn discard(&self, _: u32, _: u32) -> Self::Discard {
            Box::pin(async {})
        }

        fn lost(&self, _: Vec<u32>) {}
    }

    let make = |name| WriteBack::builder(Std::new(ManualClock::new()), Fails).capacity(1).name(name).build();
    let (a, b, c) = (make("a").expect("valid"), make("b").expect("valid"), make("c").expect("valid"));
    a.always_depend_on(&b).expect("no circle");
    b.always_depend_on(&c).expect("no circle");
    for (pages, key) in [(&a, 1), (&b, 2), (&c, 3)] {
        wakers::now(pages.get_or_load(&key)).expect("it is loaded").set(7);
    }
    let told = |error: &dyn Error| (error.to_string().matches("E3").count(), error.source().is_none());
    let flush = wakers::now(a.flush()).expect_err("it fails");
    assert_eq!(told(&flush.failed()[0].1), (1, true), "{}", flush.failed()[0].1);
    let load = wakers::now(a.get_or_load(&9)).expect_err("no room");
    assert_eq!(told(&load), (1, true), "{load}");
    let load = wakers::now(c.get_or_load(&9)).expect_err("no room");
    assert_eq!((told(&load), load.error()), ((1, true), Some(&Boom(3))), "{load}");
}
