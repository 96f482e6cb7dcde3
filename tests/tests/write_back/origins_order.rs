//! The faults of the origin: order across caches.

use super::*;

on_every_runtime! {
    i02_two_that_depend_on_each_other
    i03_a_circle_of_three
    i04_the_dependencys_flush_fails
    i06_dropped_during_the_flush_of_a_dependency
}

/// I2: also a cache that depends on itself. (P17)
fn i02_two_that_depend_on_each_other<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    assert_eq!((circle(a.depend_on(&a)), circle(a.always_depend_on(&a))), ("a a".into(), "a a".into()));
    a.depend_on(&b).expect("no circle");
    assert_eq!(circle(b.depend_on(&a)), "b a b");
    let flushes = [sim.flush(&a), sim.flush(&b)];
    assert!(flushes.iter().all(|i| sim.saw(*i) == "0: done"));
}

/// I3: only direct edges were looked at. (P17)
fn i03_a_circle_of_three<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (b, c) = (beside::<R>(&sim, &disk, "b").1, beside::<R>(&sim, &disk, "c").1);
    for pages in [&a, &b, &c] {
        sim.write(pages, 1, 1);
    }
    a.depend_on(&b).expect("no circle");
    b.depend_on(&c).expect("no circle");
    assert_eq!(circle(c.depend_on(&a)), "c a b c");
    let flush = sim.flush(&a);
    assert_eq!((sim.saw(flush), disk.log().len()), ("0: done".into(), 3));
}

/// I4: the entry had left the map by then. (P16)
fn i04_the_dependencys_flush_fails<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| after(10).fails(4));
    let load = sim.load(&a, 2);
    sim.to(10);
    assert!(sim.saw(load).contains("E4"));
    assert_eq!((value(&a, 1), a.dirty(), disk.loads()), (Some(11), 1, 1));
    other.flushes_by(|_, _| ready());
    sim.flush(&a);
    assert_eq!(disk.log(), ["10 b5=55", "10 a1=11"]);
}

/// I6: a dependency was forgotten before it was flushed. (P16, P17)
fn i06_dropped_during_the_flush_of_a_dependency<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| after(50));
    let flush = sim.flush(&a);
    sim.to(20);
    sim.drop(flush);
    assert_eq!(disk.log().len(), 0);
    let flush = sim.flush(&a);
    sim.to(70);
    assert_eq!((sim.saw(flush), disk.log()), ("70: done".into(), vec!["70 b5=55".to_string(), "70 a1=11".into()]));
}
