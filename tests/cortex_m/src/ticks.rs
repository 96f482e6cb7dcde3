//! The board's clock and its alarm: an interrupt each millisecond.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    mem,
    task::{Poll, Waker},
};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use larder::{Clock, Instant};

/// Cycles of the core clock, 12 MHz, in a millisecond.
const CYCLES: u32 = 12_000;

// Not an atomic: where there is no 64-bit compare-and-swap one is a spin lock, which an interrupt must never take.
static MILLIS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
static WAITING: Mutex<RefCell<Vec<Waker>>> = Mutex::new(RefCell::new(Vec::new()));

/// The time since the board was started, in milliseconds.
#[derive(Clone, Copy)]
pub struct Ticks;

impl Clock for Ticks {
    fn now(&self) -> Instant {
        Instant::from_nanos(millis() * 1_000_000)
    }
}

/// Starts the clock.
pub fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(CYCLES - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Waits, woken from the interrupt, until so many milliseconds have passed.
pub async fn sleep(duration: u64) {
    let end = millis() + duration;
    poll_fn(|cx| {
        // The look and the registration are one step, or an interrupt between them would wake no task.
        critical_section::with(|cs| {
            if MILLIS.borrow(cs).get() >= end {
                return Poll::Ready(());
            }
            WAITING.borrow_ref_mut(cs).push(cx.waker().clone());
            Poll::Pending
        })
    })
    .await;
}

fn millis() -> u64 {
    critical_section::with(|cs| MILLIS.borrow(cs).get())
}

#[exception]
fn SysTick() {
    let waiting = critical_section::with(|cs| {
        MILLIS.borrow(cs).set(MILLIS.borrow(cs).get() + 1);
        mem::take(&mut *WAITING.borrow_ref_mut(cs))
    });
    waiting.into_iter().for_each(Waker::wake);
}
