//! Fixed slots over plain bytes: the shape of everything that shared memory holds.
#![forbid(unsafe_code)]
