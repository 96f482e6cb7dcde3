//! Flushes that are shared, limited, fail or are left.

use super::*;

on_every_runtime! {
    d80_flushes_are_shared
    d80_up_to_the_limit
    d80_one_at_a_time_in_the_order_of_changes
    d80_errors_come_with_their_keys
    d80_a_failure_is_shared
    d80_dirty_again_in_its_old_place
    c75_a_hostile_back_end
    a_panic_is_contained
    a_parked_flush_holds_nobody_up
}

/// C75. (P5, P16)
fn c75_a_hostile_back_end<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
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

/// D80. (P2)
fn d80_flushes_are_shared<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    disk.flushes_by(|_, _| steps(6, 10));
    sim.write(&pages, 1, 11);
    let flush = sim.flush(&pages);
    let others = [sim.flush_key(&pages, 1), sim.load(&pages, 2), sim.remove(&pages, 1), sim.flush(&pages)];
    sim.to(20);
    sim.drop(flush);
    sim.park(others[0]);
    sim.to(50);
    assert_eq!((sim.saw(others[1]), sim.saw(others[3])), ("50: V20".into(), "50: done".into()));
    // The first to come has taken it out: the load for its room, or the call that asked for it.
    assert!(["50: V11", "50: nothing"].contains(&sim.saw(others[2]).as_str()), "{}", sim.saw(others[2]));
    assert_eq!(disk.flushes(), 1);
}

/// D80.
fn d80_up_to_the_limit<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(3));
    for key in [5, 3, 9, 1, 7, 2, 8] {
        sim.write(&pages, key, key);
    }
    let begun = Rc::<RefCell<Vec<u32>>>::default();
    let writes = begun.clone();
    disk.flushes_by(move |key, _| {
        writes.borrow_mut().push(key);
        if key == 5 { after(25) } else { after(10) }
    });
    let flush = sim.flush(&pages);
    for (t, all) in [(0, 3), (9, 3), (10, 5), (19, 5), (20, 7)] {
        sim.to(t);
        assert_eq!(begun.borrow().len(), all, "at {t}");
    }
    sim.to(100);
    assert_eq!((sim.saw(flush), pages.dirty()), ("30: done".into(), 0));
    assert_eq!(*begun.borrow(), [5, 3, 9, 1, 7, 2, 8], "oldest first");
    disk.flushes_by(|_, _| ready());
}

/// D80. A key that is changed again keeps its place, as the pending write includes the change.
fn d80_one_at_a_time_in_the_order_of_changes<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(1));
    for (key, value) in [(5, 1), (3, 2), (9, 3), (5, 4), (1, 5), (3, 6)] {
        sim.write(&pages, key, value);
    }
    disk.flushes_by(|key, _| after(u64::from(10 - key)));
    sim.flush(&pages);
    sim.to(100);
    let log: Vec<_> = disk.log().iter().map(|line| line.split(' ').nth(1).unwrap_or_default().to_string()).collect();
    assert_eq!(log, ["a5=4", "a3=6", "a9=3", "a1=5"]);
}

/// D80. (P16)
fn d80_errors_come_with_their_keys<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(2));
    for key in 1..8 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| if key % 3 == 0 { ready().fails(key) } else { after(10) });
    let flush = sim.flush(&pages);
    sim.to(100);
    assert_eq!((sim.saw(flush), disk.flushes(), pages.dirty()), ("30: [3: E3, 6: E6]".into(), 7, 2));
    let error = wakers::now(pages.flush()).expect_err("they fail again");
    assert_eq!(error.to_string(), "could not be flushed: [3, 6], the first because the back end failed: E3");
    let source = core::error::Error::source(&error).is_none();
    assert_eq!((error.failed()[1].0, source, error.failed()[0].1.error()), (6, true, Some(&Boom(3))));
}

/// D80, P4: one flush has one error.
fn d80_a_failure_is_shared<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10).fails(4));
    let callers =
        [sim.flush(&pages), sim.flush_key(&pages, 1), sim.remove(&pages, 1), sim.load(&pages, 2), sim.close(&pages)];
    sim.to(10);
    let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
    assert_eq!(saw, ["10: [1: E4]", "10: [1: E4]", "10: E4", "10: E4", "10: [1: E4]"]);
    assert_eq!((disk.flushes(), pages.dirty()), (1, 1));
}

/// D80. (P16)
fn d80_dirty_again_in_its_old_place<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(1));
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    let (fails, panics, dropped) = (after(10).fails(1), after(10).panics(1), never());
    for script in [fails, panics, dropped] {
        disk.flushes_by(move |_, _| script.clone());
        let flush = sim.flush_key(&pages, 1);
        let now = sim.time.ms();
        sim.to(now + 5);
        sim.write(&pages, 1, 100 + now as u32);
        sim.to(now + 10);
        sim.drop(flush);
        assert_eq!(pages.dirty(), 3);
        disk.flushes_by(|_, _| after(7));
    }
    let flush = sim.flush(&pages);
    sim.to(100);
    assert_eq!(sim.saw(flush), "51: done");
    assert_eq!(disk.log(), ["37 a1=120", "44 a2=2", "51 a3=3"]);
}

/// P5: the caller that polls it unwinds, the others get an error, and the key is dirty.
fn a_panic_is_contained<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, call| if call == 0 { after(10).panics(6) } else { ready() });
    let callers: Vec<_> = (0..5).map(|_| sim.flush(&pages)).collect();
    sim.to(10);
    let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
    assert_eq!(saw.iter().filter(|saw| *saw == "10: unwound 6").count(), 1);
    assert_eq!(saw.iter().filter(|saw| *saw == "10: [1: Panicked]").count(), 4, "{saw:?}");
    assert_eq!((pages.dirty(), disk.flushes()), (1, 1));
    let flush = sim.flush(&pages);
    assert_eq!((sim.saw(flush), disk.page(1)), ("10: done".into(), Some(11)));
}

/// P3.
fn a_parked_flush_holds_nobody_up<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(1).capacity(2));
    sim.write(&pages, 1, 1);
    sim.write(&pages, 2, 2);
    disk.flushes_by(|_, _| steps(3, 10));
    let parked = sim.flush(&pages);
    sim.park(parked);
    let load = sim.load(&pages, 3);
    let flush = sim.flush(&pages);
    sim.to(40);
    assert_eq!((sim.saw(load), sim.saw(flush), sim.saw(parked)), ("20: V30".into(), "40: done".into(), "waits".into()));
    sim.unpark(parked);
    assert_eq!((sim.saw(parked), disk.flushes()), ("40: done".into(), 2));
}
