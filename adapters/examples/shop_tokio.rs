//! A shop's product pages on tokio; everything but this file is the same on every runtime.
//!
//! ```text
//! cargo run -p larder-examples --bin shop_tokio
//! ```

use larder_tokio::{self as larder, Tokio as Adapter};

#[path = "shop/mod.rs"]
mod shop;

#[tokio::main]
async fn main() {
    shop::open(Adapter::new()).await;
}
