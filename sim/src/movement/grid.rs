//! Which nodes may come near each other within a window of time.

use super::space::Point;

/// A node in a window of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    /// Where it is when the window begins.
    pub(super) from: Point,
    /// Where it is when the window ends.
    pub(super) to: Point,
    /// How many metres it walks in between, rounded up.
    pub(super) reach: f32,
    /// How far its radio reaches, in metres.
    pub(super) range: f32,
    /// Its number.
    pub(super) node: u32,
    /// Where its legs are if it turns within the window, else [`STRAIGHT`].
    pub(super) turns: u32,
}

/// A node that walks on one leg through the whole window.
pub(super) const STRAIGHT: u32 = u32::MAX;

/// A grid of square cells that repeats itself: cells a whole number of grids apart are one. So it needs no borders and as
/// much memory as there are nodes, however large the world is.
#[derive(Default)]
pub(super) struct Grid {
    /// Cells in a row and in a column: a power of two, 4 at least, so that the neighbours of a cell are different cells.
    side: usize,
    /// Where each cell begins in `sorted`, and the end.
    begins: Vec<u32>,
    sorted: Vec<Passage>,
}

impl Grid {
    /// Sorts nodes into cells of this many metres.
    pub(super) fn fill(&mut self, passages: &[Passage], cell: f64) {
        self.side = 4;
        while self.side * self.side < 2 * passages.len() {
            self.side *= 2;
        }
        let cells = self.side * self.side;
        self.begins.clear();
        self.begins.resize(cells + 1, 0);
        let scale = 1.0 / cell;
        for passage in passages {
            let cell = self.cell_of(passage.from, scale);
            if let Some(count) = self.begins.get_mut(cell) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut self.begins {
            sum += *count;
            *count = sum;
        }
        // Each cell's end goes down to its beginning as the cell is filled from behind.
        if let Some(any) = passages.first() {
            self.sorted.resize(passages.len(), *any);
        }
        for passage in passages.iter().rev() {
            let cell = self.cell_of(passage.from, scale);
            if let Some(place) = self.begins.get_mut(cell) {
                *place -= 1;
                if let Some(slot) = self.sorted.get_mut(*place as usize) {
                    *slot = *passage;
                }
            }
        }
    }

    /// Visits each pair of nodes in the same or neighbouring cells once. Returns how many pairs that were.
    pub(super) fn for_each_pair(&self, mut visit: impl FnMut(&Passage, &Passage)) -> u64 {
        let mask = self.side.wrapping_sub(1);
        let mut pairs = 0;
        for row in 0..self.side {
            for column in 0..self.side {
                let here = self.cell(column, row);
                if here.is_empty() {
                    continue;
                }
                let (east, west) = ((column + 1) & mask, column.wrapping_sub(1) & mask);
                let north = (row + 1) & mask;
                let others = [
                    self.cell(east, row),
                    self.cell(west, north),
                    self.cell(column, north),
                    self.cell(east, north),
                ];
                for (place, passage) in here.iter().enumerate() {
                    let rest = here.get(place + 1..).unwrap_or_default();
                    pairs += rest.len() as u64;
                    rest.iter().for_each(|other| visit(passage, other));
                    for cell in others {
                        pairs += cell.len() as u64;
                        cell.iter().for_each(|other| visit(passage, other));
                    }
                }
            }
        }
        pairs
    }

    fn cell(&self, column: usize, row: usize) -> &[Passage] {
        let cell = row * self.side + column;
        let (Some(begin), Some(end)) = (self.begins.get(cell), self.begins.get(cell + 1)) else {
            return &[];
        };
        self.sorted
            .get(*begin as usize..*end as usize)
            .unwrap_or_default()
    }

    fn cell_of(&self, place: Point, scale: f64) -> usize {
        // Wrapping by the two's complement, so that it works on both sides of the origin.
        let wrap =
            |coordinate: f64| libm::floor(coordinate * scale) as i64 as usize & (self.side - 1);
        wrap(place.y) * self.side + wrap(place.x)
    }
}
