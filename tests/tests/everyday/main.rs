//! How programs use a cache every day: its type in their own, settings under conditions, errors passed on.

mod errors;
mod no_loader;
mod programs;
mod table;
mod types;
