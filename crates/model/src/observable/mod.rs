//! Typed values that can be seen, each with one normal form.
