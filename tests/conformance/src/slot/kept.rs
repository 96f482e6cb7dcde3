//! Slots that are watched, or kept fresh.

use core::sync::atomic::{AtomicUsize, Ordering};

use alloc::sync::Arc;

use larder::Loaded;

use super::{super::End, Slot, Stage, Subject, fresh};
use crate::wakers::poll_once;
use crate::{LATE, SOON};

/// A watcher is woken by a change and by the end of the slot, and by nothing else.
pub async fn a_slot_is_watched<E: Subject>(stage: Stage<E>) {
    let slot = stage.slot(|setup| setup);
    let mut watcher = slot.watch();
    let failing = stage.slot_crowd(slot, 1).await;
    stage.loads.end(1, End::Error);
    assert_eq!(stage.saw_all(&failing).await, ["E1"]);
    assert!(poll_once(&mut watcher.changed()).is_pending());
    let asking = stage.ask_slot(slot);
    stage.begun(2).await;
    let mut changed = watcher.changed();
    assert!(poll_once(&mut changed).is_pending());
    stage.loads.end(2, End::Value);
    assert!(changed.await);
    assert_eq!(fresh::<E>(slot), Some(2));
    assert_eq!(stage.saw(&asking).await, "V2 Miss");
    slot.invalidate();
    assert!(watcher.changed().await);
    assert!(poll_once(&mut watcher.changed()).is_pending());
    stage.slot_ends_clean(slot).await;
    let mortal = stage.mortal_slot(|setup| setup);
    let mut watcher = mortal.watch();
    drop(mortal);
    assert!(!watcher.changed().await);
}

/// A task refreshes the value when it expires or is invalidated; the task ends with the slot. (P2)
///
/// Its future has no nameable type, so the caller's `spawn` spawns it. `spawn` counts the begin and the end of the
/// task.
pub async fn a_slot_is_kept_fresh<E: Subject>(
    stage: Stage<E>,
    spawn: impl Fn(&Slot<E::Runtime, E::Value>, Arc<AtomicUsize>) -> bool,
) {
    for (fetch, ttl) in [(1, SOON), (2, LATE)] {
        let slot = stage.mortal_slot(|setup| setup.ttl(LATE));
        slot.set_with(Loaded::new(E::Value::from(90)).ttl(ttl));
        let counts = Arc::<AtomicUsize>::default();
        assert!(spawn(&slot, counts.clone()), "the runtime spawns it");
        stage.until(|| counts.load(Ordering::SeqCst) == 1).await;
        if ttl == LATE {
            // Lets the task fall asleep first.
            stage.pass(SOON).await;
            assert_eq!(slot.invalidate().as_deref(), Some(&90));
        }
        stage.begun(fetch).await;
        stage.loads.end(fetch, End::Value);
        stage.until(|| fresh::<E>(&slot) == Some(fetch as u32)).await;
        stage.slot_ends_clean(&slot).await;
        assert_eq!(counts.load(Ordering::SeqCst), 1);
        drop(slot);
        stage.until(|| counts.load(Ordering::SeqCst) == 2).await;
    }
}
