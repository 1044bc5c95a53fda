//! The radio lab's program inside the guest: it brings the virtual radios up, runs scenarios with real `chappe`
//! processes, and writes the report. `cargo xtask radio-lab` builds it and boots the guest.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod bare_tcp;
#[cfg(target_os = "linux")]
mod bluetooth;
#[cfg(target_os = "linux")]
mod capture;
#[cfg(target_os = "linux")]
mod controllers;
#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod l2cap;
#[cfg(target_os = "linux")]
mod lab;
#[cfg(target_os = "linux")]
mod node;
#[cfg(target_os = "linux")]
mod pcap;
#[cfg(target_os = "linux")]
mod recurring;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rig;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod wait;
#[cfg(target_os = "linux")]
mod wifi;

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("The radio lab needs Linux; run it there.");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some("run") => run(&args.collect::<Vec<_>>()),
        Some("rig") => rig(&args.collect::<Vec<_>>()),
        // An end of a bare TCP stream, for scenarios.
        Some("tcp") => bare_tcp::end(&args.collect::<Vec<_>>()),
        _ => Err(anyhow::anyhow!(
            "usage: radio-lab run [SCENARIO...] or radio-lab rig FILE RESULTS [SCENARIO...]"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("radio-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn run(names: &[String]) -> anyhow::Result<()> {
    let chosen = scenarios::chosen(names)?;
    report(lab::Lab::new("/lab", "/tmp/lab")?, &chosen)
}

/// The same on real machines, from this one.
#[cfg(target_os = "linux")]
fn rig(args: &[String]) -> anyhow::Result<()> {
    let [file, results, names @ ..] = args else {
        anyhow::bail!("usage: radio-lab rig FILE RESULTS [SCENARIO...]");
    };
    let chosen = scenarios::chosen_for_rigs(names)?;
    let rig = rig::Rig::read(file.as_ref())?;
    report(lab::Lab::on(rig, results.as_ref())?, &chosen)
}

#[cfg(target_os = "linux")]
fn report(mut lab: lab::Lab, chosen: &[&scenarios::Scenario]) -> anyhow::Result<()> {
    let mut report = report::Report::of(lab.place());
    for scenario in chosen {
        report.run(&mut lab, scenario);
        report.save(&lab.results.join("report.json"))?;
    }
    Ok(())
}
