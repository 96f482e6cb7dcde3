//! Code of keys, values and clocks that panics on demand: at points with names, one of which is armed.

use core::cell::Cell;

use larder_conformance::Bang;

std::thread_local! {
    /// The point that panics next, and how often it is passed before.
    static TRAP: Cell<Option<(&'static str, u32)>> = const { Cell::new(None) };
}

/// Makes this point panic once, after it has been passed so often.
pub fn arm(point: &'static str, passes: u32) {
    TRAP.set(Some((point, passes)));
}

/// Makes no point panic any more; tells whether one still would have.
pub fn calm() -> bool {
    TRAP.take().is_some()
}

/// Tells whether this point is armed.
pub fn is_armed(point: &'static str) -> bool {
    TRAP.get().is_some_and(|(armed, _)| armed == point)
}

/// Panics if this point is armed and has been passed often enough.
pub fn strike(point: &'static str) {
    if let Some((_, left)) = TRAP.get().filter(|(armed, _)| *armed == point) {
        TRAP.set(left.checked_sub(1).map(|left| (point, left)));
        if left == 0 {
            std::panic::panic_any(Bang(17));
        }
    }
}

/// The same in a drop, which must not panic while another panic is under way.
pub fn strike_in_drop(point: &'static str) {
    if !std::thread::panicking() {
        strike(point);
    }
}
