//! MISP core format: events as JSON, in every wrapper that MISP and its users write.

mod draft;
pub(crate) mod feed;
mod marking;
mod read;
mod synthesis;
mod write;

pub use draft::{misp_head, misp_marking, misp_part};
pub(crate) use read::read;
pub(crate) use write::MispWriter;
