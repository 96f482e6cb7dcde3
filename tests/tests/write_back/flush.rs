//! Flushing: what is written, when it is over, and which callers share it.
use super::*;

on_every_runtime! {
    d4_a_clock_that_jumps_back
    what_is_changed_is_written
    c79_changed_while_it_is_flushed
    d79_it_returns_when_all_is_on_disk
    d79_joining_a_flush_of_older_content_waits_for_the_next
    d79_what_is_changed_later_is_not_waited_for
    d79_what_was_changed_during_a_flush_before_the_call
    one_key
    by_age
    when_to_flush
    a_flush_of_nothing
    nothing_is_written_twice
    d1_what_was_changed_during_a_flush_grows_old
}

fn what_is_changed_is_written<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    sim.load(&pages, 3);
    assert_eq!((pages.dirty(), disk.page(1)), (2, None));
    let i = sim.flush(&pages);
    assert_eq!(sim.saw(i), "0: done");
    assert_eq!(disk.log(), ["0 a1=11", "0 a2=22"]);
    assert_eq!((pages.dirty(), pages.len(), disk.flushes()), (0, 3, 2));
}

/// C79. (P16)
fn c79_changed_while_it_is_flushed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.flushes_by(|_, _| after(50));
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
    let i = sim.insert(&pages, 1, 5, Room::Try);
    assert_eq!((sim.saw(i), value(&pages, 1), pages.dirty()), ("100: Pinned [1]".into(), Some(11), 0));
    kept.take();
}

/// D79.
fn d79_it_returns_when_all_is_on_disk<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..6 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| after(u64::from(key) * 10));
    let flush = sim.flush(&pages);
    sim.to(49);
    assert_eq!((sim.saw(flush), pages.dirty()), ("waits".into(), 1));
    sim.to(50);
    assert_eq!((sim.saw(flush), pages.dirty()), ("50: done".into(), 0));
}

/// D79.
fn d79_joining_a_flush_of_older_content_waits_for_the_next<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.flushes_by(|_, _| after(50));
    sim.write(&pages, 1, 11);
    let first = sim.flush(&pages);
    sim.to(20);
    sim.write(&pages, 1, 12);
    let (all, key) = (sim.flush(&pages), sim.flush_key(&pages, 1));
    sim.to(50);
    assert_eq!((sim.saw(first), sim.saw(all), sim.saw(key)), ("50: done".into(), "waits".into(), "waits".into()));
    sim.to(100);
    assert_eq!((sim.saw(all), sim.saw(key)), ("100: done".into(), "100: done".into()));
    assert_eq!(disk.log(), ["50 a1=11", "100 a1=12"]);
}

/// D79: a flush ends although other callers go on writing.
fn d79_what_is_changed_later_is_not_waited_for<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.flushes_by(|_, _| after(50));
    sim.write(&pages, 1, 11);
    let flush = sim.flush(&pages);
    for t in 1..5 {
        sim.to(t * 10);
        sim.write(&pages, 1, 11 + t as u32);
        sim.write(&pages, 2 + t as u32, 9);
    }
    sim.to(50);
    assert_eq!((sim.saw(flush), disk.flushes(), pages.dirty()), ("50: done".into(), 1, 5));
}

/// D79: a change made during a flush counts as dirty at the call, in its own place in the order.
fn d79_what_was_changed_during_a_flush_before_the_call<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(1));
    disk.flushes_by(|_, _| after(10));
    sim.write(&pages, 1, 11);
    let first = sim.flush_key(&pages, 1);
    sim.write(&pages, 2, 22);
    sim.write(&pages, 1, 12);
    sim.write(&pages, 3, 33);
    let flush = sim.flush(&pages);
    sim.to(100);
    assert_eq!((sim.saw(first), sim.saw(flush)), ("10: done".into(), "40: done".into()));
    assert_eq!(disk.log(), ["10 a1=11", "20 a1=12", "30 a2=22", "40 a3=33"]);
}

fn one_key<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    let flush = sim.flush_key(&pages, 2);
    assert_eq!((sim.saw(flush), disk.log()), ("0: done".into(), vec!["0 a2=2".to_string()]));
    let (clean, absent) = (sim.flush_key(&pages, 2), sim.flush_key(&pages, 77));
    assert_eq!((sim.saw(clean), sim.saw(absent), disk.flushes()), ("0: done".into(), "0: done".into(), 1));
    disk.flushes_by(|_, _| ready().fails(5));
    let fails = sim.flush_key(&pages, 3);
    assert_eq!((sim.saw(fails), pages.dirty()), ("0: [3: E5]".into(), 2));
}

/// D1, D79: a change during a flush has an age of its own, and is waited for once it is old enough.
fn d1_what_was_changed_during_a_flush_grows_old<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.flushes_by(|_, _| after(50));
    sim.write(&pages, 1, 11);
    sim.flush(&pages);
    sim.to(20);
    sim.write(&pages, 1, 12);
    sim.to(30);
    let [young, old] = [11, 10].map(|age| {
        let flush = pages.flush_older_than(ms(age));
        sim.call(flush)
    });
    sim.to(50);
    assert_eq!((sim.saw(young), sim.saw(old), pages.dirty()), ("50: done".into(), "waits".into(), 1));
    sim.to(100);
    assert_eq!((sim.saw(old), disk.log()), ("100: done".into(), vec!["50 a1=11".to_string(), "100 a1=12".into()]));
}

/// D1: that age or more; a change is as old as the first one that is not on disk.
fn by_age<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for (t, key) in [(0, 1), (10, 2), (20, 3), (25, 1)] {
        sim.to(t);
        sim.write(&pages, key, key);
    }
    sim.to(49);
    let older = pages.flush_older_than(ms(40));
    sim.call(older);
    assert_eq!(disk.log(), ["49 a1=1"]);
    sim.to(50);
    let older = pages.flush_older_than(ms(40));
    sim.call(older);
    assert_eq!(disk.log(), ["50 a2=2"]);
    let older = pages.flush_older_than(Duration::MAX);
    sim.call(older);
    assert_eq!(pages.dirty(), 1);
    // The age counts from the first poll, as everything does.
    let older = pages.flush_older_than(ms(40));
    sim.to(60);
    sim.call(older);
    assert_eq!(disk.log(), ["60 a3=3"]);
}

/// D1.
fn when_to_flush<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_after(ms(100)));
    assert_eq!(pages.next_flush(), None);
    sim.to(10);
    sim.write(&pages, 1, 1);
    sim.to(20);
    sim.write(&pages, 2, 2);
    sim.write(&pages, 1, 3);
    assert_eq!(pages.next_flush(), Some(sim.time.instant(110)));
    disk.flushes_by(|_, _| after(10));
    sim.flush_key(&pages, 1);
    assert_eq!(pages.next_flush(), Some(sim.time.instant(110)), "not on disk yet");
    sim.to(25);
    sim.write(&pages, 1, 4);
    sim.to(30);
    assert_eq!(pages.next_flush(), Some(sim.time.instant(120)));
    sim.flush_key(&pages, 2);
    sim.to(40);
    assert_eq!(pages.next_flush(), Some(sim.time.instant(125)), "changed while it was flushed");
    let endless = self::pages::<R>(sim, &disk, |p| p.flush_after(Duration::MAX));
    sim.write(&endless, 1, 1);
    assert_eq!(endless.next_flush(), Some(larder::Instant::NEVER));
}

/// D6: nothing happens before the first poll, nor if nothing is dirty.
fn a_flush_of_nothing<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let early = pages.flush();
    sim.write(&pages, 1, 11);
    drop(pages.flush());
    assert_eq!(disk.flushes(), 0);
    let early = sim.call(early);
    assert_eq!((sim.saw(early), disk.flushes()), ("0: done".into(), 1));
    let again = sim.flush(&pages);
    assert_eq!((sim.saw(again), disk.flushes()), ("0: done".into(), 1));
}

/// Many flushes at once, with changes between: each content is written once.
fn nothing_is_written_twice<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(2));
    disk.flushes_by(|key, _| after(u64::from(key) + 3));
    let mut flushes = Vec::new();
    for round in 0..5 {
        (1..6).for_each(|key| sim.write(&pages, key, round * 10 + key));
        flushes.push(sim.flush(&pages));
        flushes.push(sim.flush(&pages));
    }
    sim.to(500);
    assert!(flushes.iter().all(|i| sim.saw(*i).ends_with("done")));
    let mut log: Vec<_> =
        disk.log().iter().map(|line| line.split(' ').nth(1).unwrap_or_default().to_string()).collect();
    let all = log.len();
    log.sort();
    log.dedup();
    assert_eq!((log.len(), pages.dirty()), (all, 0));
    assert!((1..6).all(|key| disk.page(key) == Some(40 + key)));
}

/// D4: an entry changed before the jump does not hide what is due behind it.
fn d4_a_clock_that_jumps_back<R: Host>() {
    let (mut sim, disk, _) = start::<R>(10);
    let pages = pages::<R>(&sim, &disk, |p| p.flush_after(ms(100)));
    sim.jump(5000);
    sim.write(&pages, 1, 11);
    sim.jump(10);
    sim.write(&pages, 2, 22);
    assert_eq!(pages.next_flush(), Some(sim.time.instant(110)));
    sim.to(110);
    let flush = pages.flush_older_than(ms(100));
    let flush = sim.call(flush);
    assert_eq!((sim.saw(flush), disk.page(2)), ("110: done".into(), Some(22)));
    assert!(pages.next_flush().is_none_or(|next| next == sim.time.instant(5100)));
}
