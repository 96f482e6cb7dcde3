//! Closing a cache, and dropping it.
use super::*;

use larder::{Clock, Instant, ManualClock};

on_every_runtime! {
    c80_the_end
    d84_close_flushes_dependencies_first
    d84_what_is_under_way_when_it_closes
    d84_what_has_not_begun_when_it_closes
    d84_marks_through_living_handles_count
    d84_close_may_be_dropped
    d84_what_is_stored_while_it_closes
    d84_what_is_superseded_while_it_closes
    d83_what_is_pinned_while_it_would_be_superseded
    d84_lost_once_with_all_keys
    d84_lost_with_what_was_being_flushed
    d84_nothing_is_lost_that_is_clean
    d84_a_handle_keeps_the_cache
    lost_may_panic
}

/// C80. (P16)
fn c80_the_end<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..=3 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| if key == 2 { ready().fails(2) } else { ready() });
    let i = sim.close(&pages);
    assert_eq!(sim.saw(i), "0: [2: E2]");
    assert_eq!((disk.page(1), disk.page(3), pages.dirty(), pages.is_closed()), (Some(1), Some(3), 1, true));
    let calls = [sim.load(&pages, 4), sim.load(&pages, 1), sim.insert(&pages, 1, 5, Room::Wait)];
    assert!(calls.iter().all(|i| sim.saw(*i) == "0: Closed"));
    assert_eq!(value(&pages, 2), Some(2), "what is there can be looked at");
    disk.flushes_by(|_, _| ready());
    let i = sim.close(&pages);
    assert_eq!((sim.saw(i), pages.dirty()), ("0: done".into(), 0));
    drop((sim, pages));
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new());
}

/// D84, P17.
fn d84_close_flushes_dependencies_first<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 1);
    sim.write(&b, 2, 2);
    a.depend_on(&b).expect("no circle");
    let i = sim.close(&a);
    assert_eq!(
        (sim.saw(i), b.is_closed(), disk.log()),
        ("0: done".into(), false, vec!["0 b2=2".to_string(), "0 a1=1".into()])
    );
    // A closed cache is still flushed for others.
    let (_, c) = beside::<R>(&sim, &disk, "c");
    let kept = sim.pin(&b, 3);
    sim.close(&b);
    kept.borrow()[0].set(V::new(3));
    sim.write(&c, 4, 4);
    c.depend_on(&b).expect("no circle");
    sim.flush(&c);
    assert_eq!(disk.log(), ["0 b3=3", "0 c4=4"]);
    kept.take();
}

/// D84: loads that have begun end as they would have without the close.
fn d84_what_is_under_way_when_it_closes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.loads_by(|_, _| after(50));
    let load = sim.load(&pages, 1);
    sim.to(10);
    let closes = sim.close(&pages);
    let joins = sim.load(&pages, 1);
    sim.to(50);
    assert_eq!([load, closes, joins].map(|i| sim.saw(i)), ["50: V10", "10: done", "10: Closed"]);
}

/// D84: a load that waits for room, or for what has to leave, never begins: the back end is left alone after the close.
fn d84_what_has_not_begun_when_it_closes<R: Host>() {
    for at in [10, 60] {
        let (mut sim, disk, pages) = start::<R>(1);
        sim.write(&pages, 1, 11);
        disk.flushes_by(|_, _| after(50));
        let first = sim.load(&pages, 3);
        let joins = sim.load_with(&pages, 3, Room::Within(ms(500)));
        let one = sim.pin(&pages, 1);
        sim.to(at);
        let closes = sim.close(&pages);
        sim.to(60);
        // At 10 it is still being flushed.
        let end = at.max(50);
        assert_eq!([first, joins].map(|i| sim.saw(i)), [format!("{end}: Closed"), format!("{end}: Closed")]);
        assert_eq!(sim.saw(closes), format!("{end}: done"));
        one.take();
        sim.to(1000);
        assert_eq!((disk.loads(), pages.len(), pages.pinned()), (1, 1, 0));
    }
}

/// D84.
fn d84_marks_through_living_handles_count<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    sim.close(&pages);
    kept.borrow()[0].set(V::new(11));
    assert_eq!(pages.dirty(), 1);
    let i = sim.close(&pages);
    assert_eq!((sim.saw(i), disk.page(1)), ("0: done".into(), Some(11)));
    kept.borrow()[0].set(V::new(12));
    drop((sim, pages));
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new(), "the handle is still there");
    kept.take();
    assert_eq!(disk.lost(), [[1]]);
}

/// D84. (P2)
fn d84_close_may_be_dropped<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| never());
    let closes = sim.close(&pages);
    sim.drop(closes);
    assert_eq!((pages.is_closed(), pages.dirty()), (true, 1));
    disk.flushes_by(|_, _| ready());
    let closes = sim.close(&pages);
    assert_eq!((sim.saw(closes), disk.page(1)), ("0: done".into(), Some(11)));
}

/// D84, C80: the keys come in the order of their changes. (P16)
fn d84_lost_once_with_all_keys<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in [3, 1, 2] {
        sim.write(&pages, key, key);
    }
    sim.load(&pages, 4);
    let clone = pages.clone();
    drop(pages);
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new());
    drop((sim, clone));
    assert_eq!(disk.lost(), [[3, 1, 2]]);
}

/// D84: a flush that was given up has not succeeded. (P16)
fn d84_lost_with_what_was_being_flushed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    disk.flushes_by(|key, _| if key == 1 { never() } else { ready() });
    let flush = sim.flush(&pages);
    drop(pages);
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new(), "it is still being flushed");
    sim.drop(flush);
    assert_eq!(disk.lost(), [[1]]);
}

fn d84_nothing_is_lost_that_is_clean<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    sim.flush(&pages);
    drop((sim, pages));
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new());
}

fn d84_a_handle_keeps_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    drop(pages);
    kept.borrow()[0].set(V::new(11));
    assert_eq!((*kept.borrow()[0].value(), disk.lost()), (11, Vec::<Vec<u32>>::new()));
    drop(sim);
    kept.take();
    assert_eq!(disk.lost(), [[1]]);
}

/// P5: the memory is freed all the same, also while another panic is under way.
fn lost_may_panic<R: Host>() {
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;

    struct Loud(Disk);

    impl larder::Backend<u32> for Loud {
        type Value = V;
        type Error = Boom;
        type Load = <Disk as larder::Backend<u32>>::Load;
        type Flush = <Disk as larder::Backend<u32>>::Flush;
        type Discard = <Disk as larder::Backend<u32>>::Discard;

        fn load(&self, key: u32) -> Self::Load {
            self.0.load(key)
        }

        fn flush(&self, key: u32, value: V) -> Self::Flush {
            self.0.flush(key, value)
        }

        fn discard(&self, key: u32, value: V) -> Self::Discard {
            self.0.discard(key, value)
        }

        fn lost(&self, keys: Vec<u32>) {
            larder::Backend::lost(&self.0, keys);
            std::panic::panic_any(Bang(1));
        }
    }

    let sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let make = || {
        let pages = WriteBack::builder(R::on(sim.clock()), Loud(disk.clone())).build().expect("valid");
        wakers::now(pages.get_or_load(&1)).expect("it is loaded").set(V::new(2));
        pages
    };
    let pages = make();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(pages))).is_err_and(|panic| panic.is::<Bang>()));
    let pages = make();
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _dropped = pages;
        std::panic::panic_any(Bang(7));
    }));
    assert_eq!(unwound.expect_err("it panics").downcast_ref(), Some(&Bang(7)));
    assert_eq!(disk.lost().len(), 2);
}

type Hook = Rc<RefCell<Option<Box<dyn FnOnce()>>>>;

type Hooked = Tells<Box<dyn Fn(&ManualClock) -> Instant>>;

/// A clock that calls the hook when it is read next.
fn calls(hook: &Hook, clock: ManualClock) -> Hooked {
    let hook = Rc::clone(hook);
    let reads = move |clock: &ManualClock| {
        if let Some(hook) = hook.take() {
            hook();
        }
        clock.now()
    };
    Tells(clock, Box::new(reads))
}

/// D84: an insertion stores nothing after the close, at whatever moment the close comes. (P16)
fn d84_what_is_stored_while_it_closes<R: Host>() {
    let (sim, hook) = (Sim::new(), Rc::default());
    let disk = Disk::new(&sim.time, "a");
    let runtime = R::with(calls(&hook, sim.clock()));
    let pages = WriteBack::builder(runtime, disk.clone()).build().expect("valid");
    let closes = pages.clone();
    hook.replace(Some(Box::new(move || wakers::now(closes.close()).expect("nothing is dirty"))));
    let inserted = wakers::now(pages.insert(1, V::new(11), Room::Wait)).map(drop);
    assert!(matches!(inserted, Err(larder::WriteBackError::Closed)), "{inserted:?}");
    assert_eq!((pages.len(), pages.dirty(), pages.pinned()), (0, 0, 0));
}

/// A cache with key 1 in it, not pinned, and the hook of its clock.
fn hooked<R: Host>(sim: &Sim, disk: &Disk) -> (WriteBack<u32, V, Boom, R::With<Hooked>>, Hook) {
    let hook = Hook::default();
    let runtime = R::with(calls(&hook, sim.clock()));
    let pages = WriteBack::builder(runtime, disk.clone()).build().expect("valid");
    wakers::now(pages.get_or_load(&1)).map(drop).expect("it is loaded");
    (pages, hook)
}

/// D84: an insertion does not replace what is there either. (P16)
fn d84_what_is_superseded_while_it_closes<R: Host>() {
    let sim = Sim::new();
    let (pages, hook) = hooked::<R>(&sim, &Disk::new(&sim.time, "a"));
    let closes = pages.clone();
    hook.replace(Some(Box::new(move || wakers::now(closes.close()).expect("nothing is dirty"))));
    let inserted = wakers::now(pages.insert(1, V::new(11), Room::Wait)).map(drop);
    assert!(matches!(inserted, Err(larder::WriteBackError::Closed)), "{inserted:?}");
    assert_eq!((pages.len(), pages.dirty(), pages.pinned()), (1, 0, 0));
}

/// D83: an insertion does not replace an entry that is pinned meanwhile, at whatever moment that comes. (P16)
fn d83_what_is_pinned_while_it_would_be_superseded<R: Host>() {
    let sim = Sim::new();
    let (pages, hook) = hooked::<R>(&sim, &Disk::new(&sim.time, "a"));
    let (same, kept) = (pages.clone(), Rc::new(RefCell::new(None)));
    let keeps = kept.clone();
    hook.replace(Some(Box::new(move || {
        let handle = same.try_get(&1).expect("it is there");
        handle.set(V::new(5));
        keeps.replace(Some(handle));
    })));
    let inserted = wakers::now(pages.insert(1, V::new(11), Room::Wait)).map(drop);
    assert!(matches!(&inserted, Err(larder::WriteBackError::Pinned(keys)) if *keys == [1]), "{inserted:?}");
    assert_eq!(kept.take().map(|handle| *handle.value()), Some(5));
}
