//! The `manara` command.
fn main() {}
