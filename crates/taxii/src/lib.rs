//! TAXII 2.1.

mod answer;
mod media;
mod query;
mod time;
