//! stub
pub(crate) async fn run(_: crate::cli::Demo) -> Result<(), crate::failure::Failure> { Ok(()) }
