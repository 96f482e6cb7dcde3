//! A shop's product pages on smol; everything but this file is the same on every runtime.
//!
//! ```text
//! cargo run -p larder-examples --bin shop_smol
//! ```

use larder_smol::{self as larder, Smol as Adapter};

#[path = "shop/mod.rs"]
mod shop;

fn main() {
    smol::block_on(shop::open(Adapter::new()));
}
