//! The heap, counted.

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static HEAP: Counted = Counted { live: AtomicUsize::new(0) };

struct Counted {
    live: AtomicUsize,
}

pub fn live() -> usize {
    HEAP.live.load(Relaxed)
}

// SAFETY: both calls are passed on as they are to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.live.fetch_add(layout.size(), Relaxed);
        // SAFETY: passed on from the caller.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Relaxed);
        // SAFETY: passed on from the caller.
        unsafe { GlobalDlmalloc.dealloc(block, layout) };
    }
}
