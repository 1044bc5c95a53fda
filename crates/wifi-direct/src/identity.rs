//! What a radio tells of itself to everybody: nothing that tells devices apart, and nothing that lasts.
//!
//! wpa_supplicant puts a device's address, name, maker, model, serial number and UUID into the frames of Wi-Fi Direct.
//! The words are the same for everybody, and UUID and addresses are random. The address of the device can be
//! random only if it is asked for in a configuration file, as the interface is given to wpa_supplicant; hence
//! [`Setting`].

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The name that is in the radio's frames: the same for everybody.
pub(crate) const DEVICE_NAME: &str = "device";
/// Properties of an interface in wpa_supplicant, and what is set there: the same for everybody, and no address of a group
/// twice. wpa_supplicant takes no empty words.
pub(crate) const WORDS: [(&str, &str); 5] = [
    ("Manufacturer", "-"),
    ("ModelName", "-"),
    ("ModelNumber", "-"),
    ("P2pInterfaceRandomMacAddr", "1"),
    ("SerialNumber", "-"),
];
/// What wpa_supplicant reads when it is given the interface.
const SETTING: &str =
    "p2p_device_random_mac_addr=1\np2p_interface_random_mac_addr=1\np2p_no_group_iface=0\n";
/// What the name of the file begins with.
const PREFIX: &str = "chappe-wifi-";

/// A configuration file for wpa_supplicant, which lives until this is dropped.
#[derive(Debug)]
pub(crate) struct Setting(PathBuf);

impl Setting {
    /// Writes one where wpa_supplicant, which runs as root, can read it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write() -> io::Result<Self> {
        // What systemd gives a service; its /tmp may be its own.
        let folder = env::var_os("RUNTIME_DIRECTORY").map_or_else(env::temp_dir, PathBuf::from);
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(format!("{PREFIX}{name}.conf"));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let setting = Self(path);
        file.write_all(SETTING.as_bytes())?;
        Ok(setting)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether an interface that wpa_supplicant has was given to it with such a file: by this run of the program or by
    /// one that crashed.
    pub(crate) fn is_ours(path: &str) -> bool {
        let name = Path::new(path).file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(PREFIX)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // wpa_supplicant has read it.
        let _ = fs::remove_file(&self.0);
    }
}

/// A fresh UUID (RFC 9562, version 4); the one that wpa_supplicant has without it is made of the radio's address.
///
/// # Errors
/// When the system gives no random numbers.
pub(crate) fn fresh_uuid() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let number = u128::from_be_bytes(random);
    let number = number & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
    let digits = format!("{number:032x}");
    let mut uuid = String::with_capacity(36);
    for (place, digit) in digits.char_indices() {
        if matches!(place, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    Ok(uuid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_is_fresh() {
        let uuid = fresh_uuid().unwrap();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        let version: Vec<char> = uuid.chars().skip(14).take(1).collect();
        assert_eq!(version, ['4']);
        let variant: Vec<char> = uuid.chars().skip(19).take(1).collect();
        assert!(
            matches!(variant.as_slice(), ['8' | '9' | 'a' | 'b']),
            "{uuid}"
        );
        assert_ne!(fresh_uuid().unwrap(), uuid);
    }

    #[test]
    fn the_file_is_gone_once_it_was_read() {
        let setting = Setting::write().unwrap();
        let path = setting.path().to_owned();
        assert!(Setting::is_ours(&path.to_string_lossy()));
        assert!(!Setting::is_ours("/etc/wpa_supplicant/wpa_supplicant.conf"));
        assert_eq!(fs::read_to_string(&path).unwrap(), SETTING);
        drop(setting);
        assert!(!path.exists());
    }
}
