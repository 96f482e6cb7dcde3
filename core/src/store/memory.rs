//! Memory that may be refused.

use alloc::vec::Vec;

/// Gives back the memory of a list beyond `len` elements, if there is memory to move it to.
pub(super) fn shrink<T>(list: &mut Vec<T>, len: usize) {
    let mut smaller = Vec::new();
    if smaller.try_reserve_exact(len.max(list.len())).is_ok() {
        smaller.append(list);
        *list = smaller;
    }
}
