//! Calls to the cache from inside: from the back end, from drops of futures and values, from wakers.
use super::*;

on_every_runtime! {
    c82_a_load_that_asks_for_its_own_key
    c82_a_flush_that_asks_for_its_own_key
    c82_a_flush_that_removes_or_invalidates
    c82_a_chain_of_loads
    c83_a_load_that_uses_the_cache
    c83_a_flush_that_uses_the_cache
    c83_a_flush_that_flushes_all
    c83_a_discard_that_uses_the_cache
    c83_a_flush_whose_drop_flushes
    c83_a_flush_whose_drop_panics
    c83_a_load_whose_drop_uses_the_cache
    c83_a_waker_that_uses_the_cache
    c83_a_waker_that_drops_another
}

type Inner = Pin<Box<dyn Future<Output = ()>>>;

/// The answers that calls from inside got.
type Heard = Rc<RefCell<Vec<String>>>;

/// C82: directly, in the same task. (P3)
fn c82_a_load_that_asks_for_its_own_key<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let heard = Heard::default();
    let (asks, hears) = (pages.clone(), heard.clone());
    disk.first(move |_, key| {
        let (asks, hears) = (asks.clone(), hears.clone());
        Some(Box::pin(async move {
            let text = asks.get_or_load(&key).await.map_or_else(|error| why(&error), |_| "a value".into());
            hears.borrow_mut().push(text);
        }))
    });
    let loads = [sim.load(&pages, 1), sim.load(&pages, 2)];
    assert_eq!(
        (loads.map(|i| sim.saw(i)), heard.take()),
        (["0: V10".into(), "0: V20".into()], vec!["Reentrant".to_string(); 2])
    );
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// Makes each flush ask the cache first; returns the answers.
fn in_each_flush<R: Host, F: Future<Output = [String; 2]> + 'static>(
    disk: &Disk,
    pages: &Pages<R>,
    ask: impl Fn(Pages<R>, u32) -> F + 'static,
) -> Heard {
    let heard = Heard::default();
    let (pages, hears) = (pages.clone(), heard.clone());
    disk.first(move |io, key| {
        let (asked, hears) = (ask(pages.clone(), key), hears.clone());
        let tells = async move {
            let told = asked.await;
            hears.borrow_mut().extend(told);
        };
        (io == Io::Flush).then(|| -> Inner { Box::pin(tells) })
    });
    heard
}

/// C82.
fn c82_a_flush_that_asks_for_its_own_key<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    let heard = in_each_flush(&disk, &pages, |pages, key| async move {
        let flushed = Answer::from(pages.flush_key(&key).await).to_string();
        // A hit does not wait for the flush.
        let value = pages.get_or_load(&key).await.map_or_else(|error| why(&error), |it| it.value().to_string());
        [flushed, value]
    });
    let flush = sim.flush(&pages);
    assert_eq!((sim.saw(flush), heard.take()), ("0: done".into(), vec!["[1: Reentrant]".to_string(), "11".into()]));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// C82: neither could ever succeed from there, and neither waits for ever.
fn c82_a_flush_that_removes_or_invalidates<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    let heard = in_each_flush(&disk, &pages, |pages, key| async move {
        let removed = pages.remove(&key).await.map_or_else(|error| why(&error), |_| "removed".into());
        let gone = pages.invalidate().await.map_or_else(|error| why(&error), |()| "gone".into());
        [removed, gone]
    });
    let flush = sim.flush(&pages);
    assert_eq!((sim.saw(flush), heard.take()), ("0: done".into(), vec!["Reentrant".to_string(); 2]));
    assert_eq!((disk.page(1), pages.len()), (Some(11), 1));
    disk.nothing_first();
}

/// C82: 64 loads over 64 keys just work. (P3)
fn c82_a_chain_of_loads<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(64);
    let asks = pages.clone();
    disk.first(move |_, key| {
        let asks = asks.clone();
        (key < 63).then(|| -> Inner { Box::pin(async move { drop(asks.get_or_load(&(key + 1)).await) }) })
    });
    let load = sim.load(&pages, 0);
    assert_eq!((sim.saw(load), pages.len(), disk.loads()), ("0: V0".into(), 64, 64));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 64);
}

/// C83: other keys, also those that need room. (P13)
fn c83_a_load_that_uses_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(4);
    for key in 90..94 {
        sim.write(&pages, key, key);
    }
    let asks = pages.clone();
    disk.first(move |io, key| {
        let asks = asks.clone();
        (io == Io::Load && key < 10).then(|| -> Inner {
            Box::pin(async move {
                drop(asks.insert(20, V::new(21), Room::Wait).await.expect("there is room"));
                drop(asks.get_or_load(&30).await.expect("there is room"));
                asks.remove(&20).await.expect("it is not pinned");
                asks.flush().await.expect("it works");
            })
        })
    });
    let loads = [sim.load(&pages, 1), sim.load(&pages, 2)];
    assert!(loads.iter().zip([10, 20]).all(|(i, value)| sim.saw(*i) == format!("0: V{value}")));
    assert_eq!((disk.page(20), pages.dirty()), (Some(21), 0));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 4);
}

/// C83. (P13)
fn c83_a_flush_that_uses_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    let asks = pages.clone();
    disk.first(move |io, key| {
        let asks = asks.clone();
        (io == Io::Flush && key == 1).then(|| -> Inner {
            Box::pin(async move {
                // The value that is being written is fixed: this change waits for the next round.
                asks.try_get(&1).expect("it is there").set(V::new(12));
                drop(asks.get_or_load(&5).await.expect("there is room"));
                asks.flush_key(&2).await.expect("it works");
                asks.remove(&2).await.expect("it is not pinned");
            })
        })
    });
    let flush = sim.flush(&pages);
    assert_eq!((sim.saw(flush), disk.log()), ("0: done".into(), vec!["0 a2=22".to_string(), "0 a1=11".into()]));
    assert_eq!((pages.dirty(), value(&pages, 1), value(&pages, 2)), (1, Some(12), None));
    disk.nothing_first();
}

/// C83: all other keys are flushed, and the error names its own.
fn c83_a_flush_that_flushes_all<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..5 {
        sim.write(&pages, key, key);
    }
    let heard = Heard::default();
    let (asks, hears) = (pages.clone(), heard.clone());
    disk.first(move |io, key| {
        let (asks, hears) = (asks.clone(), hears.clone());
        (io == Io::Flush && key == 3).then(|| -> Inner {
            Box::pin(async move {
                let flushed = Answer::from(asks.flush().await).to_string();
                hears.borrow_mut().push(flushed);
            })
        })
    });
    let flush = sim.flush(&pages);
    assert_eq!(
        (sim.saw(flush), heard.take(), pages.dirty()),
        ("0: done".into(), vec!["[3: Reentrant]".to_string()], 0)
    );
    disk.nothing_first();
}

/// C83.
fn c83_a_discard_that_uses_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    let asks = pages.clone();
    disk.first(move |io, key| {
        let asks = asks.clone();
        (io == Io::Discard).then(|| -> Inner {
            Box::pin(async move { drop(asks.insert(key, V::new(5), Room::Try).await.expect("it is gone")) })
        })
    });
    let i = sim.invalidate(&pages);
    assert_eq!((sim.saw(i), pages.len(), pages.dirty()), ("0: done".into(), 2, 2), "what is inserted by that stays");
    disk.nothing_first();
}

/// Calls its closure when it is dropped.
struct Parting<F: FnMut()>(F);

impl<F: FnMut()> Drop for Parting<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// C83: the drop of a flush flushes the same key.
fn c83_a_flush_whose_drop_flushes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    let kept = Rc::new(RefCell::new(Vec::new()));
    let (asks, keeps) = (pages.clone(), kept.clone());
    disk.first(move |io, key| {
        let (asks, keeps) = (asks.clone(), keeps.clone());
        (io == Io::Flush && key == 1 && keeps.borrow().is_empty()).then(|| -> Inner {
            let parting = Parting(move || {
                let mut flush = Box::pin(asks.flush());
                assert!(wakers::poll_once(&mut flush).is_pending(), "it has to wait for the flush that is dropped");
                keeps.borrow_mut().push(flush);
            });
            Box::pin(async move {
                let _parting = parting;
                core::future::pending::<()>().await;
            })
        })
    });
    let flush = sim.flush(&pages);
    assert_eq!(disk.page(2), Some(22));
    sim.drop(flush);
    disk.nothing_first();
    assert_eq!(pages.dirty(), 1);
    let kept = kept.take().pop().expect("it was kept");
    let flush = sim.call(kept);
    assert_eq!((sim.saw(flush), disk.page(1), pages.dirty()), ("0: done".into(), Some(11), 0));
}

/// C83: the caller that drops it unwinds; the key stays dirty, and is flushed the next time. (P5, P16)
fn c83_a_flush_whose_drop_panics<R: Host>() {
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;

    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.first(move |io, _| {
        (io == Io::Flush).then(|| -> Inner {
            let parting = Parting(|| std::panic::panic_any(Bang(4)));
            Box::pin(async move {
                let _parting = parting;
                core::future::pending::<()>().await;
            })
        })
    });
    for _ in 0..2 {
        let mut flush = pages.flush();
        assert!(wakers::poll_once(&mut flush).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(flush))).is_err_and(|panic| panic.is::<Bang>()));
        assert_eq!(pages.dirty(), 1);
    }
    disk.nothing_first();
    let load = sim.load(&pages, 2);
    assert_eq!((sim.saw(load), disk.page(1)), ("0: V20".into(), Some(11)));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// C83.
fn c83_a_load_whose_drop_uses_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    let asks = pages.clone();
    let heard = Heard::default();
    let hears = heard.clone();
    disk.first(move |io, key| {
        let (asks, hears) = (asks.clone(), hears.clone());
        (io == Io::Load && key == 1).then(|| -> Inner {
            let parting = Parting(move || {
                // The place of the dropped load is free by then, or soon will be: the call does not hang.
                let mut load = Box::pin(asks.get_or_load(&2));
                let polled = wakers::poll_once(&mut load).is_ready();
                hears.borrow_mut().push(format!("{polled} {}", asks.len()));
            });
            Box::pin(async move {
                let _parting = parting;
                core::future::pending::<()>().await;
            })
        })
    });
    let load = sim.load(&pages, 1);
    sim.drop(load);
    assert_eq!(heard.take().len(), 1);
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// C83: an executor that runs a task inside the wake. (P13)
fn c83_a_waker_that_uses_the_cache<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    let holder = sim.pin(&pages, 1);
    let (asks, heard) = (pages.clone(), Heard::default());
    let hears = heard.clone();
    let waker = wakers::on_the_spot(async move {
        for key in 2..5 {
            let handle = asks.get_or_load(&key).await.expect("there will be room");
            handle.set(V::new(key));
            hears.borrow_mut().push(format!("{key} {}", asks.pinned()));
        }
        asks.flush().await.expect("it works");
        hears.borrow_mut().push("done".into());
    });
    waker.wake_by_ref();
    disk.loads_by(|_, _| polls(2));
    holder.take();
    sim.run();
    assert_eq!(heard.take(), ["2 1", "3 1", "4 1", "done"]);
    assert_eq!((disk.page(2), disk.page(4)), (Some(2), Some(4)));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// C13, for room: the waker of a caller that is granted a place drops the next caller.
fn c83_a_waker_that_drops_another<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let holders = [1, 2].map(|key| sim.pin(&pages, key));
    let waits = |key: u32| {
        let pages = pages.clone();
        Box::pin(async move { pages.get_or_load(&key).await.is_ok() })
    };
    let (mut first, mut second) = (waits(3), waits(4));
    assert!(wakers::poll_once(&mut second).is_pending());
    let waker = wakers::dropping(second);
    let mut third = waits(5);
    assert!(wakers::poll_with(&mut first, &waker).is_pending() && wakers::poll_once(&mut third).is_pending());
    for holder in holders {
        holder.take();
    }
    assert!(wakers::poll_once(&mut first).is_ready() && wakers::poll_once(&mut third).is_ready());
    assert!(!wakers::victim_is_alive());
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}
