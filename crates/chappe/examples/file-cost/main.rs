//! What it costs two nodes to move a file over `chappe-ip`, as in a Wi-Fi Direct group, each a process of its own:
//! processor time of sender and receiver for a megabyte, goodput, and bytes on the link for a byte of the file.
//!
//! ```text
//! file-cost [MEGABYTES]
//! ```
//!
//! Without a radio it runs on the loopback interface. Where that is the only interface (`unshare --net`), and it is set
//! up like a radio's, what TCP puts on it is told too:
//!
//! ```text
//! unshare --net sh -c 'ip link set lo up mtu 1500 gso_max_segs 1; file-cost 5'
//! ```

#[cfg(target_os = "linux")]
mod cost;
#[cfg(target_os = "linux")]
mod transfer;

/// Megabytes of the file, unless another number is asked for.
#[cfg(target_os = "linux")]
const MEGABYTES: usize = 20;

// The listening socket belongs to this runtime, which has to go on while this thread reads from a pipe.
#[cfg(target_os = "linux")]
#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("receive") => transfer::receive().await,
        Some(megabytes) => transfer::send(megabytes.parse()?).await,
        None => transfer::send(MEGABYTES).await,
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("Groups of Wi-Fi Direct are for Linux.");
}
