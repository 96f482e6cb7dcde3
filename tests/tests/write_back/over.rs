//! A future that is over stays over: polled again, it is pending and does nothing. (D107)

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::*;

on_every_runtime! {
    d107_calls_that_flush
    d107_calls_for_entries
    d107_calls_for_all
}

/// Polls a future until it is ready, and once more, while another entry is dirty.
#[track_caller]
fn stays_over<R: Host, F: Future>(name: &str, sim: &mut Sim, disk: &Disk, pages: &Pages<R>, call: F) {
    let mut call = Box::pin(call);
    assert!(wakers::poll_once(&mut call).is_ready(), "{name}");
    if wakers::now(pages.flush_key(&8)).is_ok() && !pages.is_closed() {
        sim.write(pages, 8, 80);
    }
    let did = (disk.loads(), disk.flushes(), pages.len(), pages.dirty());
    for _ in 0..3 {
        let polled = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call).is_ready()));
        assert!(
            matches!(polled, Ok(false)),
            "{name}: {}",
            if polled.is_ok() { "ready once more" } else { "it panics" }
        );
        assert_eq!((disk.loads(), disk.flushes(), pages.len(), pages.dirty()), did, "{name}");
    }
}

/// D107: flushes of all kinds.
fn d107_calls_that_flush<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for fails in [false, true] {
        disk.flushes_by(move |key, _| if fails && key == 1 { ready().fails(1) } else { ready() });
        sim.write(&pages, 1, 11);
        stays_over("flush", &mut sim, &disk, &pages, pages.flush());
        sim.write(&pages, 1, 12);
        stays_over("flush_older_than", &mut sim, &disk, &pages, pages.flush_older_than(ms(0)));
        sim.write(&pages, 1, 13);
        stays_over("flush_key", &mut sim, &disk, &pages, pages.flush_key(&1));
    }
    wakers::now(pages.flush()).expect_err("key 1 fails");
    disk.flushes_by(|_, _| ready());
    wakers::now(pages.flush()).expect("it is written");
}

/// D107: calls for entries that are there, that are loaded, and that leave.
fn d107_calls_for_entries<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    stays_over("get_or_load, a miss", &mut sim, &disk, &pages, pages.get_or_load(&1));
    stays_over("get_or_load, a hit", &mut sim, &disk, &pages, pages.get_or_load(&1));
    stays_over("get_or_load_with", &mut sim, &disk, &pages, pages.get_or_load_with(&2, Room::Try));
    stays_over("insert", &mut sim, &disk, &pages, pages.insert(3, V::new(30), Room::Wait));
    stays_over("remove, dirty", &mut sim, &disk, &pages, pages.remove(&3));
    stays_over("remove, clean", &mut sim, &disk, &pages, pages.remove(&2));
    stays_over("remove, nothing", &mut sim, &disk, &pages, pages.remove(&2));
    wakers::now(pages.flush()).expect("it is written");
}

/// D107: calls that concern all entries.
fn d107_calls_for_all<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let (_, other) = beside::<R>(&sim, &disk, "b");
    sim.write(&pages, 1, 11);
    stays_over("flush_then_depend_on", &mut sim, &disk, &pages, other.flush_then_depend_on(&pages));
    sim.write(&pages, 1, 11);
    stays_over("invalidate", &mut sim, &disk, &pages, pages.invalidate());
    sim.write(&pages, 1, 11);
    stays_over("close", &mut sim, &disk, &pages, pages.close());
}
