//! Handles, and the questions that a cache answers.
use super::*;

use larder::ComputeError;

on_every_runtime! {
    a_handle_reads_and_changes
    a_clone_is_one_more_pin
    a_change_by_a_closure
    a_closure_runs_again_if_somebody_else_was_faster
    c108_update_ends
    a_closure_may_call_the_cache
    a_closure_that_panics_changes_nothing
    what_is_flushed_is_not_what_is_changed
    an_entry_is_asked_for_without_a_load
    counts
    configuration
    an_unpolled_call_does_nothing
    the_clock_is_read_when_it_matters
}

fn a_handle_reads_and_changes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    let handle = kept.borrow()[0].clone();
    assert_eq!((*handle.key(), *handle.value(), handle.is_dirty()), (1, 10, false));
    handle.set(V::new(11));
    assert_eq!((*handle.value(), *kept.borrow()[0].value(), handle.is_dirty()), (11, 11, true));
    disk.flushes_by(|_, _| after(10));
    sim.flush(&pages);
    assert!(handle.is_dirty(), "not on disk yet");
    sim.to(10);
    assert!(!handle.is_dirty());
    handle.set(handle.value());
    assert!(handle.is_dirty(), "an equal value is a change");
    assert!(format!("{handle:?}").contains("key: 1"));
    kept.take();
}

fn a_clone_is_one_more_pin<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(1);
    let kept = sim.pin(&pages, 1);
    let clone = kept.borrow()[0].clone();
    kept.take();
    assert_eq!(pages.pinned(), 1);
    let tries = sim.load_with(&pages, 2, Room::Try);
    assert_eq!(sim.saw(tries), "0: Full");
    drop(clone);
    assert_eq!(pages.pinned(), 0);
    let tries = sim.load_with(&pages, 2, Room::Try);
    assert_eq!(sim.saw(tries), "0: V20");
}

fn a_change_by_a_closure<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    let before = kept.borrow()[0].value();
    let after = kept.borrow()[0].update(|value| *Rc::make_mut(value) += 5).expect("no other caller changes it");
    assert_eq!((*before, *after, *kept.borrow()[0].value(), pages.dirty()), (10, 15, 15, 1));
    sim.flush(&pages);
    assert_eq!(disk.page(1), Some(15));
    kept.take();
}

fn a_closure_runs_again_if_somebody_else_was_faster<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    let mut runs = 0;
    let result = kept.borrow()[0].update(|value| {
        runs += 1;
        if runs < 3 {
            let other = pages.try_get(&1).expect("it is there");
            // An equal value counts as a change as well: versions decide.
            other.set(if runs == 1 { V::new(100) } else { other.value() });
        }
        *Rc::make_mut(value) += 1;
    });
    assert_eq!((runs, result, value(&pages, 1)), (3, Ok(V::new(101)), Some(101)));
    kept.take();
}

/// C108: beside a caller that keeps changing the value, the update gives up and has changed nothing.
fn c108_update_ends<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    let (handle, mut runs) = (kept.borrow()[0].clone(), 0);
    let result = handle.update(|value| {
        runs += 1;
        handle.set(V::new(runs));
        *Rc::make_mut(value) += 1000;
    });
    assert_eq!((runs, result, value(&pages, 1)), (64, Err(ComputeError::Contended), Some(64)));
    drop(handle);
    kept.take();
}

/// D44.
fn a_closure_may_call_the_cache<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    kept.borrow()[0]
        .update(|value| {
            let other = wakers::now(pages.get_or_load(&2)).expect("it is loaded");
            *Rc::make_mut(value) += *other.value() + pages.len() as u32;
        })
        .expect("no other caller changes it");
    assert_eq!(value(&pages, 1), Some(10 + 20 + 2));
    kept.take();
}

/// P5.
fn a_closure_that_panics_changes_nothing<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(10);
    let kept = sim.pin(&pages, 1);
    let handle = kept.borrow()[0].clone();
    let i = sim.call(async move {
        let _unwinds = handle.update(|value| {
            *Rc::make_mut(value) = 99;
            std::panic::panic_any(Bang(5));
        });
    });
    assert_eq!((sim.saw(i), value(&pages, 1), pages.dirty()), ("0: unwound 5".into(), Some(10), 0));
    kept.take();
    assert_eq!(pages.pinned(), 0);
}

/// A change during a flush does not reach the value that is being written.
fn what_is_flushed_is_not_what_is_changed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    sim.flush(&pages);
    let kept = sim.pin(&pages, 1);
    kept.borrow()[0].update(|value| *Rc::make_mut(value) = 12).expect("no other caller changes it");
    sim.to(50);
    assert_eq!((disk.page(1), value(&pages, 1)), (Some(11), Some(12)));
    kept.take();
}

fn an_entry_is_asked_for_without_a_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    assert!(pages.try_get(&1).is_none());
    disk.loads_by(|_, _| after(10));
    sim.load(&pages, 1);
    assert!(pages.try_get(&1).is_none(), "it is not there yet");
    sim.to(10);
    assert_eq!((value(&pages, 1), disk.loads()), (Some(10), 1));
}

fn counts<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    assert!(pages.is_empty() && !pages.is_closed() && pages.name() == "a");
    let kept = sim.pin(&pages, 1);
    sim.write(&pages, 2, 2);
    sim.write(&pages, 3, 3);
    kept.borrow()[0].set(V::new(1));
    assert_eq!((pages.len(), pages.dirty(), pages.pinned()), (3, 3, 1));
    disk.flushes_by(|key, _| if key == 2 { ready().fails(1) } else { ready() });
    sim.flush(&pages);
    assert_eq!((pages.len(), pages.dirty(), pages.pinned()), (3, 1, 1));
    assert_eq!(format!("{pages:?}"), "WriteBack { len: 3, dirty: 1, pinned: 1, .. }");
    kept.take();
    let clone = pages.clone();
    assert_eq!((clone.pinned(), disk.flushes()), (0, 3));
}

/// C88, D84.
fn configuration<R: Host>() {
    use larder::ConfigError;
    let sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let builder = || WriteBack::<u32, _, _, R>::builder(R::on(sim.clock()), disk.clone());
    assert_eq!(builder().capacity(0).build().err(), Some(ConfigError::Capacity));
    assert_eq!(builder().flush_limit(0).build().err(), Some(ConfigError::FlushLimit));
    assert!(builder().capacity(1).flush_limit(1).flush_after(Duration::ZERO).hash_seed(1).build().is_ok());
}

/// D6.
fn an_unpolled_call_does_nothing<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    drop(pages.get_or_load(&2));
    drop(pages.insert(2, V::new(2), Room::Wait));
    drop(pages.remove(&1));
    drop(pages.invalidate());
    drop(pages.close());
    assert_eq!((pages.len(), pages.dirty(), disk.loads(), disk.flushes(), pages.is_closed()), (1, 1, 1, 0, false));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// P11: the clock is read when something is changed, and when a caller waits for a limited time.
fn the_clock_is_read_when_it_matters<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    let read = |sim: &mut Sim, act: &mut dyn FnMut(&mut Sim)| {
        let before = sim.clock().reads();
        act(sim);
        sim.clock().reads() - before
    };
    disk.loads_by(|_, _| after(10));
    disk.flushes_by(|_, _| after(10));
    let load = |key, room| {
        let pages = pages.clone();
        move |sim: &mut Sim| {
            sim.load_with(&pages, key, room);
            sim.to(sim.time.ms() + 20);
        }
    };
    assert_eq!(read(&mut sim, &mut load(1, Room::Wait)), 0, "a miss");
    assert_eq!(read(&mut sim, &mut load(1, Room::Within(ms(50)))), 0, "a hit");
    assert_eq!(read(&mut sim, &mut load(2, Room::Within(ms(50)))), 1, "a miss that waits for so long");
    assert_eq!(read(&mut sim, &mut |sim| _ = sim.insert(&pages, 2, 22, Room::Wait)), 1, "one value for another");
    assert_eq!(read(&mut sim, &mut load(3, Room::Wait)), 0, "a dirty victim");
    assert_eq!(read(&mut sim, &mut |sim| _ = sim.insert(&pages, 4, 44, Room::Wait)), 1, "a new value");
    assert_eq!(read(&mut sim, &mut |_| assert!(pages.try_get(&4).is_some_and(|page| page.is_dirty()))), 0);
    assert_eq!(read(&mut sim, &mut |sim| _ = sim.flush(&pages)), 0, "a flush");
    sim.to(sim.time.ms() + 20);
    assert_eq!(pages.dirty(), 0);
}
