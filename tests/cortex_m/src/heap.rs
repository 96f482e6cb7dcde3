//! The board's heap, counted.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use embedded_alloc::LlffHeap;

use crate::scenario::Heap;

const SIZE: usize = 32 * 1024;

#[global_allocator]
static COUNTED: Counted = Counted { heap: LlffHeap::empty(), allocations: AtomicUsize::new(0) };

/// What [`COUNTED`] has counted.
pub const HEAP: Heap = Heap { live: || COUNTED.heap.used(), allocations: || COUNTED.allocations.load(Relaxed) };

struct Counted {
    heap: LlffHeap,
    allocations: AtomicUsize,
}

/// Gives the heap its memory.
///
/// # Safety
///
/// To be called once, before anything is allocated.
pub unsafe fn init() {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: the caller ensures that this memory has no other user, and that nothing is allocated yet.
    unsafe { COUNTED.heap.init(&raw mut MEMORY as usize, SIZE) };
}

// SAFETY: both calls are passed on as they are to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocations.fetch_add(1, Relaxed);
        // SAFETY: passed on from the caller.
        unsafe { self.heap.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: passed on from the caller.
        unsafe { self.heap.dealloc(block, layout) };
    }
}
