//! The cases of slots.

use alloc::rc::Rc;
use core::cell::Cell;

use larder::{LazySlot, LoadError, Loaded, Status};

use crate::{
    Checked, Host, check, millis,
    source::{REFUSED, Unknown},
    tasks::{Task, all, step},
};

type Slot<R> = LazySlot<u32, Unknown, R>;

/// A slot whose fetches take five milliseconds, are counted, and fail while `fails` says so.
fn slot<R: Host>(runtime: &R, fetches: &Rc<Cell<u32>>, fails: &Rc<Cell<bool>>) -> Option<Slot<R>> {
    let (host, fetches, fails) = (runtime.clone(), Rc::clone(fetches), Rc::clone(fails));
    let fetch = move |_| {
        let (host, fails) = (host.clone(), Rc::clone(&fails));
        let number = fetches.get() + 1;
        fetches.set(number);
        async move {
            host.sleep_until(host.now().saturating_add(millis(5))).await;
            if fails.get() { Err(Unknown(number)) } else { Ok(Loaded::new(number)) }
        }
    };
    let slot = LazySlot::builder(runtime.clone()).fetch_fn(fetch);
    slot.ttl(millis(30)).retry_after(millis(20)).build().ok()
}

/// Three callers share the first fetch; while one refreshes, the others are served.
pub(crate) async fn fetches<R: Host>(runtime: R) -> Checked {
    let (count, fails) = (Rc::default(), Rc::default());
    let slot = slot(&runtime, &count, &fails).ok_or(REFUSED)?;
    let mut callers = [slot.get(), slot.get(), slot.get()].map(Task::new);
    check!(!step(&mut callers));
    all(&mut callers).await;
    check!(callers.iter_mut().all(|caller| matches!(caller.output(), Some(Ok(1)))));
    check!(matches!(slot.get().await, Ok(1)));
    check!(count.get() == 1);
    runtime.sleep_until(runtime.now().saturating_add(millis(40))).await;
    let mut refreshes = [Task::new(slot.get())];
    check!(!step(&mut refreshes));
    let mut served = [Task::new(slot.get())];
    check!(step(&mut served));
    check!(matches!(served[0].output(), Some(Ok(1))));
    all(&mut refreshes).await;
    check!(matches!(refreshes[0].output(), Some(Ok(2))));
    check!(count.get() == 2);
    Ok(())
}

/// A refresh that fails keeps the value, and is tried again after a while only.
pub(crate) async fn fails<R: Host>(runtime: R) -> Checked {
    let (count, fails) = (Rc::default(), Rc::new(Cell::new(true)));
    let slot = slot(&runtime, &count, &fails).ok_or(REFUSED)?;
    check!(matches!(slot.get().await, Err(LoadError::Failed(_))));
    slot.set(100);
    runtime.sleep_until(runtime.now().saturating_add(millis(40))).await;
    check!(matches!(slot.get().await, Ok(100)));
    check!(count.get() == 2);
    check!(matches!(slot.get().await, Ok(100)));
    check!(count.get() == 2);
    let status = slot.peek().map(|outcome| outcome.status());
    check!(matches!(status, Some(Status::Stale(_))));
    fails.set(false);
    runtime.sleep_until(runtime.now().saturating_add(millis(80))).await;
    check!(matches!(slot.get().await, Ok(3)));
    Ok(())
}
