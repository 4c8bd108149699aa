//! MISP core format: events as JSON, in every wrapper that MISP and its users write.

pub(crate) mod feed;
mod marking;
mod read;
mod synthesis;
mod write;

pub(crate) use read::read;
pub(crate) use write::MispWriter;
