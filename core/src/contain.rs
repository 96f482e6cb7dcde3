//! User code whose panics must not keep the rest from being done.
//!
//! The first panic goes on to the caller. While it is under way a second one would end the process: with std it is
//! caught here, without std nothing can be done about it.

use alloc::vec::{self, Vec};

/// Does `work`; if a panic is under way already, a second one is caught here.
#[inline]
pub(crate) fn contain(work: impl FnOnce()) {
    #[cfg(feature = "std")]
    if std::thread::panicking() {
        let _second = std::panic::catch_unwind(core::panic::AssertUnwindSafe(work));
        return;
    }
    work();
}

/// Does `work`, whose panic does not concern the caller and is caught; without std it goes on.
pub(crate) fn aside(work: impl FnOnce()) {
    #[cfg(feature = "std")]
    let _its_own = std::panic::catch_unwind(core::panic::AssertUnwindSafe(work));
    #[cfg(not(feature = "std"))]
    work();
}

/// A user value that is dropped here; if a panic is under way already, a second one is caught.
#[derive(Default)]
pub(crate) struct Contained<T: Default>(pub(crate) T);

impl<T: Default> Drop for Contained<T> {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "std")]
        if std::thread::panicking() {
            contain(|| self.0 = T::default());
        }
    }
}

/// Does `first` and then `second` with the same value, even if the first panics.
#[inline]
pub(crate) fn both<T>(with: &mut T, first: impl FnOnce(&mut T), second: impl FnOnce(&mut T)) {
    struct Then<'a, T, F: FnOnce(&mut T)>(&'a mut T, Option<F>);

    impl<T, F: FnOnce(&mut T)> Drop for Then<'_, T, F> {
        #[inline]
        fn drop(&mut self) {
            if let Some(second) = self.1.take() {
                contain(|| second(self.0));
            }
        }
    }

    let then = Then(with, Some(second));
    contain(|| first(then.0));
}

/// Does `work` with each item, even if some of them panic.
pub(crate) fn each<I: Iterator>(items: I, work: impl FnMut(I::Item)) {
    struct Each<I: Iterator, F: FnMut(I::Item)>(I, F);

    impl<I: Iterator, F: FnMut(I::Item)> Each<I, F> {
        fn work(&mut self) {
            while let Some(item) = self.0.next() {
                contain(|| (self.1)(item));
            }
        }
    }

    impl<I: Iterator, F: FnMut(I::Item)> Drop for Each<I, F> {
        fn drop(&mut self) {
            self.work();
        }
    }

    // If an item panics, the drop does what is left.
    Each(items, work).work();
}

/// Empties a list and drops what is in it, even if some of these drops panic.
#[inline]
pub(crate) fn drop_each<T>(list: &mut Vec<T>) {
    #[cfg(feature = "std")]
    if core::mem::needs_drop::<T>() {
        return if list.len() > 1 { each(list.drain(..), drop) } else { contain(|| list.clear()) };
    }
    list.clear();
}

/// Items to be taken out one by one; what is left is dropped even if some of these drops panic.
pub(crate) struct Items<T>(vec::IntoIter<T>);

impl<T> Items<T> {
    pub(crate) fn new(items: Vec<T>) -> Self {
        Self(items.into_iter())
    }
}

impl<T> Iterator for Items<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }
}

#[cfg(feature = "std")]
impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        each(self.0.by_ref(), drop);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
