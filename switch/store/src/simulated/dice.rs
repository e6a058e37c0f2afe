//! Chance that can be had again: numbers that follow from a seed, the same on every machine and in
//! every version. It owns the generator; it is no source of secrets.

/// A generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 where there is none.
    pub const fn below(&mut self, limit: u64) -> u64 {
        match self.roll().checked_rem(limit) {
            Some(number) => number,
            None => 0,
        }
    }

    /// True so many times in a thousand.
    pub const fn in_thousand(&mut self, times: u64) -> bool {
        self.below(1_000) < times
    }
}
