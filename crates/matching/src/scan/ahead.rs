//! Asks the processor for memory that will be read soon.

#![allow(unsafe_code)]

/// Asks for the bytes at a place of a text, if they are there.
#[inline(always)]
pub(super) fn ask(text: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(byte) = text.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: nothing is read; the address is that of a byte of the text.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (text, at);
}
