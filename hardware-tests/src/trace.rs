//! What strace saw of a process's sockets: which it made, and that none of them leads away from its radios.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

/// The system calls that make a socket, or say where it leads. Data is not traced: it goes where the socket leads.
pub(crate) const CALLS: &str = "socket,socketpair,bind,connect,listen,setsockopt,io_uring_setup";
/// Families of sockets that lead nowhere but to this machine and its Bluetooth.
const LOCAL: [&str; 3] = ["AF_UNIX", "AF_NETLINK", "AF_BLUETOOTH"];

/// Where sockets may lead, beside Bluetooth and this machine.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    /// Interfaces of groups.
    pub(crate) interfaces: BTreeSet<String>,
    /// Addresses on them, of this node and of the others.
    pub(crate) addresses: BTreeSet<Ipv6Addr>,
}

/// The sockets that were made, by family.
pub(crate) type Made = BTreeMap<String, usize>;

/// Reads a trace (`strace -f -qq -e trace=`[`CALLS`]) of one process with all its threads.
///
/// # Errors
/// At the first socket that leads anywhere else, with the line that shows it.
pub(crate) fn check(trace: &str, allowed: &Allowed) -> anyhow::Result<Made> {
    let mut sockets = Sockets::default();
    let mut unfinished: BTreeMap<&str, &str> = BTreeMap::new();
    for line in trace.lines() {
        let (thread, call) = line.trim_start().split_once(' ').unwrap_or((line, ""));
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begun);
        } else if let Some((_, end)) = call.split_once(" resumed>") {
            let begun = unfinished.remove(thread).unwrap_or_default();
            sockets.call(&format!("{begun}{end}"), allowed)?;
        } else {
            sockets.call(call, allowed)?;
        }
    }
    // The process ended within these.
    for begun in unfinished.into_values() {
        sockets.call(begun, allowed)?;
    }
    sockets.all_bound()?;
    Ok(sockets.made)
}

#[derive(Default)]
struct Sockets {
    made: Made,
    /// Sockets of IPv6: whether each is bound to an interface.
    bound: BTreeMap<String, bool>,
}

impl Sockets {
    fn call(&mut self, call: &str, allowed: &Allowed) -> anyhow::Result<()> {
        let Some((name, rest)) = call.split_once('(') else {
            return Ok(());
        };
        let mut arguments = rest.splitn(3, ',').map(str::trim);
        let first = arguments.next().unwrap_or_default();
        match name {
            "socket" => return self.socket(first, arguments.next().unwrap_or_default(), call),
            "socketpair" => anyhow::ensure!(first == "AF_UNIX", "a pair of another kind: {call}"),
            "io_uring_setup" => anyhow::bail!("sockets that are not seen here: {call}"),
            "setsockopt" if call.contains("SO_BINDTODEVICE") => {
                let interface = rest.split('"').nth(1).unwrap_or_default();
                let known = allowed.interfaces.contains(interface);
                anyhow::ensure!(known, "bound to another interface: {call}");
                self.bound.insert(first.to_owned(), call.ends_with("= 0"));
            }
            "bind" | "connect" => {
                let local = LOCAL.iter().any(|family| call.contains(family));
                anyhow::ensure!(
                    local || allowed.has_address(rest),
                    "an address beyond the group: {call}"
                );
                anyhow::ensure!(local || self.is_bound(first), "not bound before: {call}");
            }
            "listen" => anyhow::ensure!(self.is_bound(first), "not bound before: {call}"),
            _ => {}
        }
        Ok(())
    }

    fn socket(&mut self, family: &str, kind: &str, call: &str) -> anyhow::Result<()> {
        let stream = family == "AF_INET6" && kind.starts_with("SOCK_STREAM");
        anyhow::ensure!(
            stream || LOCAL.contains(&family),
            "a socket of another kind: {call}"
        );
        *self.made.entry(family.to_owned()).or_default() += 1;
        if let Some((_, number)) = call.rsplit_once("= ") {
            // A number that was closed is given again.
            self.all_bound_but(number)?;
            match stream {
                true => self.bound.insert(number.to_owned(), false),
                false => self.bound.remove(number),
            };
        }
        Ok(())
    }

    /// Sockets of other families than IPv6 are not in the list.
    fn is_bound(&self, socket: &str) -> bool {
        self.bound.get(socket).copied().unwrap_or(true)
    }

    fn all_bound_but(&self, number: &str) -> anyhow::Result<()> {
        let bound = self.bound.get(number).copied().unwrap_or(true);
        anyhow::ensure!(bound, "socket {number} was never bound to an interface");
        Ok(())
    }

    fn all_bound(&self) -> anyhow::Result<()> {
        let mut numbers = self.bound.keys();
        numbers.try_for_each(|number| self.all_bound_but(number))
    }
}

impl Allowed {
    /// Whether the address in `inet_pton(AF_INET6, "...", ...)` is one of these.
    fn has_address(&self, arguments: &str) -> bool {
        let told = arguments.split_once("inet_pton(AF_INET6, \"");
        let address = told.and_then(|(_, rest)| rest.split('"').next());
        let address = address.and_then(|address| address.parse::<Ipv6Addr>().ok());
        address.is_some_and(|address| self.addresses.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    const GOOD: &str = r#"
        70 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 8
        70 connect(8, {sa_family=AF_UNIX, sun_path="/run/dbus/system_bus_socket"}, 110) = 0
        71 socket(AF_BLUETOOTH, SOCK_SEQPACKET|SOCK_CLOEXEC, BTPROTO_L2CAP) = 9
        72 socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP <unfinished ...>
        70 socketpair(AF_UNIX, SOCK_STREAM, 0, [10, 11]) = 0
        72 <... socket resumed>) = 12
        72 setsockopt(12, SOL_SOCKET, SO_BINDTODEVICE, "p2p-wlan0-0", 11) = 0
        72 bind(12, {sa_family=AF_INET6, sin6_port=htons(0), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=5}, 28) = 0
        72 listen(12, 16) = 0
        72 setsockopt(12, SOL_TCP, TCP_NODELAY, [1], 4) = 0
        70 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---
    "#;

    fn allowed() -> Allowed {
        Allowed {
            interfaces: BTreeSet::from(["p2p-wlan0-0".to_owned()]),
            addresses: BTreeSet::from(["fe80::1".parse().unwrap()]),
        }
    }

    #[test]
    fn sockets_of_the_group_and_of_this_machine_are_counted() {
        let made = check(GOOD, &allowed()).unwrap();
        let counts: Vec<_> = made
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect();
        assert_eq!(
            counts,
            [("AF_BLUETOOTH", 1), ("AF_INET6", 1), ("AF_UNIX", 1)]
        );
    }

    #[test]
    fn whatever_leads_elsewhere_is_found() {
        let bind = r#"{sa_family=AF_INET6, sin6_port=htons(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=5}, 28"#;
        let six = "70 socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 20\n";
        for bad in [
            "70 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 20".to_owned(),
            "70 socket(AF_INET, SOCK_STREAM, IPPROTO_IP <unfinished ...>".to_owned(),
            "70 socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 20".to_owned(),
            "70 socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) = 20".to_owned(),
            "70 socketpair(AF_TIPC, SOCK_STREAM, 0, [3, 4]) = 0".to_owned(),
            "70 io_uring_setup(8, {flags=0}) = 20".to_owned(),
            six.to_owned(),
            format!("{six}70 bind(20, {bind}) = 0"),
            format!("{six}70 connect(20, {bind}) = 0"),
            format!("{six}70 listen(20, 16) = 0"),
            format!("{six}70 setsockopt(20, SOL_SOCKET, SO_BINDTODEVICE, \"wlan0\", 5) = 0"),
            format!(
                "{six}70 setsockopt(20, SOL_SOCKET, SO_BINDTODEVICE, \"p2p-wlan0-0\", 11) = -1 EPERM"
            ),
            format!("{six}70 socket(AF_UNIX, SOCK_STREAM, 0) = 20"),
            GOOD.replace("\"fe80::1\"", "\"2001:db8::1\""),
            GOOD.replace("\"fe80::1\"", "\"fe80::2\""),
        ] {
            let trace = format!("{GOOD}\n{bad}\n");
            let trace = if bad.contains("SIGTERM") {
                bad.clone()
            } else {
                trace
            };
            assert!(check(&trace, &allowed()).is_err(), "{bad}");
        }
    }
}
