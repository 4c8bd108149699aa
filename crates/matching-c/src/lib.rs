//! The C library. `include/manara_matching.h` says what each function takes and gives; what it says binds both sides.
//! No function unwinds into its caller: a panic ends the process.

use manara_matching::{Hit, Index, Kind, OpenError, Scanner};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::LazyLock;

/// An index with its scanner.
#[allow(non_camel_case_types)] // its name in C
pub struct manara_index {
    /// Borrows from `index`, which is given back after it.
    scanner: Option<Scanner<'static>>,
    index: *mut Index,
}

impl manara_index {
    fn new(index: Index) -> *mut manara_index {
        let index = Box::into_raw(Box::new(index));
        // SAFETY: the index stays where it is until `drop`, which gives the scanner back first; nobody changes it.
        let scanner = Scanner::new(unsafe { &*index });
        Box::into_raw(Box::new(manara_index { scanner: Some(scanner), index }))
    }

    fn index(&self) -> &Index {
        // SAFETY: made in `new`, given back in `drop` and nowhere else.
        unsafe { &*self.index }
    }
}

impl Drop for manara_index {
    fn drop(&mut self) {
        self.scanner = None;
        // SAFETY: from `Box::into_raw` in `new`, and nothing borrows from it any more.
        drop(unsafe { Box::from_raw(self.index) });
    }
}

/// An indicator in a text.
#[repr(C)]
#[allow(non_camel_case_types)] // its name in C
pub struct manara_hit {
    line: u64,
    column: u64,
    start: usize,
    end: usize,
    indicator: u32,
    kind: u32,
}

impl From<Hit> for manara_hit {
    fn from(hit: Hit) -> Self {
        let Hit { line, column, start, end, indicator, kind } = hit;
        manara_hit { line, column, start, end, indicator, kind: kind as u32 }
    }
}

/// Writes why something failed, cut to the room there is, with a zero at its end.
///
/// # Safety
/// `room` is null, or has `size` bytes that may be written.
unsafe fn say(why: &str, room: *mut c_char, size: usize) {
    if room.is_null() || size == 0 {
        return;
    }
    let mut end = why.len().min(size - 1);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: `end` bytes and one more are within `size`, and no Rust text lies in memory of the caller's.
    unsafe {
        ptr::copy_nonoverlapping(why.as_ptr(), room.cast(), end);
        *room.add(end) = 0;
    }
}

/// The bytes of a caller; none where there are none.
///
/// # Safety
/// `bytes` is null, or points to `length` bytes that nobody changes while the result is used.
unsafe fn slice<'a>(bytes: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: the caller's word; null is no pointer for a slice.
    if bytes.is_null() || length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes, length) } }
}

/// See the header.
///
/// # Safety
/// `path` is a text with a zero at its end; `error` is null or has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn manara_index_open(path: *const c_char, error: *mut c_char, size: usize) -> *mut manara_index {
    let opened = if path.is_null() {
        Err("no path was given".to_owned())
    } else {
        // SAFETY: the caller's word.
        path_of(unsafe { CStr::from_ptr(path) }).and_then(|path| sound(path).map_err(|error| error.to_string()))
    };
    match opened {
        Ok(index) => manara_index::new(index),
        Err(why) => {
            // SAFETY: the caller's word.
            unsafe { say(&why, error, size) };
            ptr::null_mut()
        }
    }
}

/// An index of which all has been read once: a damaged one would miss hits, and nothing found is good news.
fn sound(path: &std::path::Path) -> Result<Index, OpenError> {
    let index = Index::open(path)?;
    index.verify()?;
    Ok(index)
}

#[cfg(unix)]
fn path_of(text: &CStr) -> Result<&std::path::Path, String> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::path::Path::new(std::ffi::OsStr::from_bytes(text.to_bytes())))
}

#[cfg(not(unix))]
fn path_of(text: &CStr) -> Result<&std::path::Path, String> {
    text.to_str().map(std::path::Path::new).map_err(|_| "the path is no UTF-8".to_owned())
}

/// See the header.
///
/// # Safety
/// `index` is null, or from [`manara_index_open`] and not closed yet; no scan of it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn manara_index_close(index: *mut manara_index) {
    if !index.is_null() {
        // SAFETY: from `Box::into_raw` in `manara_index::new`, by the caller's word not given back yet.
        drop(unsafe { Box::from_raw(index) });
    }
}

/// See the header.
///
/// # Safety
/// `index` is null, or from [`manara_index_open`] and not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn manara_index_len(index: *const manara_index) -> u32 {
    // SAFETY: the caller's word.
    unsafe { index.as_ref() }.map_or(0, |held| held.index().len())
}

/// See the header.
///
/// # Safety
/// `index` is null, or from [`manara_index_open`] and not closed yet; `length` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn manara_index_text(
    index: *const manara_index,
    indicator: u32,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's word.
    let text = unsafe { index.as_ref() }.map_or("", |held| held.index().text(indicator));
    if !length.is_null() {
        // SAFETY: the caller's word.
        unsafe { *length = text.len() };
    }
    text.as_ptr().cast()
}

/// The names of the kinds, as C has them.
static NAMES: LazyLock<Vec<(u32, CString)>> =
    LazyLock::new(|| Kind::all().filter_map(|kind| Some((kind as u32, CString::new(kind.name()).ok()?))).collect());

/// See the header.
#[unsafe(no_mangle)]
pub extern "C" fn manara_kind_name(kind: u32) -> *const c_char {
    NAMES.iter().find(|(known, _)| *known == kind).map_or(c"", |(_, name)| name).as_ptr()
}

/// See the header.
///
/// # Safety
/// `index` is null, or from [`manara_index_open`] and not closed before the end of this call; `text` is null or points to
/// `length` bytes that nobody changes meanwhile; `told` may be called with `context`, and does not unwind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn manara_scan(
    index: *const manara_index,
    text: *const u8,
    length: usize,
    told: Option<unsafe extern "C" fn(*const manara_hit, *mut c_void)>,
    context: *mut c_void,
) -> u64 {
    // SAFETY: the caller's word.
    let held = unsafe { index.as_ref() };
    let Some((scanner, told)) = held.and_then(|held| held.scanner.as_ref()).zip(told) else { return 0 };
    // SAFETY: the caller's word.
    let text = unsafe { slice(text, length) };
    let mut hits = 0;
    scanner.scan(text, |hit| {
        hits += 1;
        let hit = manara_hit::from(hit);
        // SAFETY: the caller's word; `hit` lives as long as the call.
        unsafe { told(&hit, context) };
    });
    hits
}
