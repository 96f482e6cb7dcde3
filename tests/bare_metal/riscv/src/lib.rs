//! The machine: a heap, a clock and an alarm by the timer of the hart, the end of the emulation.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::{
    future::Future,
    mem::MaybeUninit,
    panic::PanicInfo,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use embedded_alloc::LlffHeap;
use larder::parts::Local;
use larder_scenario::{
    Checked,
    time::{Ticks, tick},
};
use riscv::interrupt::Interrupt;
use semihosting::{println, process::exit};

const SIZE: usize = 32 * 1024;

/// Ticks of the hart's timer, 10 MHz, in a millisecond.
const PERIOD: u64 = 10_000;

/// Where the timer is, and where it is told when to interrupt next.
const TIME: *const [u32; 2] = 0x0200_bff8 as _;
const COMPARE: *mut [u32; 2] = 0x0200_4000 as _;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// What cases run on.
pub type Host = Local<Ticks>;

/// Runs cases: ends the emulator with status 0 if they held.
pub fn main<F: Future<Output = Checked>>(cases: fn(fn() -> Host, fn() -> usize) -> F) -> ! {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: the hart enters `main` once, and nothing was allocated before.
    unsafe { HEAP.init(&raw mut MEMORY as usize, SIZE) };
    interrupt_at(now() + PERIOD);
    // SAFETY: no code here relies on interrupts being off.
    unsafe {
        riscv::interrupt::enable_interrupt(Interrupt::MachineTimer);
        riscv::interrupt::enable();
    }
    let mut cases: Pin<Box<_>> = Box::pin(cases(|| Local::new(Ticks), || HEAP.used()));
    // They look by themselves which task an interrupt has woken, so after each interrupt they are polled.
    let checked = loop {
        if let Poll::Ready(checked) = cases.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break checked;
        }
        riscv::asm::wfi();
    };
    drop(cases);
    match checked {
        Ok(()) => println!("every check held, {} bytes of the heap are in use", HEAP.used()),
        Err(broken) => println!("{broken}"),
    }
    exit(if checked.is_ok() && HEAP.used() == 0 { 0 } else { 1 })
}

/// A millisecond has passed, or several.
#[riscv_rt::core_interrupt(Interrupt::MachineTimer)]
fn machine_timer() {
    static mut BEFORE: u64 = 0;
    let now = now();
    // SAFETY: nothing but this interrupt uses it, and it does not interrupt itself.
    let before = unsafe { BEFORE };
    let passed = (now - before) / PERIOD;
    // SAFETY: as above.
    unsafe { BEFORE = before + passed * PERIOD };
    interrupt_at(before + (passed + 1) * PERIOD);
    tick(passed);
}

fn now() -> u64 {
    let words = TIME.cast::<u32>();
    // SAFETY: these are the two words of the timer of this machine.
    let (low, high) = unsafe { (words, words.add(1)) };
    loop {
        // SAFETY: as above.
        let (first, value, second) = unsafe { (high.read_volatile(), low.read_volatile(), high.read_volatile()) };
        if first == second {
            return u64::from(first) << 32 | u64::from(value);
        }
    }
}

fn interrupt_at(time: u64) {
    let words = COMPARE.cast::<u32>();
    // SAFETY: these are the two words that the timer is compared with; the high one first, so that it is not early.
    unsafe {
        words.add(1).write_volatile(u32::MAX);
        words.write_volatile(time as u32);
        words.add(1).write_volatile((time >> 32) as u32);
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    exit(1)
}
