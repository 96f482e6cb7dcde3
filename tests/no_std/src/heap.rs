//! An allocator that hands out a fixed area once, gives nothing back, and counts.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr::null_mut,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::scenario::Heap;

const SIZE: usize = 1 << 20;

#[global_allocator]
static BUMP: Bump = Bump {
    area: UnsafeCell::new([0; SIZE]),
    used: AtomicUsize::new(0),
    live: AtomicUsize::new(0),
    allocations: AtomicUsize::new(0),
};

/// What [`BUMP`] has counted.
pub const HEAP: Heap = Heap { live: || BUMP.live.load(Relaxed), allocations: || BUMP.allocations.load(Relaxed) };

struct Bump {
    area: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
    live: AtomicUsize,
    allocations: AtomicUsize,
}

// SAFETY: the program has one thread and no signal handlers; no two calls overlap.
unsafe impl Sync for Bump {}

// SAFETY: `used` only grows, so no two allocations overlap; what does not fit is refused by a null pointer.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let area = self.area.get().cast::<u8>();
        let free = area.wrapping_add(self.used.load(Relaxed));
        let end = self.used.load(Relaxed) + free.align_offset(layout.align()) + layout.size();
        if end > SIZE {
            return null_mut();
        }
        self.used.store(end, Relaxed);
        self.live.fetch_add(layout.size(), Relaxed);
        self.allocations.fetch_add(1, Relaxed);
        area.wrapping_add(end - layout.size())
    }

    unsafe fn dealloc(&self, _: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Relaxed);
    }
}
