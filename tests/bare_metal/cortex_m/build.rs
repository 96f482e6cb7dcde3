//! Gives the linker the memory of the board: there are two.

use std::{env, fs, path::PathBuf};

fn main() {
    let (target, out) = (env::var("TARGET").unwrap(), PathBuf::from(env::var("OUT_DIR").unwrap()));
    for board in ["m0", "m3"] {
        println!("cargo:rerun-if-changed={board}.x");
        fs::create_dir_all(out.join(board)).unwrap();
        fs::copy(format!("{board}.x"), out.join(board).join("memory.x")).unwrap();
    }
    for program in BINS {
        // A write-back cache takes more than the 16 KiB of that board.
        let board = if target.starts_with("thumbv6m") && program != "pages_hold" { "m0" } else { "m3" };
        println!("cargo:rustc-link-arg-bin={program}=-L{}", out.join(board).display());
    }
}

const BINS: [&str; 10] =
    ["base", "caches_hold", "firmware", "memory", "pages_hold", "second", "shared", "slot", "slots_hold", "write_back"];
