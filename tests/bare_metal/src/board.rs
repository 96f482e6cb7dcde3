//! The board: a heap, a clock and an alarm by SysTick, the end of the emulation.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    mem::{self, MaybeUninit},
    panic::PanicInfo,
    task::{Poll, Waker},
};

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};
use cortex_m_rt::exception;
use cortex_m_semihosting::debug;
use critical_section::Mutex;
use embedded_alloc::LlffHeap;
use larder::{
    Clock, Instant,
    parts::{Local, NoTimer},
};

const SIZE: usize = 32 * 1024;

/// Cycles of the core clock, 12 MHz, in a millisecond.
const CYCLES: u32 = 12_000;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

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

/// What caches run on here: one thread, and wakers that an interrupt may call.
pub fn runtime() -> Local<NoTimer<Ticks>> {
    Local::new(NoTimer::new(Ticks))
}

/// Runs the whole program: ends the emulator with status 0 if it held.
pub fn main(program: fn() -> bool) -> ! {
    start(prepare());
    exit(program())
}

/// The same without interrupts: time passes by [`tick`] alone.
pub fn main_without_interrupts(program: fn() -> bool) -> ! {
    prepare();
    exit(program())
}

fn prepare() -> SYST {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    // SAFETY: the peripherals are handed out once, so this runs once, and nothing was allocated before.
    unsafe { HEAP.init(&raw mut MEMORY as usize, SIZE) };
    peripherals.SYST
}

fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(CYCLES - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// How many bytes of the heap are in use.
pub fn heap() -> usize {
    HEAP.used()
}

/// The time since the board was started.
pub fn millis() -> u64 {
    critical_section::with(|cs| MILLIS.borrow(cs).get())
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

#[exception]
fn SysTick() {
    tick();
}

/// A millisecond has passed.
pub fn tick() {
    let waiting = critical_section::with(|cs| {
        MILLIS.borrow(cs).set(MILLIS.borrow(cs).get() + 1);
        mem::take(&mut *WAITING.borrow_ref_mut(cs))
    });
    waiting.into_iter().for_each(Waker::wake);
}

fn exit(held: bool) -> ! {
    debug::exit(if held { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(false)
}
