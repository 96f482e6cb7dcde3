//! Runs the cases of slots: ends the emulator with status 0 if each of them held.
#![no_std]
#![no_main]

#[riscv_rt::entry]
fn main() -> ! {
    larder_riscv::main(larder_scenario::of_slots)
}
