//! Rust code from `proto/`, checked in so that builders need neither protoc nor this task.

use std::path::Path;

use anyhow::Context;

const FILES: [&str; 3] = [
    "chappe/v1/hop.proto",
    "chappe/v1/gossip.proto",
    "chappe/v1/parcel.proto",
];
const TARGET: &str = "crates/wire/src/generated.rs";

/// Writes the generated code into the tree.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    std::fs::write(root.join(TARGET), generate(root)?).context("writing the generated code")
}

fn generate(root: &Path) -> anyhow::Result<String> {
    let proto = root.join("proto");
    let descriptors = protox::compile(FILES, [&proto]).context("compiling proto/")?;
    let out = std::env::temp_dir().join(format!("chappe-codegen-{}", std::process::id()));
    std::fs::create_dir_all(&out)?;
    prost_build::Config::new()
        .out_dir(&out)
        .btree_map(["."])
        .compile_fds(descriptors)
        .context("generating code")?;
    let code = std::fs::read_to_string(out.join("chappe.v1.rs"))?;
    std::fs::remove_dir_all(&out)?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_code_is_current() {
        let root = crate::root();
        let there = std::fs::read_to_string(root.join(TARGET)).unwrap();
        assert_eq!(there, generate(&root).unwrap(), "run `cargo xtask codegen`");
    }
}
