//! Operations on how partners and programmes are set up, as data: what comes over the control
//! socket, one JSON object each. It owns the names and shapes of their members; what may be changed
//! is the service's affair, as over the API.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{AsciiText, Country, PartnerId, ProgrammeId};

use crate::Problem;
use crate::http::now;
use crate::operation::{Caller, text};
use crate::programmes::{
    ConfigurationId, PartnerNow, PartnerWanted, PartnersWanted, ProgrammeNow, ProgrammeWanted,
    Programmes, ProgrammesWanted, SetUpBy, Terminal,
};

/// Of one listing.
const MOST: u32 = 10_000;

/// One operation on how something is set up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum SetupOperation {
    SetupPartnerShow {
        partner: i64,
    },
    SetupPartnerList,
    SetupPartnerRename {
        partner: i64,
        name: String,
    },
    SetupProgrammeShow {
        programme: i64,
    },
    SetupProgrammeList {
        partner: Option<i64>,
    },
    /// What is not said stays; what is empty is no more.
    SetupProgrammeSet {
        programme: i64,
        name: Option<String>,
        terminal: Option<String>,
        configuration_id: Option<String>,
        home_country: Option<String>,
    },
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    programmes: &Programmes,
    caller: Caller,
    operation: SetupOperation,
) -> Result<Value, Problem> {
    let by = SetUpBy { key: caller.key, actor: caller.actor, now: now() };
    match operation {
        SetupOperation::SetupPartnerShow { partner } => {
            Ok(programmes.partner(PartnerId(partner)).await?.told())
        }
        SetupOperation::SetupPartnerList => {
            let wanted = PartnersWanted { most: MOST, ..PartnersWanted::default() };
            Ok(programmes.partners(&wanted).await?.iter().map(PartnerNow::told).collect())
        }
        SetupOperation::SetupPartnerRename { partner, name } => {
            let now = programmes.partner(PartnerId(partner)).await?;
            let wanted =
                PartnerWanted { name: text("name", &name)?, ..PartnerWanted::as_before(&now) };
            let seen = (now.version(), by);
            let (renamed, _) = programmes.change_partner(PartnerId(partner), &wanted, seen).await?;
            Ok(renamed.told())
        }
        SetupOperation::SetupProgrammeShow { programme } => {
            Ok(programmes.programme(ProgrammeId(programme), None).await?.told())
        }
        SetupOperation::SetupProgrammeList { partner } => {
            let wanted = ProgrammesWanted {
                partner: partner.map(PartnerId),
                most: MOST,
                ..ProgrammesWanted::default()
            };
            Ok(programmes.programmes(wanted).await?.iter().map(ProgrammeNow::told).collect())
        }
        SetupOperation::SetupProgrammeSet { .. } => set(programmes, by, operation).await,
    }
}

async fn set(
    programmes: &Programmes,
    by: SetUpBy,
    operation: SetupOperation,
) -> Result<Value, Problem> {
    let SetupOperation::SetupProgrammeSet {
        programme,
        name,
        terminal,
        configuration_id,
        home_country,
    } = operation
    else {
        return Err(Problem::invalid("not a change of a programme"));
    };
    let id = ProgrammeId(programme);
    let now = programmes.programme(id, None).await?;
    let mut wanted = ProgrammeWanted::as_before(&now);
    if let Some(name) = name {
        let name: AsciiText<40> = text("name", &name)?;
        wanted.name = name;
    }
    let filled = |text: String| (!text.is_empty()).then_some(text);
    if let Some(terminal) = terminal {
        wanted.profile.terminal = filled(terminal).map(Terminal::new).transpose()?;
    }
    if let Some(said) = configuration_id {
        wanted.profile.configuration_id = filled(said).map(ConfigurationId::new).transpose()?;
    }
    if let Some(code) = home_country {
        let country = filled(code).map(|code| Country::from_code(&code)).transpose();
        wanted.profile.home_country =
            country.map_err(|error| Problem::invalid(error.to_string()))?;
    }
    let (changed, _) = programmes.change_programme(id, &wanted, (now.version(), by)).await?;
    Ok(changed.told())
}

impl PartnerNow {
    /// For the command line: whom to call is shown at the panel alone.
    fn told(&self) -> Value {
        let mut told = json!({ "partner": self.partner.id.0 });
        beside(&mut told, self.noted());
        told
    }
}

impl ProgrammeNow {
    /// For the command line.
    fn told(&self) -> Value {
        let mut told = json!({ "programme": self.programme.id.0 });
        beside(&mut told, self.noted());
        told
    }
}

fn beside(told: &mut Value, more: Value) {
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
}
