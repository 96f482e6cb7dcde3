//! Memory that may be refused.

use alloc::vec::Vec;

/// Gives back what memory a list has beyond that for so many, if there is any to move to.
pub(super) fn shrink<T>(list: &mut Vec<T>, len: usize) {
    let mut smaller = Vec::new();
    if smaller.try_reserve_exact(len.max(list.len())).is_ok() {
        smaller.append(list);
        *list = smaller;
    }
}
