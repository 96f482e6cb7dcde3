//! Memory that may be refused.

use alloc::vec::Vec;

/// Reserves memory for so many elements in all; returns whether there is enough.
pub(super) fn reserve<T>(list: &mut Vec<T>, len: usize) -> bool {
    #[cfg(all(test, feature = "std"))]
    if tests::refuses() && len > list.capacity() {
        return false;
    }
    list.try_reserve_exact(len.saturating_sub(list.len())).is_ok()
}

/// Reserves memory for so many more elements, and for others to come; returns whether there is enough.
///
/// It doubles, but not far beyond what is likely to be held. What it doubles is the number of elements that are about to be
/// there: a list may lack all but the last of them.
pub(super) fn grow<T>(list: &mut Vec<T>, missing: usize, limit: u64) -> bool {
    let others = list.len().saturating_add(missing.saturating_sub(1));
    let len = others as u64;
    let more = len.max(4).min(limit.saturating_sub(len)).max(len / 16) as usize;
    reserve(list, others.saturating_add(more.max(1)))
}

/// Has a list much more memory than so many elements need?
pub(super) fn is_sparse<T>(list: &Vec<T>, len: usize) -> bool {
    len * 2 <= list.capacity() && list.capacity() > SMALL
}

/// Gives back most of the memory of such a list.
pub(super) fn shrink_sparse<T>(list: &mut Vec<T>, len: usize) {
    shrink(list, len + len / 8);
}

/// Gives back the memory of a list beyond `len` elements, if there is memory to move it to.
pub(super) fn shrink<T>(list: &mut Vec<T>, len: usize) {
    let mut smaller = Vec::new();
    if reserve(&mut smaller, len.max(list.len())) {
        smaller.append(list);
        *list = smaller;
    }
}

/// Up to this many elements keep their memory.
pub(super) const SMALL: usize = 16;

#[cfg(all(test, feature = "std"))]
pub(super) mod tests;
