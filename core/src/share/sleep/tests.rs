//! The sleep of a call for many keys, as one of its keys sees it.

use core::task::Waker;

use super::*;
use crate::{ManualClock, parts::Spin};

/// D4: one deadline is over, once; another one is not, though the clock has jumped back behind it.
#[test]
fn d4_only_the_deadline_is_over_for_which_the_call_has_slept() {
    let runtime = Spin::new(ManualClock::new());
    let at = Instant::from_nanos;
    let mut cx = Context::from_waker(Waker::noop());
    let mut sleep = Sleep::<Spin<ManualClock>>::OfCall(at(1000));
    assert!(sleep.until(&runtime, at(170), &mut cx).is_pending());
    assert!(sleep.until(&runtime, at(2000), &mut cx).is_pending());
    assert!(sleep.until(&runtime, at(1000), &mut cx).is_ready());
    assert!(sleep.until(&runtime, at(1000), &mut cx).is_pending(), "once");
    assert!(!sleep.is_own());
}
