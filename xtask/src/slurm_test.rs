//! `slurm-test`: the array script that ships, on a real Slurm of one node: a sweep that is broken off and submitted again
//! comes to the same bytes as the same sweep without Slurm.

mod cluster;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use cluster::Cluster;

use crate::{Outcome, process};

const SCRIPT: &str = "sim/slurm/sweep.sbatch";
const FOLDER: &str = "target/slurm-test";
const SHARDS: usize = 6;
/// Twelve runs that are quick together and slow enough to be broken off between them.
const PLAN: &str = r#"about = "A plan for the test with Slurm"
scenario = "../../sim/scenarios/village-ferry.toml"
routers = ["default", "direct-delivery"]
seeds = "1..3"

[set]
duration = "4h"

[axes]
ttl = ["2h", "24h"]
"#;
const JOB_LIMIT: Duration = Duration::from_secs(300);

/// Runs it.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    process::run(process::cargo(root).args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "chappe-sim",
    ]))?;
    let program = crate::metadata::target(root)?.join("debug/chappe-sim");
    let folder = root.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {FOLDER}"))?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("plan.toml"), PLAN)?;
    let sweep = Sweep {
        root,
        program,
        plan: folder.join("plan.toml"),
        plain: folder.join("plain"),
        out: folder.join("out"),
    };
    sweep.without_slurm()?;
    let cluster = Cluster::start(root, &folder.join("slurm"))?;
    let result = sweep.with_slurm(&cluster);
    if result.is_err() {
        println!("slurm-test: the logs of Slurm and of the tasks are in {FOLDER}/slurm");
    }
    result?;
    println!("slurm-test: good");
    Ok(Outcome::Good)
}

/// A sweep, once on this machine as it is, and once by Slurm.
struct Sweep<'a> {
    root: &'a Path,
    program: PathBuf,
    plan: PathBuf,
    plain: PathBuf,
    out: PathBuf,
}

impl Sweep<'_> {
    fn without_slurm(&self) -> anyhow::Result<()> {
        process::run(
            process::program(&self.program, self.root)
                .arg("sweep")
                .arg(&self.plan)
                .arg("--out")
                .arg(&self.plain),
        )?;
        self.merge(&self.plain)
    }

    fn with_slurm(&self, cluster: &Cluster) -> anyhow::Result<()> {
        let job = self.submit(cluster)?;
        cluster.until("a shard is done", JOB_LIMIT, || Ok(self.shards()? > 0))?;
        cluster.cancel(&job)?;
        cluster.until("the job is gone", JOB_LIMIT, || cluster.is_gone(&job))?;
        let done = self.shards()?;
        println!("slurm-test: job {job} was cancelled with {done} of {SHARDS} shards done");
        ensure!(
            done < SHARDS,
            "the job was over before it could be cancelled"
        );
        ensure!(
            self.merge(&self.out).is_err(),
            "shards are missing, and `merge` took what there is for the whole"
        );
        let before = self.written()?;

        let job = self.submit(cluster)?;
        cluster.until("the job is gone", JOB_LIMIT, || cluster.is_gone(&job))?;
        let done = self.shards()?;
        println!("slurm-test: job {job} ended with {done} of {SHARDS} shards done");
        ensure!(done == SHARDS, "not all shards were done");
        // With what each run has cost: one that is done again costs something else.
        for (path, bytes) in before {
            ensure!(
                fs::read(&path)? == bytes,
                "{} was done, and was done again",
                path.display()
            );
        }
        self.merge(&self.out)?;
        let merged = |out: &Path| fs::read(out.join("merged/run.parquet"));
        ensure!(
            merged(&self.plain)? == merged(&self.out)?,
            "with Slurm and without, the runs differ"
        );
        println!(
            "slurm-test: the merged table of runs is the same, byte for byte, with Slurm and without"
        );
        Ok(())
    }

    fn submit(&self, cluster: &Cluster) -> anyhow::Result<String> {
        let mut command = cluster.client("sbatch");
        command
            .env("CHAPPE_SIM", &self.program)
            .args(["--parsable", &format!("--array=1-{SHARDS}")])
            .arg(format!("--output={}", cluster.task_log().display()))
            .arg(SCRIPT)
            .arg(&self.plan)
            .arg(&self.out);
        println!("$ {}", process::show(&command));
        let job = process::output(&mut command)?.trim().to_owned();
        ensure!(!job.is_empty(), "sbatch told no job");
        Ok(job)
    }

    fn merge(&self, folder: &Path) -> anyhow::Result<()> {
        process::run(
            process::program(&self.program, self.root)
                .arg("merge")
                .arg(folder),
        )
    }

    /// How many shards are whole.
    fn shards(&self) -> anyhow::Result<usize> {
        Ok(self.written()?.len())
    }

    /// The shards that are whole, and what is in them.
    fn written(&self) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        if !self.out.exists() {
            return Ok(Vec::new());
        }
        let mut shards = Vec::new();
        for entry in fs::read_dir(&self.out)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("shard-") && name.ends_with(".parquet") {
                shards.push((entry.path(), fs::read(entry.path())?));
            }
        }
        Ok(shards)
    }
}
