//! Flushing.
use super::*;

on_every_runtime! {
    what_is_changed_is_written
    c71_flush_beside_eviction
    c72_circles
    c73_the_dependencys_flush_fails
    c75_a_hostile_back_end
    c76_hits_do_not_wait
    c79_changed_while_it_is_flushed
    c80_the_end
    callers_share_a_load
}

fn what_is_changed_is_written<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    assert_eq!((pages.dirty(), disk.page(1)), (2, None));
    let i = sim.flush(&pages);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 a1=11", "0 a2=22"]);
    assert_eq!(pages.dirty(), 0);
}

fn callers_share_a_load<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    disk.loads_by(|_, _| after(50));
    let pages = pages::<R>(&sim, &disk, |p| p);
    let callers: Vec<_> = (0..20).map(|_| sim.load(&pages, 7)).collect();
    sim.drop(callers[0]);
    sim.to(50);
    assert!(callers[1..].iter().all(|i| sim.saw(*i) == "50: V70"));
    assert_eq!((disk.loads(), pages.pinned()), (1, 0));
    // C03: keys do not wait for each other.
    let others: Vec<_> = (100..120).map(|key| sim.load(&pages, key)).collect();
    sim.to(100);
    assert!(others.iter().all(|i| sim.saw(*i).starts_with("100: V1")));
}

/// C71. (P13, P17)
fn c71_flush_beside_eviction<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let first = disk.beside("b");
    disk.flushes_by(|_, _| after(50));
    first.flushes_by(|_, _| after(50));
    let pages1 = pages::<R>(&sim, &disk, |p| p.capacity(2).name("a"));
    let pages2 = pages::<R>(&sim, &first, |p| p.capacity(2).name("b"));
    pages1.depend_on(&pages2).expect("no circle");
    sim.write(&pages1, 1, 11);
    sim.write(&pages1, 2, 12);
    sim.write(&pages2, 1, 21);
    pages1.depend_on(&pages2).expect("no circle");
    let flush = sim.flush(&pages1);
    sim.to(10);
    let miss = sim.load(&pages1, 3);
    let hit = sim.load(&pages1, 2);
    assert_eq!(sim.saw(hit), "10: V12");
    sim.to(200);
    assert_eq!((sim.saw(flush), sim.saw(miss)), ("100: done".into(), "100: V30".into()));
    assert_eq!(disk.log(), ["50 b1=21", "100 a1=11", "100 a2=12"]);
}

/// C72. (P17)
fn c72_circles<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let named = |name: &'static str| pages::<R>(&sim, &disk.beside(name), |p| p.name(name));
    let (a, b, c) = (named("a"), named("b"), named("c"));
    let names = |error: larder::CircleError| error.names().collect::<Vec<_>>().join(" ");
    assert_eq!(a.always_depend_on(&a).map_err(names), Err("a a".into()));
    a.always_depend_on(&b).expect("no circle");
    assert_eq!(b.always_depend_on(&a).map_err(names), Err("b a b".into()));
    b.always_depend_on(&c).expect("no circle");
    assert_eq!(c.always_depend_on(&a).map_err(names), Err("c a b c".into()));
    c.depend_on(&a).expect("nothing is dirty there");
    sim.write(&a, 1, 11);
    assert_eq!(c.depend_on(&a).map_err(names), Err("c a b c".into()));
    for pages in [&b, &c] {
        sim.write(pages, 1, 11);
    }
    let i = sim.flush(&a);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 c1=11", "0 b1=11", "0 a1=11"]);
}

/// C73. (P16, P17)
fn c73_the_dependencys_flush_fails<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let other = disk.beside("b");
    let a = pages::<R>(&sim, &disk, |p| p.capacity(1).name("a"));
    let b = pages::<R>(&sim, &other, |p| p.name("b"));
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| ready().fails(3));
    let i = sim.load(&a, 2);
    assert!(sim.saw(i).contains("E3"), "{}", sim.saw(i));
    assert_eq!((a.dirty(), disk.flushes()), (1, 0));
    assert_eq!(a.try_get(&1).map(|handle| *handle.value()), Some(11));
    other.flushes_by(|_, _| ready());
    let i = sim.flush(&a);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 b5=55", "0 a1=11"]);
}

/// C75. (P5, P16)
fn c75_a_hostile_back_end<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p);
    for key in 1..=4 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| if key == 2 { after(10).fails(2) } else { after(30) });
    let i = sim.flush(&pages);
    sim.to(30);
    assert_eq!(sim.saw(i), "30: [2: E2]");
    assert_eq!((pages.dirty(), disk.log().len()), (1, 3));
    disk.flushes_by(|_, _| after(10).panics(9));
    let i = sim.flush(&pages);
    sim.to(40);
    assert_eq!(sim.saw(i), "40: unwound 9");
    assert_eq!(pages.dirty(), 1);
    disk.flushes_by(|_, _| ready());
    let i = sim.flush(&pages);
    assert_eq!(sim.saw(i), "40: done");
    assert_eq!(disk.log(), ["40 a2=2"]);
}

/// C76. (P13)
fn c76_hits_do_not_wait<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p.capacity(3));
    sim.load(&pages, 1);
    sim.write(&pages, 2, 22);
    disk.loads_by(|_, _| after(500));
    disk.flushes_by(|_, _| after(300));
    let slow = sim.load(&pages, 3);
    let flush = sim.flush(&pages);
    let hit = sim.load(&pages, 1);
    assert_eq!(sim.saw(hit), "0: V10");
    let flushed = sim.load(&pages, 2);
    assert_eq!(sim.saw(flushed), "0: V22");
    sim.to(500);
    assert_eq!((sim.saw(slow), sim.saw(flush)), ("500: V30".into(), "300: done".into()));
}

/// C79. (P16)
fn c79_changed_while_it_is_flushed<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    disk.flushes_by(|_, _| after(50));
    let pages = pages::<R>(&sim, &disk, |p| p);
    sim.write(&pages, 1, 10);
    let flush = sim.flush(&pages);
    sim.to(20);
    let kept = sim.pin(&pages, 1);
    kept.borrow()[0].set(V::new(11));
    sim.to(50);
    assert_eq!((sim.saw(flush), disk.page(1), pages.dirty()), ("50: done".into(), Some(10), 1));
    let next = sim.flush(&pages);
    sim.to(100);
    assert_eq!((sim.saw(next), disk.page(1), pages.dirty()), ("100: done".into(), Some(11), 0));
    let inserts = pages.clone();
    let i = sim.call(async move { told(inserts.insert(1, V::new(5), Room::Try).await) });
    assert_eq!(sim.saw(i), "100: Pinned [1]");
    kept.take();
}

/// C80. (P16)
fn c80_the_end<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let cache = pages::<R>(&sim, &disk, |p| p);
    for key in 1..=3 {
        sim.write(&cache, key, key);
    }
    disk.flushes_by(|key, _| if key == 2 { ready().fails(2) } else { ready() });
    let closing = cache.clone();
    let i = sim.call(async move { closing.close().await });
    assert_eq!(sim.saw(i), "0: [2: E2]");
    let i = sim.load(&cache, 4);
    assert_eq!(sim.saw(i), "0: Closed");
    disk.flushes_by(|_, _| ready());
    let closing = cache.clone();
    let i = sim.call(async move { closing.close().await });
    assert_eq!(sim.saw(i), "0: done");
    drop(cache);
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new());

    let cache = pages::<R>(&sim, &disk, |p| p);
    for key in 1..=3 {
        sim.write(&cache, key, key);
    }
    drop(cache);
    sim = Sim::new();
    drop(sim);
    assert_eq!(disk.lost(), [[1, 2, 3]]);
}
