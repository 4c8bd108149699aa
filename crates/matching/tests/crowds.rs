//! Lists that were made so that one place of a log has very many hits: they are told up to a bound, in order, and no
//! more memory is taken for them than for others.

#![allow(clippy::unwrap_used, unsafe_code)] // counting what is allocated takes an allocator

use manara_matching::{Builder, Code, Hit, Index, Kind, Next, Scanner, Scratch};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are allocated, and the most that were.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: all is done by the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the same.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
/// What is allocated is counted for all threads: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn crowd(count: usize) -> Index {
    let mut builder = Builder::new();
    builder.add(Kind::Domain, "a.example").unwrap();
    for n in 0..count {
        builder.add(Kind::Url, &format!("http://u{n}@a.example/")).unwrap();
    }
    builder.add(Kind::Url, "http://a.example/x").unwrap();
    Index::from_bytes(builder.finish()).unwrap()
}

#[test]
fn many_urls_of_one_place_take_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let index = crowd(70_000);
    let log = b"http://a.example/\n".repeat(60);
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut hits = 0_u64;
    let lines = Scanner::new(&index).scan(&log, |_| hits += 1);
    let most = MOST.load(Ordering::Relaxed) - before;
    // The name, and one URL more than the 65,536 that are spoken of.
    assert_eq!((lines, hits), (60, 60 * ((1 << 16) + 2)));
    assert!(most < 2 << 20, "{most} bytes");
}

#[test]
fn of_a_crowd_each_is_told_once_in_order_wherever_it_stands() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let index = crowd(500);
    let (all, name): (Vec<u32>, u32) = ((1..=500).collect(), 0);
    for spelling in ["http://a.example/x/y", "hxxp[:]//a[.]example/x/y", "http:\\/\\/A.EXAMPLE%2fx%2fy"] {
        let text = format!("{spelling} and {spelling}\n").repeat(300);
        for code in [Code::Portable, Code::best()] {
            let mut hits: Vec<Hit> = Vec::new();
            Scanner::new(&index).with(code).scan(text.as_bytes(), |hit| hits.push(hit));
            assert_eq!(hits.len(), 600 * 502, "{spelling}");
            for place in hits.chunks(502) {
                assert_eq!(place[0].indicator, name);
                assert!(place[1..].iter().all(|hit| (hit.line, hit.start) == (place[1].line, place[0].start)));
                let told: Vec<u32> = place[1..].iter().map(|hit| hit.indicator).collect();
                assert_eq!((&told[..500], told[500]), (&all[..], 501), "{spelling}");
            }
        }
    }
}

#[test]
fn no_more_of_a_line_than_is_wanted() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let index = crowd(1000);
    let long = "http://a.example/ ".repeat(3000) + "\n";
    let text = format!("a.example\n{long}x a.example\n{long}");
    let mut scratch = Scratch::new();
    for _ in 0..2 {
        let mut told = Vec::new();
        let lines = Scanner::new(&index).scan_some(&mut scratch, text.as_bytes(), |hit| {
            told.push(hit.line);
            if told.iter().filter(|line| **line == hit.line).count() < 1500 { Next::Hit } else { Next::Line }
        });
        let of = |line| told.iter().filter(|told| **told == line).count();
        assert_eq!((lines, [1, 2, 3, 4].map(of)), (4, [1001, 1500, 1001, 1500]));
        let mut told = 0;
        Scanner::new(&index).scan_some(&mut scratch, text.as_bytes(), |hit| {
            told += 1;
            if hit.line < 2 { Next::Hit } else { Next::Stop }
        });
        assert_eq!(told, 1002);
    }
}
