//! One cache.

use larder_text::cache;

fn main() {
    println!("{}", cache::<0>());
}
