//! How deep the stack was.

const PAINT: u32 = 0x5afe_57ac;

unsafe extern "C" {
    static mut _stack_end: u32;
    static _stack_start: u32;
}

/// Returns how many bytes of stack a piece of work took, with a few of this function's own.
#[inline(never)]
pub fn deepest(work: impl FnOnce()) -> usize {
    let here = paint();
    work();
    here - reached()
}

/// Paints what lies below the present frame; returns where that is.
#[inline(never)]
fn paint() -> usize {
    let here = 0_u32;
    let (mut at, end) = (&raw mut _stack_end, (&raw const here) as usize - 64);
    while (at as usize) < end {
        // SAFETY: between the end of the stack and the present frame nothing is in use, as no interrupt runs.
        unsafe {
            at.write_volatile(PAINT);
            at = at.add(1);
        }
    }
    end
}

/// The lowest address that was written since.
#[inline(never)]
fn reached() -> usize {
    let mut at = (&raw mut _stack_end).cast_const();
    // SAFETY: all of this is memory of the stack.
    while at < &raw const _stack_start && unsafe { at.read_volatile() } == PAINT {
        // SAFETY: as above.
        at = unsafe { at.add(1) };
    }
    at as usize
}
