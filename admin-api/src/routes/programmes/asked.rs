//! What is asked for of programmes, as JSON. It owns the names of members and the form of each; the
//! services own their rules.

use serde::Deserialize;
use switch_domain::{Bin, BinRange, Country, Currency, KeyLabel, PartnerId, SecurityKeys};
use utoipa::ToSchema;

use super::super::partners::name_for_people;
use super::super::pools::pool_id;
use super::BinsBody;
use crate::Problem;
use crate::service::programmes::{
    ConfigurationId, ProgrammeProfile, ProgrammeToMake, ProgrammeWanted, Terminal,
};

impl BinsBody {
    fn range(&self) -> Result<BinRange, Problem> {
        let bin = |field: &str, text: &str| {
            let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
            let bin = text.parse().ok().filter(|_| digits).map(Bin);
            bin.ok_or_else(|| Problem::field(format!("bins.{field}"), "eight digits"))
        };
        let (low, high) = (bin("low", &self.low)?, bin("high", &self.high)?);
        if low > high {
            return Err(Problem::field("bins.high", "not below bins.low"));
        }
        if !(14..=19).contains(&self.pan_length) {
            return Err(Problem::field("bins.panLength", "14 to 19"));
        }
        Ok(BinRange { low, high, pan_length: self.pan_length })
    }
}

/// Keys by their names; what is left out is not verified.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct KeysBody {
    /// Card values of stripe and chip.
    #[schema(max_length = 32)]
    cvk: String,
    /// Printed codes; the first one, and those after it once a code was reset.
    #[schema(max_items = 8)]
    cvk2: Vec<String>,
    /// PIN references.
    #[schema(max_length = 32)]
    pvk: String,
    /// Cryptograms.
    #[schema(max_length = 32)]
    imk_ac: String,
    /// The integrity of scripts.
    #[schema(max_length = 32)]
    imk_smi: String,
    /// The confidentiality of scripts.
    #[schema(max_length = 32)]
    imk_smc: String,
}

impl KeysBody {
    fn keys(&self) -> Result<SecurityKeys, Problem> {
        let label = |field: &str, name: &str| {
            KeyLabel::new(name.as_bytes())
                .map_err(|error| Problem::field(format!("keys.{field}"), error.to_string()))
        };
        let codes = self.cvk2.iter().map(|name| label("cvk2", name));
        Ok(SecurityKeys {
            cvk: label("cvk", &self.cvk)?,
            cvk2: codes.collect::<Result<_, _>>()?,
            pvk: label("pvk", &self.pvk)?,
            imk_ac: label("imkAc", &self.imk_ac)?,
            imk_smi: label("imkSmi", &self.imk_smi)?,
            imk_smc: label("imkSmc", &self.imk_smc)?,
        })
    }
}

fn processor(name: String) -> Result<String, Problem> {
    let is_name =
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { Ok(name) } else { Err(Problem::field("processor", "the name of a processor")) }
}

/// What may be changed of a programme: all of it anew, but for its processor and its keys.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Gold", "terminal": "T-0001", "configurationId": "gold-eur", "homeCountry": "AT"
}))]
pub(in crate::routes) struct ProgrammeBody {
    /// 1 to 40 printable ASCII characters.
    #[schema(min_length = 1, max_length = 40, pattern = "^[!-~]([ -~]*[!-~])?$")]
    name: String,
    /// What the processor calls the place where its cards are made.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,16}$")]
    terminal: Option<String>,
    /// By which its partner names it; where it is not said, by its number.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9._-]{0,39}$")]
    configuration_id: Option<String>,
    /// Alpha-2 code of ISO 3166-1.
    #[schema(pattern = "^[A-Z]{2}$")]
    home_country: Option<String>,
    /// Who makes the cards that are ordered from now on, `in-process` for the switch itself; where
    /// it is not said, as before.
    #[schema(min_length = 1, max_length = 64)]
    processor: Option<String>,
    /// By which its cards are verified; where they are not said, as before.
    keys: Option<KeysBody>,
}

impl ProgrammeBody {
    pub(in crate::routes) fn wanted(self) -> Result<ProgrammeWanted, Problem> {
        let home = |code: &String| {
            let letters = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            let country = Country::from_code(code).ok().filter(|_| letters);
            country.ok_or_else(|| Problem::field("homeCountry", "there is no such country"))
        };
        Ok(ProgrammeWanted {
            name: name_for_people(&self.name)?,
            profile: ProgrammeProfile {
                terminal: self.terminal.map(Terminal::new).transpose()?,
                configuration_id: self.configuration_id.map(ConfigurationId::new).transpose()?,
                home_country: self.home_country.as_ref().map(home).transpose()?,
            },
            processor: self.processor.map(processor).transpose()?,
            keys: self.keys.as_ref().map(KeysBody::keys).transpose()?,
        })
    }
}

/// A programme to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "partnerId": 1, "name": "Gold", "currency": "EUR", "poolId": "3",
    "bins": { "low": "99999912", "high": "99999912", "panLength": 16 }, "terminal": "T-0001"
}))]
pub(in crate::routes) struct NewProgrammeBody {
    /// Whose.
    #[schema(minimum = 1)]
    partner_id: i64,
    /// No other programme has one of them.
    bins: BinsBody,
    /// Code of ISO 4217: the pool's.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The partner's pool that funds it; what that is for says how.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pool_id: String,
    /// 1 to 40 printable ASCII characters.
    #[schema(min_length = 1, max_length = 40, pattern = "^[!-~]([ -~]*[!-~])?$")]
    name: String,
    /// What the processor calls the place where its cards are made.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,16}$")]
    terminal: Option<String>,
    /// By which its partner names it; where it is not said, by its number.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9._-]{0,39}$")]
    configuration_id: Option<String>,
    /// Alpha-2 code of ISO 3166-1.
    #[schema(pattern = "^[A-Z]{2}$")]
    home_country: Option<String>,
    /// Who makes its cards; where it is not said, the switch itself (`in-process`).
    #[schema(min_length = 1, max_length = 64)]
    processor: Option<String>,
    /// By which its cards are verified; where they are not said, they are not.
    keys: Option<KeysBody>,
}

impl NewProgrammeBody {
    pub(in crate::routes) fn wanted(self) -> Result<ProgrammeToMake, Problem> {
        if self.partner_id < 1 {
            return Err(Problem::field("partnerId", "the number of a partner: 1 or more"));
        }
        let unknown = || Problem::field("currency", "there is no such currency");
        let later = ProgrammeBody {
            name: self.name,
            terminal: self.terminal,
            configuration_id: self.configuration_id,
            home_country: self.home_country,
            processor: self.processor,
            keys: self.keys,
        };
        Ok(ProgrammeToMake {
            partner: PartnerId(self.partner_id),
            bins: self.bins.range()?,
            currency: Currency::from_alphabetic(&self.currency).ok_or_else(unknown)?,
            pool: pool_id(&self.pool_id)?,
            wanted: later.wanted()?,
        })
    }
}
