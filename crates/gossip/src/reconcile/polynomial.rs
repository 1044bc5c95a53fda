//! Polynomials over the field, as far as decoding a sketch needs them: roots by Berlekamp's trace algorithm
//! (Berlekamp 1970).

use alloc::vec::Vec;

use super::field::{Element, Factor};

/// How often one factor is tried to be split. Each try fails by chance one half of the time.
const MAX_TRIES: u32 = 96;

/// A polynomial; the coefficient of the lowest power comes first, that of the highest is not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Polynomial(Vec<Element>);

/// The roots of the polynomial with these coefficients, lowest first, if it has as many as its degree and all are
/// different. `chance` is unknown to whoever made the polynomial, so that nobody can make this take long.
pub(super) fn all_roots(coefficients: Vec<Element>, chance: u64) -> Option<Vec<Element>> {
    let polynomial = Polynomial::trimmed(coefficients).monic()?;
    let degree = polynomial.degree();
    if degree == 0 {
        return Some(Vec::new());
    }
    if !polynomial.splits() {
        return None;
    }
    let mut chance = Chance(chance);
    let mut roots = Vec::with_capacity(degree);
    let mut factors = Vec::from([polynomial]);
    while let Some(factor) = factors.pop() {
        if let [root, _] = factor.0.as_slice() {
            roots.push(*root);
            continue;
        }
        let (one, other) = (0..MAX_TRIES).find_map(|_| factor.split(chance.next()))?;
        factors.push(one);
        factors.push(other);
    }
    Some(roots)
}

impl Polynomial {
    fn trimmed(mut coefficients: Vec<Element>) -> Self {
        while coefficients.last().is_some_and(|last| last.is_zero()) {
            coefficients.pop();
        }
        Self(coefficients)
    }

    /// Zero and constants have degree 0.
    fn degree(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Divided by its leading coefficient; `None` for zero.
    fn monic(mut self) -> Option<Self> {
        let leading = *self.0.last()?;
        if leading != Element::ONE {
            let inverse = Factor::new(leading.inverse());
            for coefficient in &mut self.0 {
                *coefficient = inverse.times(*coefficient);
            }
        }
        Some(self)
    }

    /// True if this monic polynomial is a product of different linear factors: if it divides x^(2^64) - x.
    fn splits(&self) -> bool {
        let x = Self(Vec::from([Element::ZERO, Element::ONE])).modulo(self);
        let mut power = x.clone();
        for _ in 0..u64::BITS {
            power = power.squared_modulo(self);
        }
        power == x
    }

    /// Two factors, if the traces of the roots times `factor` are not all the same.
    fn split(&self, factor: Element) -> Option<(Self, Self)> {
        let scaled = Self(Vec::from([Element::ZERO, factor])).modulo(self);
        let mut trace = scaled.clone();
        for _ in 1..u64::BITS {
            trace = trace.squared_modulo(self).plus(&scaled);
        }
        let common = self.clone().common_divisor(trace)?;
        let proper = (1..self.degree()).contains(&common.degree());
        proper.then(|| (self.quotient(&common), common))
    }

    fn plus(mut self, other: &Self) -> Self {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Element::ZERO);
        }
        for (sum, other) in self.0.iter_mut().zip(&other.0) {
            *sum = sum.plus(*other);
        }
        Self::trimmed(self.0)
    }

    fn squared_modulo(&self, modulus: &Self) -> Self {
        let mut square = Vec::with_capacity(2 * self.0.len());
        for coefficient in &self.0 {
            square.push(coefficient.squared());
            square.push(Element::ZERO);
        }
        Self::trimmed(square).modulo(modulus)
    }

    /// The rest of the division by a monic polynomial.
    fn modulo(mut self, modulus: &Self) -> Self {
        divide(&mut self.0, modulus);
        self.0.truncate(modulus.degree());
        Self::trimmed(self.0)
    }

    /// The quotient of the division by a monic polynomial.
    fn quotient(&self, divisor: &Self) -> Self {
        let mut coefficients = self.0.clone();
        divide(&mut coefficients, divisor);
        let rest = divisor.degree().min(coefficients.len());
        Self::trimmed(coefficients.split_off(rest))
    }

    /// The monic greatest common divisor; `None` if both are zero.
    fn common_divisor(self, other: Self) -> Option<Self> {
        let (mut greater, mut smaller) = (self, other);
        while let Some(divisor) = smaller.monic() {
            let rest = greater.modulo(&divisor);
            greater = divisor;
            smaller = rest;
        }
        greater.monic()
    }
}

/// Divides in place by a monic polynomial: the quotient takes the place of the high coefficients.
fn divide(coefficients: &mut [Element], divisor: &Polynomial) {
    let Some((_, lower)) = divisor.0.split_last() else {
        return;
    };
    let steps = coefficients.len().saturating_sub(lower.len());
    for at in (0..steps).rev() {
        let Some((leading, below)) = coefficients
            .get_mut(at..=at + lower.len())
            .and_then(<[Element]>::split_last_mut)
        else {
            return;
        };
        if leading.is_zero() {
            continue;
        }
        let leading = Factor::new(*leading);
        for (coefficient, of_divisor) in below.iter_mut().zip(lower) {
            *coefficient = coefficient.plus(leading.times(*of_divisor));
        }
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> Element {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Element(z ^ (z >> 31))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    fn with_roots(roots: impl IntoIterator<Item = u64>) -> Vec<Element> {
        let mut product = Vec::from([Element::ONE]);
        for root in roots {
            let mut next = Vec::from([Element::ZERO]);
            next.extend(product.iter().copied());
            for (sum, coefficient) in next.iter_mut().zip(&product) {
                *sum = sum.plus(coefficient.times(Element(root)));
            }
            product = next;
        }
        product
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn all_roots_are_found(roots in proptest::collection::btree_set(any::<u64>(), 0..24), chance: u64) {
            let found = all_roots(with_roots(roots.iter().copied()), chance).unwrap();
            prop_assert_eq!(found.iter().map(|root| root.0).collect::<BTreeSet<_>>(), roots);
        }

        #[test]
        fn a_double_root_is_none(roots in proptest::collection::vec(any::<u64>(), 1..8), chance: u64) {
            let twice = roots.iter().chain(roots.first()).copied();
            prop_assert_eq!(all_roots(with_roots(twice), chance), None);
        }
    }

    #[test]
    fn what_does_not_split_is_refused() {
        // x^2 + x + c has roots just where the trace of c is 0.
        let one_of_both = (1..64).map(|bit| {
            let c = Element(1 << bit);
            all_roots(Vec::from([c, Element::ONE, Element::ONE]), 1).is_some()
        });
        let outcomes: BTreeSet<bool> = one_of_both.collect();
        assert_eq!(outcomes.len(), 2);
    }

    #[test]
    fn neighbouring_roots_are_told_apart() {
        let roots: BTreeSet<u64> = (0..64).collect();
        let found = all_roots(with_roots(roots.iter().copied()), 7).unwrap();
        assert_eq!(found.iter().map(|r| r.0).collect::<BTreeSet<_>>(), roots);
    }
}
