//! When a step leaves nothing at all, so that its effects need not be dropped.

use super::*;

#[test]
fn whatever_is_left_is_to_be_done_or_dropped() {
    assert!(Left::default().is_spent());
    let leaves: [fn(&mut Left); 9] = [
        |left| left.load = Some(1),
        |left| left.waker = Some(Waker::noop().clone()),
        |left| left.batch = Some(Together::new()),
        |left| left.value = Some(1),
        |left| left.told = Some(Err(LoadError::NoLoader)),
        |left| left.woken = Woken::Lone(Waker::noop().clone()),
        |left| left.old = Some(Waker::noop().clone()),
        |left| left.keep_key(Some(1)),
        |left| left.touched = Some(crate::source::Touched::Value),
    ];
    for (which, leave) in leaves.into_iter().enumerate() {
        let mut left = Left::default();
        leave(&mut left);
        assert!(!left.is_spent(), "number {which}");
    }
}

/// Values that have left are dropped, and then their memory.
#[test]
fn memory_is_left_as_well() {
    let mut rig = Rig::with(2, rules());
    rig.insert(1, 5);
    rig.insert(2, 5);
    rig.insert(3, Loaded::new(5).weight(2));
    let mut left = core::mem::take(&mut rig.effects);
    assert!(!left.is_spent() && !left.is_quiet());
    left.clear();
    assert!(!left.is_spent() && left.is_quiet(), "two have left, and the second took memory");
}
