//! Larder on Embassy's executor: ends the emulator with status 0 if every check held.
#![no_std]
#![no_main]

extern crate alloc;

mod driver;

use alloc::boxed::Box;
use core::{
    future::{Future, pending, poll_fn},
    mem::MaybeUninit,
    panic::PanicInfo,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    task::Poll,
    time::Duration,
};

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embassy_executor::{Executor, Spawner};
use embassy_time::Timer;
use embedded_alloc::LlffHeap;
use larder_embassy::{Cache, Clock, ConfigError, Embassy, LoadError, OnTimeout, background};

const SIZE: usize = 32 * 1024;
const NOTHING: u32 = 404;
const NEVER: u32 = 405;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// The sum of what the three tasks were told.
static TOLD: AtomicU32 = AtomicU32::new(0);

type Values = Cache<u32, u32, u8>;

#[entry]
fn main() -> ! {
    static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];
    // SAFETY: `main` is entered once, and nothing was allocated before.
    unsafe { HEAP.init(MEMORY.as_mut_ptr() as usize, SIZE) };
    let Some(peripherals) = cortex_m::Peripherals::take() else { exit(Err("the peripherals are taken")) };
    driver::start(peripherals.SYST);
    Box::leak(Box::new(Executor::new())).run(|spawner| {
        spawner.spawn(check(spawner).unwrap_or_else(|_| exit(Err("no task is free"))));
    })
}

#[embassy_executor::task]
async fn in_the_background() {
    background().await
}

/// One of three callers.
#[embassy_executor::task(pool_size = 3)]
async fn ask(values: Values) {
    if let Ok(value) = values.get(&7).await {
        TOLD.fetch_add(value, SeqCst);
    }
}

#[embassy_executor::task]
async fn check(spawner: Spawner) {
    // (Where a promise is to be broken, nobody finishes what has been abandoned.)
    if !cfg!(feature = "broken") {
        spawner.spawn(in_the_background().unwrap_or_else(|_| exit(Err("no task is free"))));
        Timer::after_millis(1).await;
    }
    exit(checks(spawner).await);
}

async fn checks(spawner: Spawner) -> Result<(), &'static str> {
    let values = values().map_err(|_| "the configuration was refused")?;
    for _ in 0..3 {
        spawner.spawn(ask(values.clone()).map_err(|_| "no task is free")?);
    }
    Timer::after_millis(20).await;
    holds(TOLD.load(SeqCst) == 42, "three tasks are told")?;
    holds(values.stats().loads_begun == 1, "they share a load, which sleeps")?;
    holds(values.get_if_present(&7) == Some(14), "it is stored")?;
    Timer::after_millis(100).await;
    holds(!values.contains(&7), "it expires")?;

    let failed = values.get(&NOTHING).await;
    holds(matches!(&failed, Err(error) if error.error() == Some(&1)), "a load fails")?;

    let began = Embassy::new().now();
    let mut first = values.get(&NEVER);
    holds(is_pending(&mut first).await, "a load hangs")?;
    let second = values.get(&NEVER).await;
    let waited = Embassy::new().now().saturating_since(began);
    holds(matches!(second, Err(LoadError::LockTimeout)), "another caller waits no longer than it is willing to")?;
    holds((50..100).contains(&waited.as_millis()), "nor shorter")?;
    drop(first);

    let mut call = values.get(&9);
    holds(is_pending(&mut call).await, "a load is under way")?;
    drop(call);
    Timer::after_millis(20).await;
    holds(values.get_if_present(&9) == Some(18), "a load that nobody waits for is finished in the background")
}

fn values() -> Result<Values, ConfigError> {
    Cache::builder(Embassy::new())
        .capacity(8)
        .hash_seed(7)
        .ttl(Duration::from_millis(50))
        .lock_timeout(Duration::from_millis(50), OnTimeout::Fail)
        .finish_abandoned()
        .load_fn(|key: u32| async move {
            Timer::after_millis(5).await;
            match key {
                NOTHING => Err(1),
                NEVER => pending().await,
                key => Ok(2 * key),
            }
        })
        .build()
}

/// Polls a call once.
async fn is_pending(call: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *call).poll(cx).is_pending())).await
}

const fn holds(condition: bool, what: &'static str) -> Result<(), &'static str> {
    if condition { Ok(()) } else { Err(what) }
}

fn exit(checked: Result<(), &str>) -> ! {
    match checked {
        Ok(()) => hprintln!("embassy: every check held"),
        Err(what) => hprintln!("does not hold: {}", what),
    }
    debug::exit(if checked.is_ok() { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(Err("no panic"))
}
