//! Where sockets are opened: one interface, in one network namespace.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::{Path, PathBuf};

use chappe_link::StartError;

use crate::sockets::Sockets;
use crate::station::refused;

/// The longest name of an interface, in bytes (Linux: IFNAMSIZ less the end).
const MAX_NAME_LEN: usize = 15;
/// Where `ip netns` keeps its namespaces.
const NAMESPACES: &str = "/run/netns";
/// An address that may turn out to be another's (IFA_F_TENTATIVE): sockets cannot be bound to it yet.
const TENTATIVE: u8 = 0x40;

/// An interface, and the network namespace that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    interface: Interface,
    netns: Option<PathBuf>,
}

impl Place {
    /// The interface in the namespace of this process.
    pub const fn on(interface: Interface) -> Self {
        Self {
            interface,
            netns: None,
        }
    }

    /// The same in a network namespace: the name of one made by `ip netns`, or the path of its file. To enter
    /// one takes CAP_SYS_ADMIN.
    #[must_use]
    pub fn inside(mut self, netns: &str) -> Self {
        self.netns = Some(Path::new(NAMESPACES).join(netns));
        self
    }

    /// Looks whether this program may open sockets here.
    ///
    /// # Errors
    /// [`StartError`]: the namespace does not exist or cannot be entered, or sockets cannot be bound to the interface.
    pub async fn probe(&self) -> Result<(), StartError> {
        Sockets::probe(self)
            .await
            .map_err(|error| refused(self, error))
    }

    /// The interface.
    pub const fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The file of the namespace.
    pub fn netns(&self) -> Option<&Path> {
        self.netns.as_deref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.netns {
            Some(netns) => write!(f, "{} in {}", self.interface, netns.display()),
            None => write!(f, "{}", self.interface),
        }
    }
}

/// The name of a network interface: 1 to 15 bytes, without blanks, `/` and `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface(String);

impl Interface {
    /// The interface of this name; it need not exist.
    ///
    /// # Errors
    /// [`InterfaceError`] if no interface can have the name.
    pub fn new(name: &str) -> Result<Self, InterfaceError> {
        let fits = (1..=MAX_NAME_LEN).contains(&name.len()) && name != "." && name != "..";
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b':');
        if fits && plain {
            Ok(Self(name.to_owned()))
        } else {
            Err(InterfaceError)
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The address that a socket on this interface is bound to, out of `/proc/net/if_inet6`: a link-local one
    /// with its scope, or the loopback's. `None` as long as there is none.
    pub(crate) fn address(&self, if_inet6: &str) -> Option<SocketAddrV6> {
        if_inet6.lines().find_map(|line| self.usable(line))
    }

    /// Whether there is such an interface, by `/proc/net/dev`.
    pub(crate) fn is_among(&self, dev: &str) -> bool {
        let names = dev.lines().filter_map(|line| line.split_once(':'));
        names.into_iter().any(|(name, _)| name.trim() == self.0)
    }

    /// A line is: address in hexadecimal, index of the interface, length of the prefix, scope, flags, name.
    fn usable(&self, line: &str) -> Option<SocketAddrV6> {
        let mut words = line.split_ascii_whitespace();
        let address = Ipv6Addr::from(u128::from_str_radix(words.next()?, 16).ok()?);
        let index = u32::from_str_radix(words.next()?, 16).ok()?;
        let flags = u8::from_str_radix(words.nth(2)?, 16).ok()?;
        let usable = words.next()? == self.0
            && flags & TENTATIVE == 0
            && (address.is_unicast_link_local() || address.is_loopback());
        usable.then(|| SocketAddrV6::new(address, 0, 0, index))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// No interface can have such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of an interface has 1 to 15 letters and digits, such as wlan0")]
pub struct InterfaceError;

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
        00000000000000000000000000000001 01 80 10 80       lo\n\
        fe80000000000000021122fffe334455 03 40 20 c0    wlan0\n\
        20010db8000000000000000000000001 04 40 00 80    wlan1\n\
        fe80000000000000021122fffe334456 0a 40 20 80    wlan1\n";

    fn address(name: &str) -> Option<String> {
        let interface = Interface::new(name).unwrap();
        interface.address(TABLE).map(|address| address.to_string())
    }

    #[test]
    fn a_link_local_address_keeps_its_scope() {
        assert_eq!(
            address("wlan1").as_deref(),
            Some("[fe80::211:22ff:fe33:4456%10]:0")
        );
    }

    #[test]
    fn an_address_that_is_still_tentative_is_none() {
        assert_eq!(address("wlan0"), None);
        assert_eq!(address("wlan2"), None);
    }

    #[test]
    fn an_interface_without_an_address_is_there_all_the_same() {
        let dev = "Inter-|   Receive\n face |bytes\n    lo: 10 0\n p2p-wlan0-0: 0 0\n";
        let there = |name: &str| Interface::new(name).unwrap().is_among(dev);
        assert!(there("lo") && there("p2p-wlan0-0"));
        assert!(!there("p2p-wlan0") && !there("bytes"));
    }

    #[test]
    fn loopback_has_an_address() {
        assert_eq!(address("lo").as_deref(), Some("[::1%1]:0"));
    }

    #[test]
    fn names_that_no_interface_has_are_refused() {
        for bad in ["", ".", "..", "a/b", "a b", "a:1", "sixteenletters16"] {
            assert_eq!(Interface::new(bad), Err(InterfaceError), "{bad}");
        }
    }
}
