//! stub
pub(super) fn run(_: crate::cli::Air) -> Result<(), crate::failure::Failure> { Ok(()) }
