//! Programs that had a cache of their own, written anew on Larder: is what they need at hand, and does it read well?

mod blocks;
mod resolver;
mod storage;
mod tokens;
