//! What the values in tables say: bits beside the number of an entry.

/// No entry: only a way to others.
pub(crate) const NONE: u32 = (1 << 27) - 1;
/// Longer names are indicators: look further left.
pub(crate) const ON: u32 = 1 << 31;
/// The host has URLs.
pub(crate) const URLS: u32 = 1 << 30;
/// The host has e-mail addresses.
pub(crate) const EMAILS: u32 = 1 << 29;
/// Only names below it count.
pub(crate) const BELOW: u32 = 1 << 28;

/// Number of the entry.
pub(crate) fn number(value: u32) -> Option<u32> {
    Some(value & NONE).filter(|n| *n != NONE)
}
