//! The radio lab's program inside the guest: it brings the virtual radios up, runs scenarios with real `chappe`
//! processes, and writes the report. `cargo xtask radio-lab` builds it and boots the guest.
#![forbid(unsafe_code)]

mod bluetooth;
mod capture;
mod lab;
mod node;
mod report;
mod scenarios;
mod wait;
mod wifi;

use std::process::ExitCode;

use lab::Lab;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some("run") => run(&args.collect::<Vec<_>>()),
        _ => Err(anyhow::anyhow!("usage: radio-lab run [SCENARIO...]")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("radio-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(names: &[String]) -> anyhow::Result<()> {
    let chosen = scenarios::chosen(names)?;
    let mut lab = Lab::new("/lab", "/tmp/lab")?;
    let mut report = report::Report::default();
    for scenario in chosen {
        report.run(&mut lab, scenario);
        report.save(&lab.results.join("report.json"))?;
    }
    Ok(())
}
