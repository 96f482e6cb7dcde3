//! A shop's product pages on async-std; everything but this file is the same on every runtime.
//!
//! ```text
//! cargo run -p larder-examples --bin shop_async_std
//! ```

use async_std::task;
use larder_async_std::{self as larder, AsyncStd as Adapter};

#[path = "shop/mod.rs"]
mod shop;

fn main() {
    task::block_on(shop::open(Adapter::new()));
}
