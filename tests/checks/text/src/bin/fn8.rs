//! Eight caches of the same types, each with a closure of its own.

use larder_text::cache;

fn main() {
    let first = cache::<0>() + cache::<1>() + cache::<2>() + cache::<3>();
    println!("{}", first + cache::<4>() + cache::<5>() + cache::<6>() + cache::<7>());
}
