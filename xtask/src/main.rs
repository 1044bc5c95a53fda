//! Every chore of the project is one command: `cargo xtask help` lists them.

mod codegen;

use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("codegen") => codegen::write(&root()),
        _ => {
            println!("codegen   regenerate crates/wire/src/generated.rs from proto/");
            Ok(())
        }
    }
}

/// The top of the checkout.
fn root() -> PathBuf {
    let mut here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.pop();
    here
}
