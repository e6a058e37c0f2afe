//! `cardswitch vault status`: the keys of the file beside what the rows say they are under. It owns
//! what is printed: ids, times and counts.

use serde_json::json;
use switch_security::PanKeys;
use switch_store::Vault;

use crate::commands::days::at;

pub(super) async fn run(vault: &Vault, keys: &PanKeys, as_json: bool) -> anyhow::Result<()> {
    let rows = vault.rows_by_key().await?;
    let keys = keys.list();
    let held = |id: &str| rows.iter().find(|one| one.key_id == id).map_or(0, |one| one.rows);
    let mut listed = Vec::new();
    for key in &keys {
        let id = key.id.to_string();
        let state = if key.active { "active" } else { "old" };
        // Of keys that were in clear it is not known.
        let made = (key.created.0 > 0).then(|| at(key.created));
        listed.push(json!({ "key": id, "state": state, "made": made, "rows": held(&id) }));
    }
    for one in &rows {
        if !keys.iter().any(|key| key.id.to_string() == one.key_id) {
            let state = if one.retired { "retired" } else { "missing" };
            listed.push(json!({ "key": one.key_id, "state": state, "rows": one.rows }));
        }
    }
    let old = keys.iter().filter(|key| !key.active);
    let left: i64 = old.map(|key| held(&key.id.to_string())).sum();
    if as_json {
        println!("{}", json!({ "keys": listed, "left": left }));
        return Ok(());
    }
    for one in &listed {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let made = one["made"].as_str().map(|made| format!(", made {made}")).unwrap_or_default();
        println!("{}: {}{made}, {} card number(s)", text("key"), text("state"), one["rows"]);
    }
    println!("{left} card number(s) left to encrypt again");
    Ok(())
}
