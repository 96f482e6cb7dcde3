//! Embassy's time by SysTick: an interrupt each millisecond.

use core::{
    cell::{Cell, RefCell},
    task::Waker,
};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;

/// Cycles of the core clock, 12 MHz, in a millisecond.
const CYCLES: u32 = 12_000;

struct Ticks {
    millis: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

time_driver_impl!(static TICKS: Ticks = Ticks {
    millis: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Driver for Ticks {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.millis.borrow(cs).get())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // (The next interrupt looks who is due, so there is nothing to be set.)
        critical_section::with(|cs| _ = self.queue.borrow_ref_mut(cs).schedule_wake(at, waker));
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

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let now = TICKS.millis.borrow(cs).get() + 1;
        TICKS.millis.borrow(cs).set(now);
        _ = TICKS.queue.borrow_ref_mut(cs).next_expiration(now);
    });
}
