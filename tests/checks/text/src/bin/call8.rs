//! Eight places where a cache is asked by loads of the calls' own.

use larder_text::{call, users};

fn main() {
    let Some(users) = users() else { return };
    let first = call::<0>(&users) + call::<1>(&users) + call::<2>(&users) + call::<3>(&users);
    println!("{}", first + call::<4>(&users) + call::<5>(&users) + call::<6>(&users) + call::<7>(&users));
}
