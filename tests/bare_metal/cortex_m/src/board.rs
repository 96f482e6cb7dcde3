//! The board: a heap, a clock and an alarm by SysTick, the end of the emulation.

use core::{mem::MaybeUninit, panic::PanicInfo, time::Duration};

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};
use cortex_m_rt::exception;
use cortex_m_semihosting::debug;
use embedded_alloc::LlffHeap;
use larder::{
    Clock, Timer,
    parts::{Local, NoTimer},
};
use larder_scenario::{
    tasks::{Task, step},
    time,
};

pub use larder_scenario::time::Ticks;

/// Bytes of the heap, and cycles of the core clock in a millisecond: those of a Stellaris with 64 KiB of memory, or of a
/// micro:bit with 16 KiB.
#[cfg(target_has_atomic = "ptr")]
const MACHINE: (usize, u32) = (32 * 1024, 12_000);
#[cfg(not(target_has_atomic = "ptr"))]
const MACHINE: (usize, u32) = (9 * 1024, 64_000);

/// Bytes of the heap.
pub const SIZE: usize = MACHINE.0;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

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
    timer.set_reload(MACHINE.1 - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Polls the tasks that were woken, until all have ended.
pub fn run(tasks: &mut [Task<'_, ()>]) {
    while !step(tasks) {
        cortex_m::asm::wfi();
    }
}

/// How many bytes of the heap are in use.
pub fn heap() -> usize {
    HEAP.used()
}

/// Waits, woken from the interrupt, until so many milliseconds have passed.
pub async fn sleep(duration: u64) {
    Ticks.sleep_until(Ticks.now().saturating_add(Duration::from_millis(duration))).await;
}

#[exception]
fn SysTick() {
    tick();
}

/// A millisecond has passed.
pub fn tick() {
    time::tick(1);
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
