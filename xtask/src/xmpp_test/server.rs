//! The XMPP server: prosody, from Debian, for this run alone.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::{process, setup};

/// The host of all accounts.
pub(crate) const HOST: &str = "localhost";
/// Its configuration and its log.
const FOLDER: &str = "target/xmpp-test";
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that runs until it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts one on a free port, after installing it if it is not there.
    ///
    /// # Errors
    /// When it cannot be installed or does not start.
    pub(crate) fn start(root: &Path) -> anyhow::Result<Self> {
        if !process::is_installed("prosody", root) {
            anyhow::ensure!(
                setup::may_install(root),
                "an XMPP server is needed: install prosody (Debian: `apt-get install prosody`) and try again"
            );
            setup::install_packages(root, &["prosody"])?;
        }
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("making {FOLDER}"))?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let settings = folder.join("prosody.cfg.lua");
        fs::write(&settings, configuration(&folder, free.port()))?;
        let log = fs::File::create(folder.join("prosody.log"))?;
        println!("xmpp-test: prosody listens on {free}; its log is {FOLDER}/prosody.log");
        let process = process::program("prosody", root)
            .arg("-F")
            .arg("--config")
            .arg(&settings)
            .stderr(Stdio::from(log.try_clone()?))
            .stdout(Stdio::from(log))
            .spawn()
            .context("cannot run prosody")?;
        let mut server = Self {
            process,
            address: free,
        };
        server.wait()?;
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                anyhow::bail!("prosody ended ({status}); {FOLDER}/prosody.log says why");
            }
            anyhow::ensure!(
                started.elapsed() < START_LIMIT,
                "prosody does not listen after {} s",
                START_LIMIT.as_secs()
            );
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that nobody but this machine can reach, that lets everybody in and forgets all of it when it ends.
fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        r#"run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
certificates = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{}}
s2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "saslauth"; "roster"; "disco"; "pep" }}
modules_disabled = {{ "s2s"; "tls"; "offline" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
storage = "memory"
log = {{ info = "*stdout" }}
VirtualHost "{HOST}"
"#
    )
}
