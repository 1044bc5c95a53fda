//! The first packet each way on a link of the air: who it is, and the longest packet it takes.

use super::name::{MAX_NAME_LEN, NodeName};
use super::settings::Mtu;

/// The longest hello.
pub(super) const MAX_HELLO_LEN: usize = MAGIC.len() + 2 + MAX_NAME_LEN;

/// "chappe air", and the version of what follows.
const MAGIC: &[u8; 11] = b"chappe air\x01";

/// The first packet of each end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AirHello {
    pub(super) name: NodeName,
    pub(super) mtu: Mtu,
}

impl AirHello {
    /// ```text
    ///  0              10        11     13          13+n
    /// +--------------+---------+------+-----------+
    /// | "chappe air" | version | MTU  | name      |     MTU: 16 bits, big-endian
    /// +--------------+---------+------+-----------+
    /// ```
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.mtu.to_be_bytes());
        bytes.extend_from_slice(self.name.as_str().as_bytes());
        bytes
    }

    /// `None` if the bytes are no hello of this version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (mtu, name) = rest.split_first_chunk::<2>()?;
        let mtu = Mtu::new(usize::from(u16::from_be_bytes(*mtu))).ok()?;
        let name = NodeName::new(str::from_utf8(name).ok()?).ok()?;
        Some(Self { name, mtu })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> AirHello {
        AirHello {
            name: NodeName::new("north").unwrap(),
            mtu: Mtu::new(8192).unwrap(),
        }
    }

    #[test]
    fn reads_back() {
        assert_eq!(AirHello::decode(&hello().encode()), Some(hello()));
    }

    #[test]
    fn the_longest_name_fits() {
        let name = NodeName::new("n".repeat(MAX_NAME_LEN)).unwrap();
        assert_eq!(
            AirHello {
                name,
                mtu: Mtu::MIN
            }
            .encode()
            .len(),
            MAX_HELLO_LEN
        );
    }

    #[test]
    fn every_truncation_of_the_fixed_part_is_refused() {
        let bytes = hello().encode();
        for length in 0..=MAGIC.len() + 2 {
            assert_eq!(AirHello::decode(&bytes[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = hello().encode();
        bytes[10] = 2;
        assert_eq!(AirHello::decode(&bytes), None);
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let mut bytes = hello().encode();
        bytes.truncate(MAGIC.len() + 2);
        bytes.extend_from_slice(b"../north");
        assert_eq!(AirHello::decode(&bytes), None);
    }

    proptest! {
        #[test]
        fn only_its_own_encoding_is_read(bytes in prop::collection::vec(any::<u8>(), 0..100), valid: bool) {
            let bytes = if valid { [&MAGIC[..], &bytes].concat() } else { bytes };
            if let Some(hello) = AirHello::decode(&bytes) {
                prop_assert_eq!(hello.encode(), bytes);
            }
        }
    }
}
