//! A shop's product pages on smol; all but this file is the same on every runtime.
//!
//! ```text
//! cargo run -p larder-smol --example shop_smol
//! ```

use larder_smol::{self as larder, Smol as Adapter};

#[path = "../../examples/shop/mod.rs"]
mod shop;

fn main() {
    smol::block_on(shop::open(Adapter::new()));
}
