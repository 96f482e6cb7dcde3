//! One place where a cache is asked by a load of the call's own.

use larder_text::{call, users};

fn main() {
    let Some(users) = users() else { return };
    println!("{}", call::<0>(&users));
}
