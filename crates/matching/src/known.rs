//! What a builder has already: slots of 8 bytes, half a hash and a number. Texts are compared by whoever asks.

/// No number.
const FREE: u64 = u64::MAX;

/// Numbers by hash.
#[derive(Debug, Default)]
pub(crate) struct Known {
    slots: Vec<u64>,
    held: usize,
}

impl Known {
    /// The number under a hash that is the `same`.
    pub(crate) fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        self.from(hash).take_while(|slot| *slot != FREE).find_map(|slot| {
            let number = slot as u32;
            (slot >> 32 == hash >> 32 && same(number)).then_some(number)
        })
    }

    /// Puts a number, not the highest, under a hash.
    pub(crate) fn insert(&mut self, hash: u64, number: u32) {
        if (self.held + 1) * 4 > self.slots.len() * 3 {
            let bigger = vec![FREE; (self.slots.len() * 2).max(64)];
            let before = std::mem::replace(&mut self.slots, bigger);
            // Homes grow with hashes: both are gone through from front to back.
            before.into_iter().filter(|slot| *slot != FREE).for_each(|slot| self.put(slot));
        }
        self.put(hash >> 32 << 32 | u64::from(number));
        self.held += 1;
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home(slot);
        while self.slots[at] != FREE {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        self.slots[at] = slot;
    }

    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.slots.len() as u64) >> 32) as usize
    }

    fn from(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        let (before, from) = self.slots.split_at(if self.slots.is_empty() { 0 } else { self.home(hash) });
        from.iter().chain(before).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let hash = |n: u32| u64::from(n % 5000).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut known = Known::default();
        assert_eq!(known.find(hash(1), |_| true), None);
        for n in 0..10_000 {
            known.insert(hash(n), n);
        }
        for n in 0..10_000 {
            assert_eq!(known.find(hash(n), |found| found == n), Some(n), "two under each hash");
        }
        assert_eq!(known.find(hash(7), |_| false), None);
        assert_eq!(known.find(0x0123_4567_89ab_cdef, |_| true), None);
    }
}
