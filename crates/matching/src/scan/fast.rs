//! The fast path: a chunk's masks into candidates, and candidates through filters. Work is done in passes
//! over small arrays, each with one question that is answered without a branch: a wrong guess of the
//! processor costs as much as 60 bytes of log.

use super::check::{Check, has_bit};
use super::masks::{BEFORE, BLOCKS, Masks, WORDS};
use super::out::Out;
use super::{Wants, ahead, signs, words};
use crate::bytes::{is_token, is_word};
use crate::hash::{START, Salt, key, longer};
use crate::index::top_bit;
use std::ops::Range;

/// Most tokens with a dot in a chunk: each has two bytes, and one between.
const MOST: usize = BLOCKS * 64 / 2 + 8;

/// A token: its dots from its end back, the place behind it, its length, and how many dots follow.
#[derive(Debug, Clone, Copy, Default)]
struct Token {
    dots: u64,
    /// Its end from 64 bytes before the chunk on: dots may have reached back over its start.
    end: u32,
    run: u8,
    after: u8,
}

impl Token {
    #[inline(always)]
    fn end(self, base: usize) -> usize {
        (base + self.end as usize).wrapping_sub(64)
    }

    /// The whole run, with the dots behind it.
    #[inline(always)]
    fn whole(self, base: usize) -> (usize, usize) {
        let end = self.end(base);
        (end - usize::from(self.run), end + usize::from(self.after))
    }
}

/// Memory for one scan.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) masks: Masks,
    /// Whether a token with a dot goes on from the last chunk.
    carry: bool,
    ends: Vec<u32>,
    names: Vec<Token>,
    numbers: Vec<Token>,
    /// Hashes of the names, first halves of the numbers.
    keys: Vec<u64>,
    /// Runs to be checked: tokens by both ends, the others by a place in them.
    tokens: Vec<(usize, usize)>,
    hex: Vec<usize>,
    colons: Vec<usize>,
    words: Vec<usize>,
    systems: Vec<usize>,
    /// Where the last checked run of each sort ended.
    hex_done: usize,
    v6_done: usize,
    /// Places of hidden signs, in order.
    pub(super) signs: Vec<usize>,
    /// What was found in the chunk.
    pub(super) found: Out,
}

impl Room {
    pub(super) fn new() -> Room {
        Room {
            masks: Masks::new(),
            carry: false,
            ends: vec![0; MOST],
            names: vec![Token::default(); MOST],
            numbers: vec![Token::default(); MOST],
            keys: vec![0; MOST],
            tokens: Vec::new(),
            hex: Vec::new(),
            colons: Vec::new(),
            words: Vec::new(),
            systems: Vec::new(),
            hex_done: 0,
            v6_done: 0,
            signs: Vec::new(),
            found: Out::default(),
        }
    }

    /// As it was made; what stands in the arrays is written before it is read.
    pub(super) fn reset(&mut self) {
        self.masks.reset();
        (self.carry, self.hex_done, self.v6_done) = (false, 0, 0);
        for places in [&mut self.hex, &mut self.colons, &mut self.words, &mut self.systems, &mut self.signs] {
            places.clear();
        }
        self.tokens.clear();
        self.found.clear();
    }
}

/// Looks through a chunk whose masks are filled. `base` is its place in `text`, `blocks` their number.
#[inline(always)]
pub(super) fn chunk(check: &Check<'_>, wants: Wants, room: &mut Room, text: &[u8], base: usize, blocks: usize) {
    let (count, high) = ends(room, text, base, blocks);
    signs(room, text, base, blocks);
    runs(wants, room, base, blocks);
    if wants.systems {
        systems(room, text, base, blocks);
    }
    let (names, numbers) = split(wants, room, text, base, count, high);
    through_filter(check, room, text, base, names);
    through_map(check, room, text, base, numbers);
    confirm(check, room, text, base);
}

/// What passed the filters.
#[inline(never)]
fn confirm(check: &Check<'_>, room: &mut Room, text: &[u8], base: usize) {
    let Room { masks, tokens, hex, colons, words, systems, found, hex_done, v6_done, .. } = room;
    for (start, end) in tokens.drain(..) {
        check.token(text, start..end, found);
    }
    for at in hex.drain(..) {
        if at >= *hex_done {
            let run = around(text, base, &masks.hex, at, |b| b.is_ascii_hexdigit());
            *hex_done = run.end;
            check.hex(text, run, found);
        }
    }
    colons.sort_unstable();
    for at in colons.drain(..) {
        if at >= *v6_done {
            let run = around(text, base, &[0; WORDS], at, |b| b == b':' || b.is_ascii_hexdigit());
            *v6_done = run.end;
            check.v6(text, run, found);
        }
    }
    for at in words.drain(..) {
        check.word(text, around(text, base, &[0; WORDS], at, is_word), found);
    }
    for at in systems.drain(..) {
        check.system(text, around(text, base, &[0; WORDS], at, is_word), found);
    }
}

/// The whole run around a place that is in it: by the mask of the chunk, beyond it by bytes.
#[inline(always)]
fn around(text: &[u8], base: usize, mask: &[u64; WORDS], at: usize, is: impl Fn(u8) -> bool) -> Range<usize> {
    let (mut start, mut end) = (at, at);
    while let Some(place) = end.checked_sub(base).filter(|place| *place < BLOCKS * 64) {
        let ones = (!(mask[place / 64 + BEFORE] >> (place % 64))).trailing_zeros() as usize;
        end += ones;
        if ones == 0 || !(place + ones).is_multiple_of(64) {
            break;
        }
    }
    while let Some(place) = start.checked_sub(base).filter(|place| (1..=BLOCKS * 64).contains(place)) {
        let last = place - 1;
        let ones = (!(mask[last / 64 + BEFORE] << (63 - last % 64))).leading_zeros() as usize;
        start -= ones;
        if ones == 0 || ones <= last % 64 {
            break;
        }
    }
    while start > 0 && is(text[start - 1]) {
        start -= 1;
    }
    while end < text.len() && is(text[end]) {
        end += 1;
    }
    start..end
}

/// The places behind tokens with a dot: added to its run, a dot carries out of the run's end. Gives how
/// many there are, and whether bytes beyond ASCII are near.
#[inline(always)]
fn ends(room: &mut Room, text: &[u8], base: usize, blocks: usize) -> (usize, bool) {
    let Room { masks, ends, carry, .. } = room;
    let (mut over, mut count) = (*carry, 0);
    let mut high = masks.high[BEFORE - 1];
    for n in BEFORE..BEFORE + blocks.min(BLOCKS) {
        // The next chunk, while there is enough to do with this one.
        ahead::ask(text, base + (n - BEFORE + BLOCKS) * 64);
        let (token, dot) = (masks.token[n], masks.dot[n]);
        high |= masks.high[n];
        let (sum, first) = token.overflowing_add(dot);
        let (sum, second) = sum.overflowing_add(u64::from(over));
        over = first | second;
        let mut left = sum & !token;
        let number = left.count_ones() as usize;
        let at = ((n - BEFORE) * 64) as u32;
        let slots = ends.get_mut(count..).unwrap_or_default();
        // Four are written whether they are there or not: no guess about their number.
        if let Some(four) = slots.first_chunk_mut::<4>() {
            for slot in four {
                *slot = at + left.trailing_zeros();
                left &= left.wrapping_sub(1);
            }
        }
        for slot in slots.iter_mut().take(number).skip(4) {
            *slot = at + left.trailing_zeros();
            left &= left.wrapping_sub(1);
        }
        count += number;
    }
    *carry = over;
    (count.min(ends.len()), high != 0)
}

/// Places of hidden signs.
#[inline(always)]
fn signs(room: &mut Room, text: &[u8], base: usize, blocks: usize) {
    for (n, mask) in room.masks.sign.iter().skip(BEFORE).take(blocks).enumerate() {
        let mut left = *mask;
        while left != 0 {
            let at = base + n * 64 + left.trailing_zeros() as usize;
            if signs::may_start(text, at) {
                if text[at] == signs::ESC {
                    // The escape byte divides: what it colours begins behind it.
                    room.signs.extend(signs::colour(&text[at + 1..]).map(|_| at + 1));
                } else if signs::sign(&text[at..]).is_some() {
                    room.signs.push(at);
                }
            }
            left &= left - 1;
        }
    }
}

/// Places in hashes, IPv6 addresses and words.
#[inline(always)]
fn runs(wants: Wants, room: &mut Room, base: usize, blocks: usize) {
    let Room { masks, hex, colons, words, .. } = room;
    if wants.hex {
        // A run of 32 has 16 places of one block. Without a branch this is done for many blocks at once.
        let mut sixteen = [0_u64; BLOCKS];
        for (left, mask) in sixteen.iter_mut().zip(&masks.hex[BEFORE..]) {
            let two = mask & mask >> 1;
            let four = two & two >> 2;
            let eight = four & four >> 4;
            *left = eight & eight >> 8;
        }
        for (n, mask) in sixteen.iter().take(blocks).enumerate() {
            let mut left = *mask;
            while left != 0 {
                hex.push(base + n * 64 + left.trailing_zeros() as usize);
                // On to the next run.
                left &= left.wrapping_add(left & left.wrapping_neg());
            }
        }
    }
    if wants.v6 {
        let group = |n: usize| masks.colon[n] | masks.hex[n];
        // Between groups: what follows the block's last byte is not known yet.
        let between = |n: usize| masks.colon[n] & (group(n) << 1 | group(n - 1) >> 63) & (group(n) >> 1 | 1 << 63);
        let mut last = between(BEFORE - 1);
        for n in BEFORE..BEFORE + blocks.min(BLOCKS) {
            let place = base + (n - BEFORE) * 64;
            let colon = between(n);
            let mut pairs = masks.colon[n] & (masks.colon[n] << 1 | masks.colon[n - 1] >> 63);
            while pairs != 0 {
                colons.push(place + pairs.trailing_zeros() as usize);
                pairs &= pairs - 1;
            }
            if colon.count_ones() + last.count_ones() >= 7 {
                whole_addresses(colons, u128::from(colon) << 64 | u128::from(last), place);
            }
            last = colon;
        }
    }
    if wants.words {
        let word = |n: usize| u128::from(masks.token[n] & !masks.dot[n]);
        for n in BEFORE..BEFORE + blocks.min(BLOCKS) {
            let two = word(n) << 64 | word(n - 1);
            let mut left = two & two >> 1;
            left &= left >> 2;
            left &= left >> 4;
            left &= left >> 5;
            // Where 13 in a row begin, and their last is in this block.
            left &= !(left << 1) & ((1 << 116) - (1 << 52));
            while left != 0 {
                words.push(base + (n - BEFORE) * 64 + left.trailing_zeros() as usize - 64);
                left &= left - 1;
            }
        }
    }
}

/// Words that may be numbers of autonomous systems, by where they start.
#[inline(never)]
fn systems(room: &mut Room, text: &[u8], base: usize, blocks: usize) {
    let Room { masks, systems, .. } = room;
    let word = |n: usize| masks.token[n] & !masks.dot[n];
    for n in BEFORE..BEFORE + blocks.min(BLOCKS) {
        let mut starts = word(n) & !(word(n) << 1 | word(n - 1) >> 63);
        while starts != 0 {
            let at = base + (n - BEFORE) * 64 + starts.trailing_zeros() as usize;
            if words::may_be_system(text, at) {
                systems.push(at);
            }
            starts &= starts - 1;
        }
    }
}

/// Addresses with all their colons: seven, none more than five places behind the one before.
#[inline(never)]
fn whole_addresses(colons: &mut Vec<usize>, mut two: u128, place: usize) {
    let (mut before, mut chain) = (0, 0);
    while two != 0 {
        let at = two.trailing_zeros();
        chain = if at - before <= 5 { chain + 1 } else { 1 };
        before = at;
        if chain >= 7 && at >= 64 {
            colons.push(place + at as usize - 64);
        }
        two &= two - 1;
    }
}

/// Tells names from numbers. Gives how many there are of each.
#[inline(always)]
fn split(wants: Wants, room: &mut Room, text: &[u8], base: usize, count: usize, high: bool) -> (usize, usize) {
    let (mut names, mut numbers) = (0, 0);
    let masks = &room.masks;
    for end in &room.ends[..count] {
        let (word, shift) = (*end as usize / 64 + BEFORE, end % 64);
        // 64 places up to the end.
        let window = |array: &[u64; WORDS]| {
            (array.get(word).copied().unwrap_or(0) << 1) << (63 - shift)
                | array.get(word - 1).copied().unwrap_or(0) >> shift
        };
        let (mut dots, token) = (window(&masks.dot), window(&masks.token));
        let run = (!token).leading_zeros();
        let stop = base + *end as usize;
        let start = stop - run as usize;
        let before = text.get(start.wrapping_sub(1)).copied().unwrap_or(0);
        let strange = high && window(&masks.high).leading_zeros() < run;
        // Bit `start` of the dots: a token that starts with one.
        let led = dots.rotate_left(run) & 1 != 0;
        if (run >= 64) | (before == b'%') | (before == b'\\') | strange | led | (stop < 80) {
            let start = text[..start].iter().rposition(|b| !is_token(*b)).map_or(0, |n| n + 1);
            room.tokens.push((start, stop));
            continue;
        }
        dots &= !(u64::MAX >> run);
        let (mut length, mut after) = (run, 0);
        if dots >> 63 != 0 {
            // Dots that end it: few tokens have them, so this is a branch. One that is only dots has led.
            after = (!dots).leading_zeros();
            (dots, length) = (dots << after, length - after);
            if wants.lone && dots == 0 {
                room.tokens.push((start, stop));
            }
        }
        let last = text.get(stop - 1 - after as usize).copied().unwrap_or(0);
        let token = Token { dots, end: *end + 64 - after, run: length as u8, after: after as u8 };
        let number = last.is_ascii_digit();
        let address = number & (dots.count_ones() == 3) & (length.wrapping_sub(7) <= 8);
        let name = (dots != 0) & (!number | wants.digit_tops);
        if let (Some(slot), Some(slot2)) = (room.names.get_mut(names), room.numbers.get_mut(numbers)) {
            *slot = token;
            *slot2 = token;
        }
        names += usize::from(name);
        numbers += usize::from(address);
    }
    (names, numbers)
}

#[inline(always)]
fn last16(text: &[u8], end: usize) -> &[u8; 16] {
    text.get(..end).and_then(|t| t.last_chunk()).unwrap_or(&[0; 16])
}

/// Hash of the label of `length` bytes that ends at a place.
#[inline(always)]
fn label(salt: Salt, text: &[u8], end: usize, length: usize) -> u64 {
    if length <= 16 { salt.short(last16(text, end), length) } else { salt.word(&text[end - length..end]) }
}

/// Names whose last label, then whose last two labels no indicator has, end here.
#[inline(always)]
fn through_filter(check: &Check<'_>, room: &mut Room, text: &[u8], base: usize, count: usize) {
    let Room { names, keys, tokens, .. } = room;
    let (tops, alone) = check.tops.split_at(check.tops.len() / 2);
    let mut kept = 0;
    for n in 0..count.min(names.len()).min(keys.len()) {
        let token = names[n];
        let hash = label(check.salt, text, token.end(base), token.dots.leading_zeros() as usize);
        let (byte, bit) = top_bit(hash);
        (names[kept], keys[kept]) = (token, hash);
        kept += usize::from(tops.get(byte).is_some_and(|tops| tops & bit != 0));
    }
    for (token, hash) in names[..kept].iter_mut().zip(&mut keys[..kept]) {
        let top = token.dots.leading_zeros() as usize;
        let length = ((token.dots << 1) << top).leading_zeros() as usize;
        let length = length.min(usize::from(token.run) - top - 1);
        let second = label(check.salt, text, token.end(base) - top - 1, length);
        let (byte, bit) = top_bit(*hash);
        let whole = alone.get(byte).is_some_and(|tops| tops & bit != 0);
        *hash = key(longer(longer(START, *hash), second));
        check.filter.ask(*hash);
        // No dots: to be checked whatever the filter says.
        token.dots = u64::from(!(whole | (length == 0)));
    }
    let mut near = 0;
    for n in 0..kept {
        let token = names[n];
        names[near] = token;
        near += usize::from(check.filter.may_hold(keys[n]) | (token.dots == 0));
    }
    tokens.extend(names[..near].iter().map(|token| token.whole(base)));
}

/// Addresses in a /24 that no indicator touches end here. First what the text says, then the look-ups:
/// side by side they wait for memory together, not one after the other.
#[inline(always)]
fn through_map(check: &Check<'_>, room: &mut Room, text: &[u8], base: usize, count: usize) {
    if check.map24.is_empty() {
        return;
    }
    let Room { numbers, keys, tokens, .. } = room;
    let mut kept = 0;
    for n in 0..count.min(numbers.len()).min(keys.len()) {
        let token = numbers[n];
        let (net, right) = net(text, base, token);
        let near = right & has_bit(check.map16of4, net >> 8);
        ahead::ask(check.map24, if near { (net >> 6) as usize } else { 0 });
        (numbers[kept], keys[kept]) = (token, u64::from(net));
        kept += usize::from(near);
    }
    let mut near = 0;
    for n in 0..kept {
        numbers[near] = numbers[n];
        near += usize::from(has_bit(check.map24, keys[n] as u32));
    }
    tokens.extend(numbers[..near].iter().map(|token| token.whole(base)));
}

/// The first 24 bits of an address, and whether it can be one.
#[inline(always)]
fn net(text: &[u8], base: usize, token: Token) -> (u32, bool) {
    let mut end = token.end(base);
    let mut dots = token.dots;
    let mut left = u32::from(token.run);
    let (mut wrong, mut net) = (0, 0);
    for n in 0..4 {
        let length = if n < 3 { dots.leading_zeros() } else { left };
        let bytes = text.get(..end).and_then(|t| t.last_chunk::<4>()).map_or(0, |b| u32::from_le_bytes(*b));
        let bits = 32_u32.wrapping_sub(8 * length) & 31;
        wrong |= u32::from(length.wrapping_sub(1) > 2);
        let digits = (bytes ^ 0x3030_3030) >> bits << bits;
        wrong |= (digits.wrapping_add(0x0606_0606) | digits) & 0xf0f0_f0f0;
        let value = (digits >> 24) + (digits >> 16 & 255) * 10 + (digits >> 8 & 255) * 100;
        net |= if n > 0 { (value & 255) << (8 * (n - 1)) } else { 0 };
        dots = (dots << 1) << (length & 63);
        end = end.saturating_sub(length as usize + 1);
        left = left.saturating_sub(length + 1);
    }
    (net, wrong == 0)
}
