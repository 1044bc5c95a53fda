//! Every chore of the project is one command: `cargo xtask help` lists them.

mod claims;
mod codegen;
mod deny;
mod dist;
mod fuzz;
mod layers;
mod measure;
mod metadata;
mod omemo_kit;
mod omemo_mutants;
mod omemo_secrets;
mod omemo_walk;
mod picture;
mod process;
mod radio_lab;
mod report_test;
mod setup;
mod slurm_test;
mod suite;
mod tally;
mod tools;
mod tree;
mod venv;
mod xmpp_test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "help".to_owned());
    if ["help", "-h", "--help"].contains(&name.as_str()) {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("There is no chore `{name}`; `cargo xtask help` lists them.");
        return ExitCode::from(2);
    };
    let args: Vec<String> = args.collect();
    match root().and_then(|root| (chore.run)(&root, &args)) {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How a chore ended that ran to its end.
enum Outcome {
    Good,
    /// What is wrong has been printed.
    Bad,
}

struct Chore {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Path, &[String]) -> anyhow::Result<Outcome>,
}

const CHORES: [Chore; 20] = [
    Chore {
        name: "setup",
        arguments: "",
        about: "install what the tests need beside Rust, into target/; quick when it is there",
        run: |root, args| none(args).and_then(|()| setup::run(root)),
    },
    Chore {
        name: "test",
        arguments: "",
        about: "all checks and all tests, as CI runs them",
        run: |root, args| none(args).and_then(|()| suite::run(root)),
    },
    Chore {
        name: "layers",
        arguments: "",
        about: "dependencies point down only; what a core may use; file sizes, names, paths",
        run: |root, args| none(args).and_then(|()| layers::run(root)),
    },
    Chore {
        name: "claims",
        arguments: "",
        about: "each test that SECURITY.md names exists",
        run: |root, args| none(args).and_then(|()| claims::run(root)),
    },
    Chore {
        name: "deny",
        arguments: "[CHECK...]",
        about: "licences, sources and duplicates of all dependencies, by cargo-deny",
        run: deny::run,
    },
    Chore {
        name: "codegen",
        arguments: "",
        about: "regenerate what is made from proto/ and from the list of fuzz targets",
        run: |root, args| none(args).and_then(|()| codegen::run(root)),
    },
    Chore {
        name: "fuzz",
        arguments: "[--seconds N] [TARGET...]",
        about: "run the fuzz targets, each for N seconds (60)",
        run: fuzz::run,
    },
    Chore {
        name: "measure",
        arguments: "[NAME...]",
        about: "measure the figures (all, or by name) and put them into README.md",
        run: measure::run,
    },
    Chore {
        name: "omemo-kit",
        arguments: "[--seeds N] [--from N]",
        about: "all scenarios with a foreign OMEMO implementation, both sides, 10 (or N) seeds",
        run: omemo_kit::run,
    },
    Chore {
        name: "omemo-mutants",
        arguments: "[--shard K/N] [FILE...]",
        about: "change the code that verifies, one place at a time: does a test notice?",
        run: omemo_mutants::run,
    },
    Chore {
        name: "until-failure",
        arguments: "PROGRAM [ARG...]",
        about: "run a program of tests until one fails; omemo-mutants uses it",
        run: |_, args| omemo_mutants::until_failure(args),
    },
    Chore {
        name: "omemo-secrets",
        arguments: "",
        about: "look for OMEMO's secrets in the memory of a release build, after they were dropped",
        run: |root, args| none(args).and_then(|()| omemo_secrets::run(root)),
    },
    Chore {
        name: "omemo-walk",
        arguments: "[--count N] [--from N]",
        about: "10,000 (or N) random conversations with a foreign OMEMO implementation; slow",
        run: omemo_walk::run,
    },
    Chore {
        name: "xmpp-test",
        arguments: "",
        about: "OMEMO with a real XMPP server and client, on loopback; installs them if need be",
        run: |root, args| none(args).and_then(|()| xmpp_test::run(root)),
    },
    Chore {
        name: "report-test",
        arguments: "",
        about: "a report in a headless Chromium, with pictures of it; installs the browser if need be",
        run: |root, args| none(args).and_then(|()| report_test::run(root)),
    },
    Chore {
        name: "slurm-test",
        arguments: "",
        about: "a sweep as a job array on a real Slurm of one node; installs it if need be (root)",
        run: |root, args| none(args).and_then(|()| slurm_test::run(root)),
    },
    Chore {
        name: "radio-lab",
        arguments: "[--release] [--rig FILE] [SCENARIO...]",
        about: "the real radio stacks in a virtual machine, or the machines of a rig: all scenarios, or by name",
        run: radio_lab::run,
    },
    Chore {
        name: "rig-test",
        arguments: "",
        about: "a rig that is this machine, by its own sshd and the local air: shows the rig's part without radios",
        run: |root, args| none(args).and_then(|()| radio_lab::test_rig(root)),
    },
    Chore {
        name: "dist",
        arguments: "MACHINE",
        about: "the program with its radios for another machine (aarch64), run under emulation, packed",
        run: dist::run,
    },
    Chore {
        name: "picture",
        arguments: "",
        about: "draw docs/demo.svg from a real run of the demo",
        run: |root, args| none(args).and_then(|()| picture::run(root)),
    },
];

fn help() {
    println!("usage: cargo xtask CHORE\n");
    for Chore {
        name,
        arguments,
        about,
        ..
    } in CHORES
    {
        println!("  {:<50} {about}", format!("{name} {arguments}"));
    }
}

fn none(args: &[String]) -> anyhow::Result<()> {
    match args.first() {
        None => Ok(()),
        Some(extra) => anyhow::bail!("unexpected argument `{extra}`"),
    }
}

/// The top of the checkout.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask has no folder above it")?;
    Ok(root.to_owned())
}
