use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, panic_any};

use super::*;

/// Runs `work`; returns the number it panicked with.
fn panic_of(work: impl FnOnce()) -> Option<u32> {
    catch_unwind(AssertUnwindSafe(work)).err().map(|panic| *panic.downcast().expect("a number"))
}

/// D29.
#[test]
fn all_items_are_seen_though_some_panic_and_the_first_panic_goes_on() {
    let mut seen = Vec::new();
    let panic = panic_of(|| {
        each(0..5_u32, |item| {
            seen.push(item);
            if item % 2 == 1 {
                panic_any(item);
            }
        });
    });
    assert_eq!((seen, panic), ([0, 1, 2, 3, 4].into(), Some(1)));
}

/// D29.
#[test]
fn the_second_is_done_though_the_first_panics() {
    let mut done = Vec::new();
    assert_eq!(panic_of(|| both(&mut done, |done| done.push(1), |done| done.push(2))), None);
    let panics = |number| {
        move |done: &mut Vec<u32>| {
            done.push(number);
            panic_any(number);
        }
    };
    assert_eq!(panic_of(|| both(&mut done, panics(3), |done| done.push(4))), Some(3));
    assert_eq!(panic_of(|| both(&mut done, |done| done.push(5), panics(6))), Some(6));
    assert_eq!(panic_of(|| both(&mut done, panics(7), panics(8))), Some(7));
    assert_eq!(done, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// A drop during an unwinding may run user code that panics.
#[test]
fn nothing_panics_while_a_panic_is_under_way() {
    struct Noisy<'a>(&'a mut Vec<u32>);

    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            each(2..4_u32, |item| {
                self.0.push(item);
                panic_any(item);
            });
        }
    }

    let mut seen = Vec::new();
    let panic = panic_of(|| {
        let _noisy = Noisy(&mut seen);
        panic_any(1_u32);
    });
    assert_eq!((seen, panic), ([2, 3].into(), Some(1)));
}
