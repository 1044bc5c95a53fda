//! What is to be run: a plan in TOML, and the runs that follow from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::buffers::BufferSetting;
use crate::event::{SimTime, TraceError};
use crate::frame::Value;
use crate::replay::{self, Recording, ReplayError, Terms};
use crate::routers::Router;
use crate::run::{self, Run, RunError, Wanted};
use crate::scenario::quantity::Seconds;
use crate::scenario::{Scenario, ScenarioError, Source, parameter};
use crate::seeds::{Seeds, SeedsError};
use crate::tables::{Label, Parameter};
use crate::units::Rate;

/// A plan, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// What it is for, in a sentence.
    #[allow(dead_code, reason = "for who reads the plan")]
    about: String,
    /// A scenario; relative to the plan.
    scenario: Option<PathBuf>,
    /// Or a recording, and how it is replayed.
    replay: Option<toml::Table>,
    routers: Vec<String>,
    seeds: String,
    #[serde(default = "yes")]
    oracle: bool,
    /// What is the same for all runs.
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    /// What differs: each key with its values. All combinations are run.
    #[serde(default)]
    axes: BTreeMap<String, Vec<toml::Value>>,
}

const fn yes() -> bool {
    true
}

/// A recording, as a plan names it. The keys are those of `chappe-sim replay`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ReplayFile {
    contacts: PathBuf,
    messages: PathBuf,
    #[serde(default)]
    one_compat: bool,
    tick: Option<Seconds>,
    rate: Option<String>,
    #[serde(default)]
    buffer: Vec<String>,
    ttl: Option<Seconds>,
    end: Option<Seconds>,
}

/// The runs of a plan.
#[derive(Debug)]
pub struct Plan {
    jobs: Vec<Job>,
}

/// A run that is to be done.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it is.
    pub label: Label,
    router: &'static Router,
    oracle: bool,
    world: World,
}

#[derive(Clone, Debug)]
enum World {
    Recording(Arc<Recording>, Arc<Terms>),
    Scenario(Arc<Scenario>),
}

/// What is wrong with a plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file, or the scenario with the plan's settings.
    #[error(transparent)]
    File(#[from] ScenarioError),
    /// The recording.
    #[error(transparent)]
    Recording(#[from] ReplayError),
    /// A run cannot be.
    #[error("{}: {error}", plan.display())]
    Run {
        /// The plan.
        plan: PathBuf,
        /// Why.
        error: RunError,
    },
    /// The seeds.
    #[error("{}: {error}", plan.display())]
    Seeds {
        /// The plan.
        plan: PathBuf,
        /// Why.
        error: SeedsError,
    },
    /// Something else.
    #[error("{}: {what}; expected {expected}", plan.display())]
    What {
        /// The plan.
        plan: PathBuf,
        /// What is there.
        what: String,
        /// What should be.
        expected: &'static str,
    },
}

impl From<TraceError> for PlanError {
    fn from(error: TraceError) -> Self {
        Self::Recording(error.into())
    }
}

/// Why a run of a plan failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// On a recording.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// In a scenario.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Plan {
    /// Reads a plan, and what it names.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn load(path: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ScenarioError::new(path, error.to_string(), "a plan that can be read")
        })?;
        let source = Source::new(path, &text);
        let file: File =
            toml::from_str(&text).map_err(|error| source.at(error.span(), error.message()))?;
        let wrong = |what: String, expected| PlanError::What {
            plan: path.to_owned(),
            what,
            expected,
        };
        let mut routers = Vec::new();
        for name in &file.routers {
            let value = format!("\"{name}\"");
            let router = Router::named(name).ok_or_else(|| {
                let what = format!("no router is called `{name}`");
                source.of(
                    "routers",
                    &value,
                    what,
                    "one that `chappe-sim routers` lists",
                )
            })?;
            routers.push(router);
        }
        if routers.is_empty() {
            return Err(wrong("no routers".to_owned(), "at least one"));
        }
        let seeds: Seeds = file.seeds.parse().map_err(|error| PlanError::Seeds {
            plan: path.to_owned(),
            error,
        })?;
        if let Some((axis, _)) = file.axes.iter().find(|(_, values)| values.is_empty()) {
            return Err(wrong(format!("the axis `{axis}` without values"), "some"));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let worlds = match (&file.scenario, &file.replay) {
            (Some(scenario), None) => scenarios(&file, &folder.join(scenario))?,
            (None, Some(replay)) => recordings(&file, replay, path, &source)?,
            _ => {
                return Err(wrong(
                    "not one world".to_owned(),
                    "`scenario` or `[replay]`",
                ));
            }
        };
        let mut jobs = Vec::new();
        for (world, label) in worlds {
            for router in &routers {
                let (world, label) =
                    world
                        .suited_to(router, &label)
                        .map_err(|error| PlanError::Run {
                            plan: path.to_owned(),
                            error,
                        })?;
                for seed in seeds.range() {
                    jobs.push(Job {
                        label: Label {
                            router: router.name.to_owned(),
                            seed,
                            ..label.clone()
                        },
                        router,
                        oracle: file.oracle,
                        world: world.clone(),
                    });
                }
            }
        }
        jobs.sort_by_key(|job| job.label.run());
        jobs.dedup_by_key(|job| job.label.run());
        Ok(Self { jobs })
    }

    /// All runs, in order of their numbers.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }
}

/// Every combination of the axes, as settings in the order of their keys.
fn combinations(file: &File) -> Vec<Vec<(String, toml::Value)>> {
    let fixed = file
        .set
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()));
    let mut all = vec![fixed.collect::<Vec<_>>()];
    for (key, values) in &file.axes {
        let longer = all.iter().flat_map(|settings| {
            values.iter().map(|value| {
                let mut settings = settings.clone();
                settings.push((key.clone(), value.clone()));
                settings
            })
        });
        all = longer.collect();
    }
    all
}

/// Each setting as a parameter. The values of an axis become columns of one kind.
fn parameters(file: &File, settings: &[(String, toml::Value)]) -> Vec<Parameter> {
    let one = |(key, value): &(String, toml::Value)| {
        let values = file
            .axes
            .get(key)
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        let all = |is: fn(&toml::Value) -> bool| values.iter().all(is);
        let number = |value: &toml::Value| value.is_integer() || value.is_float();
        let parameter = parameter(&format!("{key}={value}"))?;
        let value = match &parameter.value {
            Value::Integer(whole) if !all(toml::Value::is_integer) && all(number) => {
                Value::from(*whole as f64)
            }
            known if all(toml::Value::is_integer) || all(number) || all(toml::Value::is_bool) => {
                known.clone()
            }
            Value::Text(text) => Value::Text(text.clone()),
            _ => Value::from(value.to_string()),
        };
        Some(Parameter { value, ..parameter })
    };
    settings.iter().filter_map(one).collect()
}

fn scenarios(file: &File, path: &Path) -> Result<Vec<(World, Label)>, PlanError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut worlds = Vec::new();
    for settings in combinations(file) {
        let texts: Vec<String> = settings
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let scenario = Scenario::load(path, &texts)?;
        let label = run::label(&scenario, &name, "", &parameters(file, &settings))?;
        worlds.push((World::Scenario(Arc::new(scenario)), label));
    }
    Ok(worlds)
}

fn recordings(
    file: &File,
    table: &toml::Table,
    plan: &Path,
    source: &Source,
) -> Result<Vec<(World, Label)>, PlanError> {
    let folder = plan.parent().unwrap_or(Path::new(""));
    let mut known: BTreeMap<(PathBuf, PathBuf), (Arc<Recording>, String)> = BTreeMap::new();
    let mut worlds = Vec::new();
    for settings in combinations(file) {
        let mut table = table.clone();
        for (key, value) in &settings {
            table.insert(key.clone(), value.clone());
        }
        let replay: ReplayFile = toml::Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| source.at(None, error.message()))?;
        let (contacts, messages) = (folder.join(&replay.contacts), folder.join(&replay.messages));
        let pair = (contacts, messages);
        if !known.contains_key(&pair) {
            let recording = Recording::read(&pair.0, &pair.1)?;
            let input = replay::input_hash(&[&pair.0, &pair.1])?;
            known.insert(pair.clone(), (Arc::new(recording), input));
        }
        let Some((recording, input)) = known.get(&pair) else {
            continue;
        };
        let terms = replay.terms().map_err(|what| PlanError::What {
            plan: plan.to_owned(),
            what,
            expected: "a value as `chappe-sim replay` takes it",
        })?;
        recording.check(&terms)?;
        let mut label = recording.label(&terms, "", 0, input);
        label.parameters = parameters(file, &settings);
        worlds.push((World::Recording(recording.clone(), Arc::new(terms)), label));
    }
    Ok(worlds)
}

impl ReplayFile {
    fn terms(&self) -> Result<Terms, String> {
        let time = |seconds: Seconds| seconds.as_time().since(SimTime::ZERO);
        let buffers = self.buffer.iter().map(|text| text.parse());
        let buffers = buffers.collect::<Result<Vec<BufferSetting>, _>>();
        let rate = self.rate.as_ref().map(|text| text.parse()).transpose();
        let usual = Terms::default();
        if self.tick.is_some() && !self.one_compat {
            return Err("`tick` without `one-compat`".to_owned());
        }
        if self
            .tick
            .is_some_and(|tick| tick.as_time() == SimTime::ZERO)
        {
            return Err("a tick of no length".to_owned());
        }
        Ok(Terms {
            one_compat: self
                .one_compat
                .then(|| self.tick.map_or(replay::TICK, time)),
            rate: rate
                .map_err(|error| format!("{error}"))?
                .unwrap_or(Rate::THE_ONE),
            buffers: buffers.map_err(|error| error.to_string())?,
            ttl: self.ttl.map_or(usual.ttl, time),
            end: self.end.map(Seconds::as_time),
        })
    }
}

impl World {
    /// It and its label, as this router runs in it.
    fn suited_to(&self, router: &Router, label: &Label) -> Result<(Self, Label), RunError> {
        let label = label.clone();
        Ok(match self {
            Self::Recording(recording, terms) => {
                let terms = terms.suited_to(router);
                let (mode, document) = (terms.mode().to_owned(), terms.document());
                let label = Label {
                    mode,
                    document,
                    ..label
                };
                (Self::Recording(recording.clone(), Arc::new(terms)), label)
            }
            Self::Scenario(scenario) => {
                let mode = run::level(scenario, router)?.name().to_owned();
                (self.clone(), Label { mode, ..label })
            }
        })
    }
}

impl Job {
    /// Does it.
    ///
    /// # Errors
    /// [`JobError`].
    pub fn run(&self) -> Result<Run, JobError> {
        let wanted = Wanted {
            oracle: self.oracle,
            ..Wanted::default()
        };
        let seed = self.label.seed;
        Ok(match &self.world {
            World::Recording(recording, terms) => {
                recording.run(terms, self.router, seed, wanted)?
            }
            World::Scenario(scenario) => run::run(scenario, self.router, seed, wanted)?,
        })
    }
}
