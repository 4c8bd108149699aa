//! Readers and writers of the formats people use.
