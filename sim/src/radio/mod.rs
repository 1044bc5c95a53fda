//! Radios: presets as data, each number with its source, and what they make of nodes that are near each other.

mod links;
mod preset;

pub use links::Links;
pub use preset::{Discovery, Energy, PRESETS, Preset, RadioError, Sourced, Step, preset};
