//! Random numbers that are the same for the same seed, on every machine and in every version: a seed that was printed
//! repeats a series.

/// SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
/// 64 bits of state, every value once in its period. For shuffling and resampling; no secret comes of it.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end`, without it, each as likely as the other; 0 where `end` is.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // The high half of the product is the number; what would make some numbers likelier is thrown again
        // (D. Lemire, ACM Transactions on Modeling and Computer Simulation 29, 2019).
        let unfair = end.wrapping_neg() % end;
        loop {
            let product = u128::from(self.bits()) * u128::from(end);
            #[allow(clippy::cast_possible_truncation)] // the two halves
            let (high, low) = ((product >> 64) as u64, product as u64);
            if low >= unfair {
                return high;
            }
        }
    }

    /// A place in something of this length.
    pub fn place(&mut self, length: usize) -> usize {
        #[allow(clippy::cast_possible_truncation)] // below a usize
        {
            self.below(length as u64) as usize
        }
    }

    /// A number from 0 to 1, without 1: one of 2^53.
    #[allow(clippy::cast_precision_loss)] // 53 bits
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How many tries it takes to the first hit, that one counted, where each hits with the probability `rate`; `u64::MAX` where none does.
    /// One number in place of one a try: the waiting time's distribution is geometric, and its inverse known.
    pub fn tries_to_hit(&mut self, rate: f64) -> u64 {
        if rate >= 1.0 {
            return 1;
        }
        if rate <= 0.0 {
            return u64::MAX;
        }
        // 1 - unit() is above 0.
        let tries = (1.0 - self.unit()).ln() / (-rate).ln_1p();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // an `as` from a float stays within the type
        let tries = tries.floor() as u64;
        tries.saturating_add(1)
    }

    /// Puts things into a random order (R. Durstenfeld, Communications of the ACM 7, 1964).
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.place(last + 1);
            things.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_reference() {
        // What `splitmix64.c` by S. Vigna (prng.di.unimi.it) gives for the seed 1234567.
        let mut random = Random::new(1_234_567);
        for known in [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ] {
            assert_eq!(random.bits(), known);
        }
    }

    #[test]
    fn places_are_equally_likely() {
        let mut random = Random::new(7);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[random.place(6)] += 1;
        }
        // Six standard deviations of a count of 10,000.
        assert!(
            seen.iter().all(|count| count.abs_diff(10_000) < 550),
            "{seen:?}"
        );
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.unit())));
    }

    #[test]
    fn a_hit_takes_as_many_tries_as_one_by_one() {
        const DRAWN: u32 = 20_000;
        let mut random = Random::new(3);
        for rate in [0.01, 0.2, 0.5, 0.97] {
            let mut within = [0_u32; 3];
            for _ in 0..DRAWN {
                let tries = random.tries_to_hit(rate);
                for (most, count) in (1..).zip(&mut within) {
                    *count += u32::from(tries <= most);
                }
            }
            for (most, count) in (1..).zip(within) {
                let known = 1.0 - (1.0 - rate).powi(most);
                let share = f64::from(count) / f64::from(DRAWN);
                let error = (known * (1.0 - known) / f64::from(DRAWN)).sqrt();
                assert!(
                    (share - known).abs() < 5.0 * error,
                    "{rate} {most}: {share}"
                );
            }
        }
        assert_eq!(random.tries_to_hit(0.0), u64::MAX);
        assert_eq!(random.tries_to_hit(1.0), 1);
    }

    #[test]
    fn every_order_comes_and_a_seed_repeats_it() {
        let order = |seed| {
            let mut things = [0, 1, 2];
            Random::new(seed).shuffle(&mut things);
            things
        };
        let orders: std::collections::BTreeSet<_> = (0..200).map(order).collect();
        assert_eq!(orders.len(), 6);
        assert_eq!(order(11), order(11));
    }
}
