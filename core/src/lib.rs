//! Larder.
#![no_std]
extern crate alloc;
