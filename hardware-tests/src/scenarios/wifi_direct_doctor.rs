//! `wifi-direct-doctor`: whatever keeps a machine from Wi-Fi Direct is told in one sentence, by `chappe doctor` and where it
//! can be at the start of a node.

use std::fs;

use anyhow::Context as _;
use serde_json::Value;

use crate::lab::{Lab, shell};
use crate::report::Shown;

/// A user without rights.
const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.wifi_radios(1)?;
    let doctor = Doctor::new(lab)?;
    doctor.finds(lab, "", true, "can make and join groups.")?;
    doctor.finds(lab, "", true, "shows another address in each group.")?;

    shell("rfkill block wlan")?;
    let switched = doctor.finds(
        lab,
        "",
        false,
        "is switched off: run `rfkill unblock wlan`.",
    );
    shell("rfkill unblock wlan")?;
    switched?;

    doctor.finds(
        lab,
        NOBODY,
        false,
        "give the program CAP_NET_RAW, and CAP_SYS_ADMIN for a namespace.",
    )?;
    lab.wifi
        .restart_bus(0, "<deny send_destination=\"fi.w1.wpa_supplicant1\"/>")?;
    doctor.finds(lab, "", true, "can make and join groups.")?;
    doctor.finds(
        lab,
        NOBODY,
        false,
        "D-Bus refuses this program access to wpa_supplicant: run it as root, or allow its user in /etc/dbus-1/system.d/.",
    )?;

    lab.wifi.restart_supplicant_with(0, "p2p_disabled=1\n")?;
    doctor.finds(lab, "", false, "and a wpa_supplicant with P2P.")?;
    doctor.refuses(lab, "has no Wi-Fi Direct")?;
    lab.wifi.kill_supplicant(0)?;
    doctor.finds(
        lab,
        "",
        false,
        "wpa_supplicant is not on the bus: run `systemctl start wpa_supplicant`.",
    )?;
    doctor.refuses(lab, "wpa_supplicant is not on the bus")?;
    Ok(Shown::new(
        "rfkill, missing rights, D-Bus refused, no P2P, no wpa_supplicant: one sentence each",
    ))
}

/// A home that `chappe doctor` looks at, for a user with or without rights.
struct Doctor {
    radio: String,
    homes: [String; 2],
}

impl Doctor {
    fn new(lab: &Lab) -> anyhow::Result<Self> {
        let path = |name: &str| lab.path(name).display().to_string();
        let folder = path("theirs");
        fs::create_dir_all(&folder)?;
        shell(&format!(
            "chown 65534:65534 {folder} && chmod 755 {}",
            path("")
        ))?;
        let doctor = Self {
            radio: lab.wifi.radio(0),
            homes: [path("ours"), format!("{folder}/home")],
        };
        let program = lab.program().display().to_string();
        for (user, home) in ["", NOBODY].iter().zip(&doctor.homes) {
            shell(&format!("{user} {program} --home {home} init --name name"))?;
        }
        Ok(doctor)
    }

    /// Looks, and expects a finding that ends so.
    fn finds(&self, lab: &Lab, user: &str, ok: bool, says: &str) -> anyhow::Result<()> {
        let findings = self.look(lab, user)?;
        let found = findings
            .iter()
            .any(|(good, said)| *good == ok && said.ends_with(says));
        anyhow::ensure!(found, "the doctor does not say \"{says}\" but {findings:?}");
        Ok(())
    }

    fn look(&self, lab: &Lab, user: &str) -> anyhow::Result<Vec<(bool, String)>> {
        let [ours, theirs] = &self.homes;
        let home = if user.is_empty() { ours } else { theirs };
        let (program, radio) = (lab.program().display().to_string(), &self.radio);
        // It ends with a failure if it has found anything.
        let told = shell(&format!(
            "{user} {program} --home {home} doctor --json --radio {radio} || true"
        ))?;
        let mut findings = Vec::new();
        for line in told.lines() {
            let finding: Value = serde_json::from_str(line).context("reading the doctor's JSON")?;
            let ok = finding.get("ok").and_then(Value::as_bool) == Some(true);
            let says = finding.get("says").and_then(Value::as_str);
            findings.push((ok, says.unwrap_or_default().to_owned()));
        }
        Ok(findings)
    }

    /// Starts a node, which says it in one line and ends.
    fn refuses(&self, lab: &Lab, says: &str) -> anyhow::Result<()> {
        let ([home, _], program) = (&self.homes, lab.program().display().to_string());
        let radio = &self.radio;
        let told = shell(&format!(
            "! timeout 60 {program} --home {home} run --radio {radio} 2>&1"
        ))?;
        let lines: Vec<&str> = told.lines().filter(|line| line.contains(says)).collect();
        anyhow::ensure!(
            lines.len() == 1,
            "the start of a node says {told:?}, not \"{says}\""
        );
        Ok(())
    }
}
