//! `auth-gate`: the command line, a thin face on the rooms of the library.
#![forbid(unsafe_code)]

fn main() {}
