//! Intervals of addresses: networks lie inside one another or apart, so each interval knows the one around
//! it, and all that hold an address are found from the last one that starts before it.

use crate::entry::NONE;
use crate::file::u32_at;
use std::net::Ipv4Addr;
use std::ops::Range;

/// An address as a number.
pub(crate) trait Number: Copy + Ord {
    /// Bytes of an interval in the file.
    const SIZE: usize;
    /// Bytes of a number.
    const WIDTH: usize;
    fn put(self, out: &mut Vec<u8>);
    fn at(bytes: &[u8], at: usize) -> Option<Self>;
}

impl Number for u32 {
    const SIZE: usize = 16;
    const WIDTH: usize = 4;
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    #[inline(always)]
    fn at(bytes: &[u8], at: usize) -> Option<u32> {
        u32_at(bytes, at)
    }
}

impl Number for u128 {
    const SIZE: usize = 40;
    const WIDTH: usize = 16;
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn at(bytes: &[u8], at: usize) -> Option<u128> {
        bytes.get(at..)?.first_chunk().map(|b| u128::from_le_bytes(*b))
    }
}

/// Builds a section out of first, last, entry.
pub(crate) fn build<N: Number>(mut all: Vec<(N, N, u32)>) -> Vec<u8> {
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
    let mut out = Vec::with_capacity(all.len() * N::SIZE);
    let mut around: Vec<u32> = Vec::new();
    for (n, (first, last, entry)) in all.iter().enumerate() {
        while around.last().is_some_and(|outer| all[*outer as usize].1 < *last) {
            around.pop();
        }
        first.put(&mut out);
        last.put(&mut out);
        entry.put(&mut out);
        around.last().copied().unwrap_or(NONE).put(&mut out);
        around.push(n as u32);
    }
    out
}

/// Intervals in a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals<'a> {
    section: &'a [u8],
}

impl<'a> Intervals<'a> {
    pub(crate) fn new(section: &'a [u8]) -> Intervals<'a> {
        Intervals { section }
    }

    pub(crate) fn len<N: Number>(self) -> usize {
        self.section.len() / N::SIZE
    }

    /// First, last, entry, parent.
    pub(crate) fn row<N: Number>(self, n: usize) -> Option<(N, N, u32, u32)> {
        let row = self.section.get(n * N::SIZE..(n + 1) * N::SIZE)?;
        Some((N::at(row, 0)?, N::at(row, N::WIDTH)?, u32_at(row, 2 * N::WIDTH)?, u32_at(row, 2 * N::WIDTH + 4)?))
    }

    /// The entries whose interval holds an address, innermost first. The first interval that starts behind
    /// it is `within` a range of rows, or is its end.
    pub(crate) fn holding<N: Number + 'a>(self, address: N, within: Range<usize>) -> impl Iterator<Item = u32> + 'a {
        let (mut low, mut high) = (within.start, within.end.min(self.len::<N>()));
        while low < high {
            let middle = (low + high) / 2;
            if N::at(self.section, middle * N::SIZE).is_some_and(|first| first <= address) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut next = low.checked_sub(1);
        std::iter::from_fn(move || {
            loop {
                let n = next?;
                let (_, last, entry, parent) = self.row::<N>(n)?;
                // A parent comes before its children: a broken file cannot send us round in circles.
                next = Some(parent as usize).filter(|parent| *parent < n);
                if last >= address {
                    return Some(entry);
                }
            }
        })
    }
}

/// One bit for each /24 that an interval touches.
pub(crate) fn map24(v4: Intervals<'_>) -> Vec<u64> {
    let count = v4.len::<u32>();
    if count == 0 {
        return Vec::new();
    }
    let mut map = vec![0_u64; 1 << 18];
    let mut done = 0;
    for n in 0..count {
        let Some((first, last, _, parent)) = v4.row::<u32>(n) else { break };
        // What lies inside another is there already.
        if parent != NONE && n > 0 {
            continue;
        }
        for net in (first >> 8).max(done)..=last >> 8 {
            map[(net >> 6) as usize] |= 1 << (net & 63);
        }
        done = done.max(last >> 8);
    }
    map
}

/// One bit for each /16 out of the bits of its 256 /24s.
pub(crate) fn fold(map24: &[u64]) -> Vec<u64> {
    let mut map = vec![0_u64; map24.len() / 256];
    for (n, _) in map24.chunks(4).enumerate().filter(|(_, words)| words.iter().any(|word| *word != 0)) {
        map[n / 64] |= 1 << (n % 64);
    }
    map
}

/// For each /16 the first interval that starts in it or behind it; then their number.
pub(crate) fn starts(v4: Intervals<'_>) -> Vec<u32> {
    let count = v4.len::<u32>();
    let mut starts = Vec::with_capacity((1 << 16) + 1);
    for n in 0..count {
        let first = v4.row::<u32>(n).map_or(0, |(first, ..)| first >> 16) as usize;
        if starts.len() <= first {
            starts.resize(first + 1, n as u32);
        }
    }
    starts.resize((1 << 16) + 1, count as u32);
    starts
}

/// One bit for each value of the first 16 bits that an interval touches.
pub(crate) fn map16(v6: Intervals<'_>) -> Vec<u64> {
    let mut map = vec![0_u64; 1 << 10];
    let mut done = 0;
    for (first, last, _, parent) in (0..v6.len::<u128>()).filter_map(|n| v6.row::<u128>(n)) {
        if parent == NONE {
            for net in ((first >> 112) as u32).max(done)..=(last >> 112) as u32 {
                map[(net >> 6) as usize] |= 1 << (net & 63);
            }
            done = done.max((last >> 112) as u32);
        }
    }
    map
}

/// An IPv4 address as it must be written: four numbers to 255, no zeros before them.
pub(crate) fn parse4(text: &[u8]) -> Option<u32> {
    if !(7..=15).contains(&text.len()) {
        return None;
    }
    let address: Ipv4Addr = str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_networks_around_an_address_are_found() {
        let all =
            vec![(0, 255, 1), (0, 15, 2), (4, 7, 3), (5, 5, 4), (5, 5, 5), (300, 310, 6), (u32::MAX, u32::MAX, 7)];
        let section = build(all);
        let found = |a: u32| {
            let mut found: Vec<u32> = Intervals::new(&section).holding(a, 0..usize::MAX).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found(5), [1, 2, 3, 4, 5]);
        assert_eq!(found(6), [1, 2, 3]);
        assert_eq!(found(8), [1, 2]);
        assert_eq!(found(200), [1]);
        assert_eq!(found(299), Vec::<u32>::new());
        assert_eq!(found(310), [6]);
        assert_eq!(found(u32::MAX), [7]);
        let map = map24(Intervals::new(&section));
        assert_eq!(map.iter().map(|w| w.count_ones()).sum::<u32>(), 3);
    }

    #[test]
    fn only_plain_spellings_are_addresses() {
        assert_eq!(parse4(b"1.2.3.4"), Some(0x0102_0304));
        for bad in ["01.2.3.4", "1.2.3.256", "1.2.3", "1.2.3.4.5", "1.2.3.x", "1..2.3.4", "0x1.2.3.4"] {
            assert_eq!(parse4(bad.as_bytes()), None, "{bad}");
        }
    }
}
