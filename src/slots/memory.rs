//! The bytes that a table lies in, and the one way to change them.

use std::hint::black_box;

/// Memory that outlives whoever writes to it.
///
/// A table writes through [`Memory::store`] alone, so that a test can count the stores and stop
/// after any of them.
pub trait Memory {
    /// All of it.
    fn bytes(&self) -> &[u8];

    /// Writes `bytes` at the offset `at`, after every earlier store and before every later one. An
    /// aligned word of four or eight bytes is written entirely or not at all.
    ///
    /// # Panics
    /// The place lies outside the memory.
    fn store(&mut self, at: usize, bytes: &[u8]);
}

impl Memory for &mut [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn store(&mut self, at: usize, bytes: &[u8]) {
        self[at..][..bytes.len()].copy_from_slice(bytes);
        // To the compiler nobody else sees this memory, and it may drop a store that is soon
        // overwritten, such as the dirty mark. Showing the slice to code it cannot look into keeps
        // all stores, in their order.
        black_box(&mut **self);
    }
}

/// Reads the little-endian number at `at`.
pub(super) fn load4(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .copied()
        .map_or(0, u32::from_le_bytes)
}

/// Reads the little-endian number at `at`.
pub(super) fn load8(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .copied()
        .map_or(0, u64::from_le_bytes)
}

/// A fast checksum against torn and stray writes; never 0. It is no protection against forgery:
/// who can write to the memory can do anything.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| {
        let sum = (sum ^ word).wrapping_mul(SPREAD);
        sum ^ sum >> 29
    };
    let (words, rest) = bytes.as_chunks::<8>();
    debug_assert!(rest.is_empty());
    // Four sums side by side, because a processor multiplies four times in the time of one.
    let mut sums = [1, 2, 3, bytes.len() as u64].map(|start| SPREAD ^ start);
    let (fours, rest) = words.as_chunks::<4>();
    for four in fours {
        for (sum, word) in sums.iter_mut().zip(four) {
            *sum = mix(*sum, u64::from_le_bytes(*word));
        }
    }
    for (sum, word) in sums.iter_mut().zip(rest) {
        *sum = mix(*sum, u64::from_le_bytes(*word));
    }
    sums.into_iter().fold(SPREAD, mix).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let mut bytes = [0u8; 232];
        let mut seen = std::collections::HashSet::from([checksum(&bytes)]);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(checksum(&bytes)), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
