//! A thermometer on a slow bus, read through a cache by three tasks.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    future::Future,
    mem::{self, MaybeUninit},
    panic::PanicInfo,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug;
use critical_section::Mutex;
use embedded_alloc::LlffHeap;
use larder::{Cache, Clock, Instant, OnTimeout, Timer, parts::Local};

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();
const HEAP_SIZE: usize = 16 * 1024;

/// Milliseconds, in 32 bits as timers have them: it wraps after 49 days.
static COUNTER: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
/// How often it has wrapped, and what it was when it was read last.
static SEEN: Mutex<Cell<(u32, u32)>> = Mutex::new(Cell::new((0, 0)));
/// Who waits for the next millisecond.
static WAITING: Mutex<RefCell<Vec<Waker>>> = Mutex::new(RefCell::new(Vec::new()));

/// The clock and the timer of this board.
#[derive(Clone, Copy)]
struct Board;

impl Clock for Board {
    fn now(&self) -> Instant {
        // Right if it is called once in 49 days, which the interrupt sees to.
        let (wraps, millis) = critical_section::with(|cs| {
            let (wraps, before) = SEEN.borrow(cs).get();
            let now = COUNTER.borrow(cs).get();
            let seen = if now < before { (wraps + 1, now) } else { (wraps, now) };
            SEEN.borrow(cs).set(seen);
            seen
        });
        Instant::from_nanos((u64::from(wraps) << 32 | u64::from(millis)) * 1_000_000)
    }
}

impl Timer for Board {
    type Sleep = Sleep;

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep(deadline)
    }
}

struct Sleep(Instant);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // One step, or an interrupt between the look and the registration would wake nobody.
        critical_section::with(|cs| {
            if Board.now() >= self.0 {
                return Poll::Ready(());
            }
            WAITING.borrow_ref_mut(cs).push(cx.waker().clone());
            Poll::Pending
        })
    }
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| COUNTER.borrow(cs).set(COUNTER.borrow(cs).get().wrapping_add(1)));
    _ = Board.now();
    let woken = critical_section::with(|cs| mem::take(&mut *WAITING.borrow_ref_mut(cs)));
    woken.into_iter().for_each(Waker::wake);
}

/// Reads a sensor, which takes 5 milliseconds; there is none on an odd address.
async fn read(address: u8) -> Result<i16, &'static str> {
    Board.sleep_until(Board.now().saturating_add(Duration::from_millis(5))).await;
    if address.is_multiple_of(2) { Ok(200 + i16::from(address)) } else { Err("no answer") }
}

fn program() -> bool {
    let built = Cache::builder(Local::new(Board))
        .preallocate(16) // all memory for 16 entries, now or never
        .hash_seed(0x5eed) // from the noise of an input where strangers choose the keys
        .ttl(Duration::from_millis(500))
        .lock_timeout(Duration::from_millis(50), OnTimeout::Fail)
        .load_fn(read)
        .build();
    let Ok(temperatures) = built else { return false };
    let sum = &Cell::new(0);
    let task = |address: u8| {
        let temperatures = &temperatures;
        Box::pin(async move {
            if let Ok(tenths) = temperatures.get(&address).await {
                sum.set(sum.get() + tenths);
            }
        }) as Pin<Box<dyn Future<Output = ()>>>
    };
    run(Vec::from([task(8), task(8), task(8), task(9)]));
    sum.get() == 3 * 208 && temperatures.stats().loads_begun == 2
}

/// An executor: polls all tasks after each interrupt.
fn run(mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    while !tasks.is_empty() {
        let mut context = Context::from_waker(Waker::noop());
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        cortex_m::asm::wfi();
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: [MaybeUninit<u8>; HEAP_SIZE] = [MaybeUninit::uninit(); HEAP_SIZE];
    // SAFETY: `main` is entered once, and nothing was allocated before.
    unsafe { HEAP.init(MEMORY.as_mut_ptr() as usize, HEAP_SIZE) };
    if let Some(mut board) = cortex_m::Peripherals::take() {
        board.SYST.set_clock_source(SystClkSource::Core);
        board.SYST.set_reload(12_000 - 1); // a millisecond of 12 MHz
        board.SYST.clear_current();
        board.SYST.enable_counter();
        board.SYST.enable_interrupt();
    }
    let held = program();
    debug::exit(if held { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}
