//! The words of Manara: what a record, an observable, a marking and an audience are,
//! and the one gate ([`policy`]) through which anything may leave the node.
//!
//! Comes in: plain values. Goes out: plain values, and `Cleared<T>` which only [`policy`] makes.
//! Never happens here: input, output, clocks, SQL, formats.

pub mod observable;
