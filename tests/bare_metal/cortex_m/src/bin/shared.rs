//! One cache: see there.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use larder_cortex_m::{board, shared};

#[entry]
fn main() -> ! {
    board::main(shared::program)
}
