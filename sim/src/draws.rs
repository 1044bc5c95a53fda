//! Randomness that is the same on every machine: one stream per seed, purpose and node.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::event::NodeIndex;

/// What a random number is for. Purposes do not share a stream, so that more draws for one change nothing for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// What goes wrong.
    Faults = 1,
    /// Where a node goes next.
    Legs = 2,
    /// Where a node begins, lives and works.
    Places = 3,
    /// How long a radio takes to find another.
    Radio = 4,
    /// Who writes to whom, when, how much.
    Traffic = 5,
}

/// Words of a stream that belong to one index.
const WORDS_PER_INDEX: u128 = 1 << 20;

/// Uniform from 0 (included) to 1 (excluded).
pub(crate) fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Random numbers, drawn from ChaCha with 8 rounds.
///
/// The `index` is a place in the stream. Whoever draws now and then need not keep a generator: it keeps a count.
///
/// ```
/// use chappe_sim::NodeIndex;
/// use chappe_sim::draws::{Draws, Purpose};
///
/// let node = NodeIndex::new(7);
/// let mut draws = Draws::new(1, Purpose::Legs, node, 0);
/// let mut again = Draws::new(1, Purpose::Legs, node, 0);
/// assert_eq!(draws.unit(), again.unit());
/// assert_ne!(draws.unit(), Draws::new(1, Purpose::Legs, node, 1).unit());
/// ```
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The numbers for a node's purpose, from this place on.
    pub fn new(seed: u64, purpose: Purpose, node: NodeIndex, index: u32) -> Self {
        Self::of_stream(seed, purpose, u64::from(node.get()), index)
    }

    /// The numbers for a purpose that belongs to no node but to this part of a scenario.
    pub fn shared(seed: u64, purpose: Purpose, part: u32) -> Self {
        Self::of_stream(seed, purpose, (1 << 32) | u64::from(part), 0)
    }

    fn of_stream(seed: u64, purpose: Purpose, stream: u64, index: u32) -> Self {
        let mut key = [0; 32];
        for (to, from) in key
            .iter_mut()
            .zip(seed.to_le_bytes().into_iter().chain([purpose as u8]))
        {
            *to = from;
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        generator.set_word_pos(u128::from(index) * WORDS_PER_INDEX);
        Self(generator)
    }

    /// Uniform from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        unit(&mut self.0)
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform from 0 to `bound` less one; 0 if there is nothing to choose from.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Normal, by the polar method (Marsaglia, 1964).
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let (x, _, square) = self.in_disc();
        mean + deviation * x * (-2.0 * libm::log(square) / square).sqrt()
    }

    /// A direction, as a vector of length 1.
    pub fn direction(&mut self) -> (f64, f64) {
        let (x, y, square) = self.in_disc();
        let length = square.sqrt();
        (x / length, y / length)
    }

    /// A point of the disc of radius 1, its middle left out, and the square of its distance from the middle.
    pub fn in_disc(&mut self) -> (f64, f64, f64) {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square <= 1.0 && square > 1e-12 {
                return (x, y, square);
            }
        }
    }
}
