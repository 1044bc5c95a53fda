//! Virtual environments with pinned Python packages: test tools, made under `target/` and said before they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::{process, setup};

/// A virtual environment.
pub(crate) struct Venv {
    /// Where it is made.
    pub(crate) folder: &'static str,
    /// The files that name its packages.
    pub(crate) requirements: &'static [&'static str],
}

/// The pinned foreign OMEMO implementations that `chappe-omemo` is tested against. Its tests look for `bin/python` in it.
pub(crate) const INTEROP: Venv = Venv {
    folder: "target/interop-venv",
    requirements: &["crates/omemo/interop/requirements.txt"],
};

/// The same, and a client that speaks OMEMO over XMPP.
pub(crate) const XMPP: Venv = Venv {
    folder: "target/xmpp-venv",
    requirements: &[
        "crates/omemo/interop/requirements.txt",
        "crates/omemo/interop/requirements-xmpp.txt",
    ],
};

/// Copy of the requirements in the environment, written when all of them are installed.
const STAMP: &str = "requirements.installed";

impl Venv {
    /// Its Python, after making it if it is not there or not current.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn ready(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let mut wanted = Vec::new();
        for file in self.requirements {
            wanted.extend(fs::read(root.join(file)).with_context(|| format!("reading {file}"))?);
        }
        if self.is_current(root, &wanted) {
            println!("setup: {} is current", self.folder);
        } else {
            self.install(root, &wanted)?;
            println!("setup: {} is ready", self.folder);
        }
        Ok(self.python(root))
    }

    fn is_current(&self, root: &Path, wanted: &[u8]) -> bool {
        let stamp = fs::read(root.join(self.folder).join(STAMP));
        stamp.is_ok_and(|stamp| stamp == wanted)
            && process::succeeds(process::program(self.python(root), root).arg("--version"))
    }

    fn install(&self, root: &Path, wanted: &[u8]) -> anyhow::Result<()> {
        println!(
            "setup: making {} with the Python packages of {} (test tools only)",
            self.folder,
            self.requirements.join(" and ")
        );
        let python = system_python(root)?;
        let folder = root.join(self.folder);
        if folder.exists() {
            let gone = fs::remove_dir_all(&folder);
            gone.with_context(|| format!("removing the old {}", self.folder))?;
        }
        process::run(process::program(python, root).args(["-m", "venv", self.folder]))?;
        let mut pip = process::program(self.python(root), root);
        pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
        pip.arg("--disable-pip-version-check");
        for file in self.requirements {
            pip.args(["--requirement", file]);
        }
        process::run(&mut pip)?;
        fs::write(folder.join(STAMP), wanted)
            .with_context(|| format!("writing {}/{STAMP}", self.folder))
    }

    fn python(&self, root: &Path) -> PathBuf {
        root.join(self.folder).join("bin/python")
    }
}

/// A Python that can make virtual environments; on Debian it is installed if need be and we may.
fn system_python(root: &Path) -> anyhow::Result<&'static str> {
    const CANDIDATES: [&str; 2] = ["python3", "/usr/bin/python3"];
    let usable = || {
        CANDIDATES
            .into_iter()
            .find(|name| process::succeeds(process::program(name, root).args(["-c", PROBE])))
    };
    if let Some(name) = usable() {
        return Ok(name);
    }
    anyhow::ensure!(
        setup::may_install(root),
        "a Python 3 with venv is needed: install it (Debian: `apt-get install python3-venv`) and try again"
    );
    setup::install_packages(root, &["python3", "python3-venv"])?;
    usable().context("python3 is installed, but cannot make a virtual environment")
}

/// Debian splits `ensurepip`, without which `venv` fails half-way, into a package of its own.
const PROBE: &str = "import ensurepip, sys, venv; assert sys.version_info >= (3, 10)";
