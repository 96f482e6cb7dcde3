//! Links the program without the start files of the C library, which would call a `main`.

fn main() {
    println!("cargo:rustc-link-arg-bins=-nostartfiles");
    // memcpy and its kind, which compiled code calls by name.
    println!("cargo:rustc-link-arg-bins=-lc");
}
