use super::*;

/// D66: an optimizing compiler may keep the vtable of a kind of wakers in several places.
#[test]
fn a_load_that_several_drive_is_known_by_the_place_of_its_waker_alone() {
    let polled = PolledBy::here(Waker::noop());
    let mut caller = polled;
    caller.caller.vtable ^= 8;
    assert!(caller.is_waker(&polled));
    caller.caller.data ^= 8;
    assert!(!caller.is_waker(&polled));
}
