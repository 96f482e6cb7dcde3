//! Keys, values and wakers whose own code panics. (P5, P13)
use super::*;

use core::{
    hash::{Hash, Hasher},
    panic::AssertUnwindSafe,
};
use larder::{Backend, LocalBoxIo, Runtime, WriteBackError};
use std::panic::catch_unwind;

on_every_runtime! {
    keys_that_panic
    values_that_panic
    d84_lost_whatever_keys_do
    wakers_that_panic
}

std::thread_local! {
    /// What the drop of a value calls.
    pub(super) static PARTING: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
    /// What the drop of this key does, after so many that do nothing.
    pub(super) static LEAVING: RefCell<Option<(u32, u32, Box<dyn FnOnce()>)>> = const { RefCell::new(None) };
}

#[derive(Debug)]
pub(super) struct Key(pub(super) u32);

impl Clone for Key {
    fn clone(&self) -> Self {
        strike("clone of a key");
        Self(self.0)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        strike("eq");
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        strike_in_drop("drop of a key");
        let leaving = LEAVING.with_borrow_mut(|leaving| {
            leaving.take_if(|(key, left, _)| {
                let is_it = *key == self.0;
                let is_due = is_it && *left == 0;
                *left -= u32::from(is_it && !is_due);
                is_due
            })
        });
        if let Some((.., leaving)) = leaving {
            leaving();
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        strike("hash");
        // Keys are compared often.
        (self.0 % 2).hash(state);
    }
}

#[derive(Debug)]
pub(super) struct Value(pub(super) u32);

impl Clone for Value {
    fn clone(&self) -> Self {
        strike("clone");
        Self(self.0)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        strike_in_drop("drop");
        PARTING.with_borrow(|parting| {
            if let Some(parting) = parting {
                parting();
            }
        });
    }
}

/// A disk that takes a few polls for everything; it writes nothing while it is full.
#[derive(Clone, Default)]
pub(super) struct Slow {
    pages: Rc<RefCell<std::collections::BTreeMap<u32, u32>>>,
    lost: Rc<RefCell<Vec<u32>>>,
    pub(super) is_full: Rc<Cell<bool>>,
}

impl Backend<Key> for Slow {
    type Value = Value;
    type Error = Boom;
    type Load = LocalBoxIo<Result<Value, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: Key) -> Self::Load {
        let pages = self.pages.clone();
        Box::pin(async move {
            yields().await;
            let number = key.0;
            drop(key);
            Ok(Value(pages.borrow().get(&number).copied().unwrap_or(number * 10)))
        })
    }

    fn flush(&self, key: Key, value: Value) -> Self::Flush {
        let (pages, is_full) = (self.pages.clone(), self.is_full.get());
        Box::pin(async move {
            yields().await;
            if !is_full {
                pages.borrow_mut().insert(key.0, value.0);
            }
            // Dropped within the body: a future that panics as it drops its captures leaks the rest of them.
            drop(value);
            drop(key);
            if is_full { Err(Boom(9)) } else { Ok(()) }
        })
    }

    fn discard(&self, _: Key, _: Value) -> Self::Discard {
        Box::pin(yields())
    }

    fn lost(&self, keys: Vec<Key>) {
        self.lost.borrow_mut().extend(keys.iter().map(|key| key.0));
    }
}

async fn yields() {
    let mut polls = 0;
    core::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        polls += 1;
        if polls > 3 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

pub(super) type Hostile<R> = WriteBack<Key, Value, Boom, R>;

pub(super) const CAPACITY: u32 = 3;

pub(super) fn hostile<R: Host>(sim: &Sim) -> Hostile<R> {
    let capacity = CAPACITY as usize;
    WriteBack::builder(R::on(sim.clock()), Slow::default()).capacity(capacity).build().expect("valid")
}

type Done<R> = Result<Pinned<Key, Value, Boom, R>, WriteBackError<Key, Boom>>;

fn text<R: Runtime>(done: Done<R>) -> Answer {
    Answer::Text(match done {
        Ok(handle) => format!("V{}", handle.key().0),
        Err(WriteBackError::Failed(failure)) if failure.is_panicked() => "Panicked".into(),
        Err(error) => format!("{error:?}"),
    })
}

/// Every kind of call at once; the n-th that reaches `trap` panics.
fn survive<R: Host>(spot: &'static str) {
    for after in 0..400 {
        let mut sim = Sim::new();
        let pages = hostile::<R>(&sim);
        // Acknowledged, and dirty.
        for key in 0..CAPACITY {
            let handle = wakers_run(pages.get_or_load(&Key(key)));
            handle.expect("it is loaded").set(Value(100 + key));
        }
        arm(spot, after);
        let mut callers = Vec::new();
        for nth in 0..3 {
            for key in [1, 8, 9] {
                let pages = pages.clone();
                callers.push(sim.spawn(async move { text(pages.get_or_load(&Key(key)).await) }));
            }
            let (flushes, removes, inserts) = (pages.clone(), pages.clone(), pages.clone());
            callers.push(sim.spawn(async move { drop(flushes.flush().await) }));
            callers.push(sim.spawn(async move { drop(removes.remove(&Key(2)).await) }));
            callers.push(sim.spawn(async move {
                if nth == 0 { text(inserts.insert(Key(20), Value(200), Room::Wait).await) } else { Answer::Done }
            }));
        }
        sim.run();
        let is_over = calm();
        sim.assert_nobody_is_forgotten(callers.iter().copied());
        let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
        assert!(saw.iter().all(|saw| saw != "waits"), "{spot} {after}: {saw:?}");
        assert!(saw.iter().filter(|saw| *saw == "0: unwound 17").count() <= 1, "{spot} {after}: {saw:?}");
        // Nothing is lost, and nothing stays held.
        assert_eq!(pages.pinned(), 0, "{spot} {after}");
        for key in 0..CAPACITY {
            let handle = wakers_run(pages.get_or_load(&Key(key))).expect("it is there or on disk");
            assert_eq!(handle.value().0, 100 + key, "{spot} {after}");
        }
        if saw.contains(&"0: V20".into()) {
            let handle = wakers_run(pages.get_or_load(&Key(20))).expect("it is there or on disk");
            assert_eq!(handle.value().0, 200, "{spot} {after}");
        }
        let handles: Vec<_> =
            (30..30 + CAPACITY).map(|key| wakers_run(pages.get_or_load(&Key(key))).expect("there is room")).collect();
        assert_eq!((pages.len(), pages.pinned()), (CAPACITY as usize, CAPACITY as usize), "{spot} {after}");
        drop(handles);
        assert!(wakers_run(pages.flush()).is_ok());
        if is_over {
            assert!(after > 2, "{spot} is hardly ever reached");
            return;
        }
    }
    panic!("{spot} is reached too often to be tried out");
}

/// Polls until it is ready.
pub(super) fn wakers_run<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    for _ in 0..1000 {
        if let Poll::Ready(output) = wakers::poll_once(&mut future) {
            return output;
        }
    }
    panic!("it hangs");
}

fn keys_that_panic<R: Host>() {
    ["clone of a key", "eq", "hash"].into_iter().for_each(survive::<R>);
}

fn values_that_panic<R: Host>() {
    ["clone", "drop"].into_iter().for_each(survive::<R>);
}

/// D84: all keys are told, also while another panic is under way. (P5, P16)
fn d84_lost_whatever_keys_do<R: Host>() {
    for spot in ["clone of a key", "eq", "hash", "clone"] {
        for is_unwinding in [false, true] {
            let sim = Sim::new();
            let slow = Slow::default();
            let lost = slow.lost.clone();
            let builder = WriteBack::builder(R::on(sim.clock()), slow).capacity(CAPACITY as usize);
            let pages: Hostile<R> = builder.build().expect("valid");
            for key in [2, 0, 1] {
                wakers_run(pages.get_or_load(&Key(key))).expect("there is room").set(Value(1));
            }
            let end = catch_unwind(AssertUnwindSafe(move || {
                let _dropped = pages;
                arm(spot, 0);
                if is_unwinding {
                    std::panic::panic_any(Bang(7));
                }
            }));
            calm();
            let panic = end.err().and_then(|panic| panic.downcast_ref().copied());
            assert_eq!(panic, is_unwinding.then_some(Bang(7)), "{spot}");
            assert_eq!(lost.take(), [2, 0, 1], "{spot}");
        }
    }
}

/// C16, for loads, flushes and room: the other callers are woken all the same, and nothing stays held.
fn wakers_that_panic<R: Host>() {
    for bad in 0..8 {
        let mut sim = Sim::new();
        let pages = hostile::<R>(&sim);
        let holders: Vec<_> =
            (0..CAPACITY).map(|key| wakers_run(pages.get_or_load(&Key(key))).expect("there is room")).collect();
        let calls: Vec<Pin<Box<dyn Future<Output = bool>>>> = (0..8)
            .map(|nth| {
                let pages = pages.clone();
                let call: Pin<Box<dyn Future<Output = bool>>> = if nth < 6 {
                    Box::pin(async move { pages.get_or_load(&Key(50 + nth / 2)).await.is_ok() })
                } else {
                    Box::pin(async move { pages.flush().await.is_ok() })
                };
                call
            })
            .collect();
        holders[0].set(Value(1));
        let mut calls: Vec<_> = calls.into_iter().map(Some).collect();
        let panics = wakers::panicking();
        for (nth, call) in calls.iter_mut().enumerate() {
            let waker = if nth == bad { &panics } else { Waker::noop() };
            let Some(future) = call else { continue };
            match catch_unwind(AssertUnwindSafe(|| wakers::poll_with(future, waker))) {
                Ok(polled) => assert!(polled.is_pending(), "{nth}"),
                // A disk that wakes its poller has woken the one that panics, too.
                Err(_) => *call = None,
            }
        }
        for holder in holders {
            drop(catch_unwind(AssertUnwindSafe(|| drop(holder))));
        }
        // Each caller that is polled goes on, and no other caller misses a wake.
        for _ in 0..100 {
            for (_, call) in calls.iter_mut().enumerate().filter(|(nth, _)| *nth != bad) {
                let Some(future) = call else { continue };
                let polled = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(future)));
                if !matches!(polled, Ok(Poll::Pending)) {
                    *call = None;
                }
            }
        }
        assert!(calls.iter().enumerate().all(|(nth, call)| nth == bad || call.is_none()), "{bad}");
        drop(catch_unwind(AssertUnwindSafe(|| drop(calls))));
        sim.run();
        assert_eq!(pages.pinned(), 0);
        let handles: Vec<_> =
            (30..30 + CAPACITY).map(|key| wakers_run(pages.get_or_load(&Key(key))).expect("there is room")).collect();
        assert_eq!(pages.pinned(), CAPACITY as usize);
        drop(handles);
        assert!(wakers_run(pages.flush()).is_ok());
    }
}
