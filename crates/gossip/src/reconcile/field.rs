//! The field of 2^64 elements in which sketches are computed: polynomials over GF(2) modulo
//! x^64 + x^4 + x^3 + x + 1, bit i of a number being the coefficient of x^i.

/// An element of the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Element(pub(super) u64);

impl Element {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const ONE: Self = Self(1);

    pub(super) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    pub(super) const fn times(self, other: Self) -> Self {
        Factor::new(other).times(self)
    }

    pub(super) const fn squared(self) -> Self {
        reduce(spread(self.0 as u32), spread((self.0 >> 32) as u32))
    }

    /// One over this element; zero for zero. By Fermat: the power 2^64 - 2.
    pub(super) fn inverse(self) -> Self {
        let mut power = self.squared();
        let mut product = power;
        for _ in 2..u64::BITS {
            power = power.squared();
            product = product.times(power);
        }
        product
    }
}

/// Every fifth bit, from bit 0 on.
const FIFTHS: u64 = 0x1084_2108_4210_8421;
/// The same over 128 bits.
const WIDE_FIFTHS: u128 = {
    let mut mask = 0;
    let mut bit = 0;
    while bit < u128::BITS {
        mask |= 1 << bit;
        bit += 5;
    }
    mask
};

/// An element that is multiplied by often.
///
/// The product without carries comes from 25 integer multiplications: of numbers whose bits are five apart. At most 13
/// products meet in one place of such a result, so that carries stay below the next place, and are masked out.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    parts: [u64; 5],
}

impl Factor {
    pub(super) const fn new(factor: Element) -> Self {
        let x = factor.0;
        Self {
            parts: [
                x & FIFTHS,
                x & (FIFTHS << 1),
                x & (FIFTHS << 2),
                x & (FIFTHS << 3),
                x & (FIFTHS << 4 & !FIFTHS),
            ],
        }
    }

    #[inline]
    pub(super) const fn times(&self, other: Element) -> Element {
        let [a, b, c, d, e] = self.parts;
        let [v, w, x, y, z] = Self::new(other).parts;
        let sums = [
            wide(a, v) ^ wide(b, z) ^ wide(c, y) ^ wide(d, x) ^ wide(e, w),
            wide(a, w) ^ wide(b, v) ^ wide(c, z) ^ wide(d, y) ^ wide(e, x),
            wide(a, x) ^ wide(b, w) ^ wide(c, v) ^ wide(d, z) ^ wide(e, y),
            wide(a, y) ^ wide(b, x) ^ wide(c, w) ^ wide(d, v) ^ wide(e, z),
            wide(a, z) ^ wide(b, y) ^ wide(c, x) ^ wide(d, w) ^ wide(e, v),
        ];
        let [p, q, r, s, t] = sums;
        let product = (p & WIDE_FIFTHS)
            | (q & (WIDE_FIFTHS << 1))
            | (r & (WIDE_FIFTHS << 2))
            | (s & (WIDE_FIFTHS << 3))
            | (t & (WIDE_FIFTHS << 4));
        reduce(product as u64, (product >> 64) as u64)
    }
}

const fn wide(a: u64, b: u64) -> u128 {
    a as u128 * b as u128
}

/// The bits of `x` with zeros between them: its square without carries.
const fn spread(x: u32) -> u64 {
    let x = x as u64;
    let x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    let x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    let x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let x = (x | x << 2) & 0x3333_3333_3333_3333;
    (x | x << 1) & 0x5555_5555_5555_5555
}

/// `low + high x^64` modulo the field's polynomial.
const fn reduce(low: u64, high: u64) -> Element {
    let over = (high >> 63) ^ (high >> 61) ^ (high >> 60);
    Element(low ^ fold(high) ^ fold(over))
}

/// `x` times x^4 + x^3 + x + 1, without what goes beyond 64 bits.
const fn fold(x: u64) -> u64 {
    x ^ (x << 1) ^ (x << 3) ^ (x << 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bit by bit.
    fn product(a: u64, b: u64) -> u64 {
        let (mut a, mut sum) = (a, 0);
        for bit in 0..64 {
            if b >> bit & 1 == 1 {
                sum ^= a;
            }
            a = (a << 1) ^ if a >> 63 == 1 { 0x1b } else { 0 };
        }
        sum
    }

    proptest! {
        #[test]
        fn products_are_those_of_the_definition(a: u64, b: u64) {
            prop_assert_eq!(Element(a).times(Element(b)).0, product(a, b));
            prop_assert_eq!(Element(a).squared().0, product(a, a));
        }

        #[test]
        fn an_element_times_its_inverse_is_one(a in 1u64..) {
            prop_assert_eq!(Element(a).times(Element(a).inverse()), Element::ONE);
        }
    }

    #[test]
    fn the_corners_multiply_too() {
        for a in [0, 1, 2, 1 << 63, u64::MAX, FIFTHS, FIFTHS << 4] {
            for b in [0, 1, 2, 1 << 63, u64::MAX, FIFTHS, FIFTHS << 4] {
                assert_eq!(Element(a).times(Element(b)).0, product(a, b));
            }
        }
        assert_eq!(Element::ZERO.inverse(), Element::ZERO);
    }
}
