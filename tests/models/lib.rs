//! Random operations on a cache beside a plain model of it: see `tests/model`.
