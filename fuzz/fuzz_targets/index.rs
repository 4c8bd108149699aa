//! Any bytes as an index file, and whole files with bytes of them changed: an error or missed hits, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "matching/files.rs"]
mod files;

fuzz_target!(|input: &[u8]| files::check(input));
