//! That cache, and a second one of other types.
#![no_std]
#![no_main]

use core::cell::Cell;

use cortex_m_rt::entry;
use larder::{Cache, Runtime};
use larder_cortex_m::{
    TTL,
    board::{self, run},
    shared,
};
use larder_scenario::tasks::Task;

#[entry]
fn main() -> ! {
    board::main(|| shared::program() && second())
}

fn second() -> bool {
    let built = Cache::builder(board::runtime())
        .capacity(16)
        .hash_seed(7)
        .ttl(TTL)
        .load_fn(|key: u16| async move {
            board::sleep(1).await;
            Ok::<_, u8>([key as u8; 6])
        })
        .build();
    built.is_ok_and(|cache| holds(&cache))
}

fn holds<R: Runtime>(cache: &Cache<u16, [u8; 6], u8, R>) -> bool {
    let got = &Cell::new(0);
    run(&mut [Task::new(async {
        if let Ok(address) = cache.get(&3).await {
            got.set(address[5]);
        }
    })]);
    got.get() == 3
}
