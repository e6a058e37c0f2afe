//! `cardswitch keys ceremony`: the components of a local master key. It owns the order of the act:
//! each file is made or checked, and only then is it said what they make together.

use std::path::PathBuf;

use anyhow::Context;
use switch_security::{Component, LocalMasterKey};

use crate::keys::make_private_directory;

pub(super) fn run(paths: &[PathBuf]) -> anyhow::Result<()> {
    for path in paths {
        let there = path.try_exists().with_context(|| format!("looking for {}", path.display()))?;
        let component = if there {
            Component::load(path)?
        } else {
            if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                make_private_directory(directory)?;
            }
            let component = Component::generate()?;
            component.save(path)?;
            component
        };
        let (act, check_value) = (if there { "checked" } else { "made" }, component.check_value());
        tracing::info!(target: "audit", act = "lmk_component", made = !there, %check_value);
        println!("component {}: {act}, check value {check_value}", path.display());
    }
    let master = LocalMasterKey::load(paths)?;
    let check_value = master.check_value();
    tracing::info!(target: "audit", act = "lmk_ceremony", components = paths.len(), %check_value);
    println!("local master key of {} components: check value {check_value}", paths.len());
    Ok(())
}
