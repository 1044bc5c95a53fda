//! How much the nodes can hold.

use std::fmt;
use std::str::FromStr;

use chappe_wire::ByteCount;

use crate::event::NodeIndex;
use crate::units::byte_count;

/// How much each node can hold: one size for all, and others for ranges of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffers {
    all: ByteCount,
    ranges: Vec<(NodeIndex, NodeIndex, ByteCount)>,
}

impl Buffers {
    /// The same for all.
    pub const fn all(size: ByteCount) -> Self {
        Self {
            all: size,
            ranges: Vec::new(),
        }
    }

    /// So many bytes for each node, in order.
    pub fn each(sizes: &[u64]) -> Self {
        let mut first = 0;
        let mut ranges = Vec::new();
        for alike in sizes.chunk_by(|a, b| a == b) {
            let last = first + (alike.len() - 1) as u32;
            let size = alike.first().copied().unwrap_or_default();
            let nodes = (NodeIndex::new(first), NodeIndex::new(last));
            ranges.push((nodes.0, nodes.1, ByteCount::new(size)));
            first = last + 1;
        }
        Self {
            all: ByteCount::ZERO,
            ranges,
        }
    }

    /// The same, but where `setting` says otherwise. The last word counts.
    #[must_use]
    pub fn with(mut self, setting: BufferSetting) -> Self {
        match setting.nodes {
            Some((first, last)) => self.ranges.push((first, last, setting.size)),
            None => self.all = setting.size,
        }
        self
    }

    /// What `node` can hold.
    pub fn of(&self, node: NodeIndex) -> ByteCount {
        let mut ranges = self.ranges.iter().rev();
        let found = ranges.find(|(first, last, _)| (*first..=*last).contains(&node));
        found.map_or(self.all, |(_, _, size)| *size)
    }
}

/// `5MB` for all nodes, `120-125=50MB` for some, `7=1MB` for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferSetting {
    nodes: Option<(NodeIndex, NodeIndex)>,
    size: ByteCount,
}

impl BufferSetting {
    /// Whether it speaks only of nodes that a trace of `nodes` nodes does not have. Of a range that begins in
    /// the trace the rest may be nodes that nobody meets.
    pub fn is_beyond(&self, nodes: u32) -> bool {
        self.nodes.is_some_and(|(first, _)| first.get() >= nodes)
    }
}

/// As it was said, in bytes.
impl fmt::Display for BufferSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((first, last)) = self.nodes {
            write!(f, "{first}-{last}=")?;
        }
        write!(f, "{}B", self.size.get())
    }
}

/// Something that is not a setting of buffers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no buffer; expected a size such as 5MB, or some nodes' size such as 120-125=50MB"
)]
pub struct BufferSettingError(String);

impl FromStr for BufferSetting {
    type Err = BufferSettingError;

    fn from_str(text: &str) -> Result<Self, BufferSettingError> {
        let bad = || BufferSettingError(text.to_owned());
        let (nodes, size) = match text.split_once('=') {
            None => (None, text),
            Some((nodes, size)) => {
                let (first, last) = nodes.split_once('-').unwrap_or((nodes, nodes));
                let node = |text: &str| text.parse().map(NodeIndex::new).map_err(|_| bad());
                let (first, last) = (node(first)?, node(last)?);
                if last < first {
                    return Err(bad());
                }
                (Some((first, last)), size)
            }
        };
        let size = byte_count(size).map_err(|_| bad())?;
        Ok(Self { nodes, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let settings = ["5MB", "120-125=50MB", "121=1kB"].map(|text| text.parse().unwrap());
        let buffers = Buffers::all(ByteCount::ZERO);
        let buffers = settings.into_iter().fold(buffers, Buffers::with);
        let of = |node| buffers.of(NodeIndex::new(node)).get();
        assert_eq!(
            [of(119), of(120), of(121), of(125), of(126)],
            [5_000_000, 50_000_000, 1_000, 50_000_000, 5_000_000]
        );
        for text in ["", "5", "1-0=5MB", "1-=5MB", "a=5MB"] {
            assert!(text.parse::<BufferSetting>().is_err(), "{text}");
        }
    }
}
