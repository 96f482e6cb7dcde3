//! What threads share, apart from what others share.

/// It has cache lines of its own, so that no thread is slowed down by those that use something else.
#[cfg_attr(target_pointer_width = "64", repr(align(64)))]
pub(crate) struct Aligned<T>(pub(crate) T);
