//! Any list and any text: the scanner finds what the slow reference finds, with and without vectors.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "matching/agree.rs"]
mod agree;
#[path = "../../crates/matching/tests/reference/mod.rs"]
#[allow(clippy::unwrap_used)]
mod reference;

fuzz_target!(|input: &[u8]| agree::check(input));
