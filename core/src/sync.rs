//! What callers on several threads or in several contexts share: reference counts, wakers and atomics.
//!
//! They are those of `alloc` and `core` where the target has compare-and-swap, and those of `portable-atomic` where it
//! has none: so on all other targets the feature of that name changes nothing if it is on. The two kinds differ
//! in what the language does for its own type alone: methods on `self: Arc<Self>`, and the erasing of a type in place.

#[cfg(not(all(feature = "portable-atomic", not(target_has_atomic = "ptr"))))]
mod chosen {
    pub(crate) use alloc::sync::{Arc, Weak};
    pub(crate) use core::sync::atomic;

    /// Implements the trait of wakers for a type by its method `woken`.
    macro_rules! wakes {
        ([$($param:tt)*] $woken:ty) => {
            impl<$($param)*> alloc::task::Wake for $woken {
                fn wake(self: Arc<Self>) {
                    self.woken();
                }

                fn wake_by_ref(self: &Arc<Self>) {
                    self.woken();
                }
            }
        };
    }

    /// Shares a value whose type is erased.
    macro_rules! erased {
        ($value:expr, $erased:ty) => {
            Arc::new($value) as Arc<$erased>
        };
    }

    pub(crate) use {erased, wakes};
}

#[cfg(all(feature = "portable-atomic", not(target_has_atomic = "ptr")))]
mod chosen {
    pub(crate) use portable_atomic as atomic;
    pub(crate) use portable_atomic_util::{Arc, Weak};

    macro_rules! wakes {
        ([$($param:tt)*] $woken:ty) => {
            impl<$($param)*> portable_atomic_util::task::Wake for $woken {
                fn wake(this: Arc<Self>) {
                    this.woken();
                }

                fn wake_by_ref(this: &Arc<Self>) {
                    this.woken();
                }
            }
        };
    }

    macro_rules! erased {
        ($value:expr, $erased:ty) => {
            Arc::from(alloc::boxed::Box::new($value) as alloc::boxed::Box<$erased>)
        };
    }

    pub(crate) use {erased, wakes};
}

pub(crate) use chosen::{Arc, Weak, atomic, erased, wakes};
