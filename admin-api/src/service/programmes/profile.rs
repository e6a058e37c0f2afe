//! What only the management service knows of a programme. It owns the table `programme_profile`,
//! and the forms of a terminal and of a configuration id (SR-025).

use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Country, PartnerId, ProgrammeId};

use crate::Problem;

/// The longest names.
const TERMINAL_MOST: usize = 16;
const CONFIGURATION_MOST: usize = 40;

/// What a processor calls the place where a programme's cards are made: letters, digits, points,
/// hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal(String);

/// What a partner calls a programme where it orders cards: a letter first, so that it is never the
/// number of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationId(String);

/// Whether a text could be the configuration id of any programme: its own word, or its number.
pub(super) fn could_be_said(text: &str) -> bool {
    is_name(text, CONFIGURATION_MOST)
}

fn is_name(text: &str, most: usize) -> bool {
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=most).contains(&text.len()) && text.bytes().all(usual)
}

impl Terminal {
    /// Reads one.
    ///
    /// # Errors
    /// `INVALID_REQUEST` of `terminal`.
    pub fn new(text: String) -> Result<Self, Problem> {
        if is_name(&text, TERMINAL_MOST) {
            return Ok(Self(text));
        }
        let rule = format!("1 to {TERMINAL_MOST} letters, digits, points, hyphens, underscores");
        Err(Problem::field("terminal", rule))
    }

    /// As a row has it that was written from one.
    pub(in crate::service) const fn kept(text: String) -> Self {
        Self(text)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ConfigurationId {
    /// Reads one.
    ///
    /// # Errors
    /// `INVALID_REQUEST` of `configurationId`.
    pub fn new(text: String) -> Result<Self, Problem> {
        if is_name(&text, CONFIGURATION_MOST) && text.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Ok(Self(text));
        }
        let rule = format!(
            "1 to {CONFIGURATION_MOST} letters, digits, points, hyphens and underscores, a letter \
             first"
        );
        Err(Problem::field("configurationId", rule))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What only the management service knows of a programme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgrammeProfile {
    /// Where its cards are made.
    pub terminal: Option<Terminal>,
    /// What its partner calls it; none: by its number.
    pub configuration_id: Option<ConfigurationId>,
    /// Where its cards are at home.
    pub home_country: Option<Country>,
}

const PUT: &str = "\
    INSERT INTO programme_profile
        (programme_id, partner_id, terminal, configuration_id, home_country)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (programme_id) DO UPDATE SET terminal = excluded.terminal,
        configuration_id = excluded.configuration_id, home_country = excluded.home_country";

const READ: &str = "\
    SELECT programme_id, terminal, configuration_id, home_country FROM programme_profile
    WHERE programme_id = ANY ($1)";

const TAKEN: &str = "\
    SELECT EXISTS (SELECT FROM programme_profile
        WHERE partner_id = $1 AND configuration_id = $2 AND programme_id <> $3)";

/// Puts it down.
pub(super) async fn put(
    connection: &mut PgConnection,
    (programme, partner): (ProgrammeId, PartnerId),
    profile: &ProgrammeProfile,
) -> Result<(), Problem> {
    let ProgrammeProfile { terminal, configuration_id, home_country } = profile;
    let put = sqlx::query(PUT).bind(programme.0).bind(partner.0);
    let put = put.bind(terminal.as_ref().map(Terminal::as_str));
    let put = put.bind(configuration_id.as_ref().map(ConfigurationId::as_str));
    put.bind(home_country.map(Country::alpha2)).execute(connection).await?;
    Ok(())
}

/// Of several programmes, where anything was said of them.
pub(super) async fn of(
    connection: &mut PgConnection,
    programmes: &[i64],
) -> Result<BTreeMap<ProgrammeId, ProgrammeProfile>, Problem> {
    let rows = sqlx::query(READ).bind(programmes).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<(ProgrammeId, ProgrammeProfile), Problem> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column);
    let country = text("home_country")?.map(|code| Country::from_code(&code)).transpose();
    let profile = ProgrammeProfile {
        terminal: text("terminal")?.map(Terminal),
        configuration_id: text("configuration_id")?.map(ConfigurationId),
        home_country: country.map_err(|error| Problem::internal("reading a programme", &error))?,
    };
    Ok((ProgrammeId(row.try_get("programme_id")?), profile))
}

/// Whether a programme was put down whole once.
pub(super) async fn is_put(
    connection: &mut PgConnection,
    programme: ProgrammeId,
) -> Result<bool, Problem> {
    let sql = "SELECT EXISTS (SELECT FROM programme_profile WHERE programme_id = $1)";
    Ok(sqlx::query_scalar(sql).bind(programme.0).fetch_one(connection).await?)
}

/// That no other programme of the partner is called so.
pub(super) async fn is_free(
    connection: &mut PgConnection,
    (programme, partner): (Option<ProgrammeId>, PartnerId),
    profile: &ProgrammeProfile,
) -> Result<(), Problem> {
    let Some(id) = &profile.configuration_id else { return Ok(()) };
    let taken = sqlx::query_scalar(TAKEN).bind(partner.0).bind(id.as_str());
    let taken: bool =
        taken.bind(programme.map_or(0, |programme| programme.0)).fetch_one(connection).await?;
    if taken {
        let what = "another programme of the partner has this configuration id";
        return Err(Problem::new("CONFLICT", what));
    }
    Ok(())
}

/// What a processor elsewhere is to call the place where a programme's cards are made.
pub(in crate::service) async fn terminal_of(
    connection: &mut PgConnection,
    programme: ProgrammeId,
) -> Result<Option<Terminal>, Problem> {
    let sql = "SELECT terminal FROM programme_profile WHERE programme_id = $1";
    let found = sqlx::query_scalar::<_, Option<String>>(sql).bind(programme.0);
    Ok(found.fetch_optional(connection).await?.flatten().map(Terminal::kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: SR-025
    #[test]
    fn a_configuration_id_is_never_the_number_of_a_programme_and_both_names_are_short() {
        for good in ["gold", "Gold-EUR.2", "a", &"a".repeat(40)] {
            assert_eq!(ConfigurationId::new(good.into()).map(|id| id.0).as_deref(), Ok(good));
        }
        for bad in ["", "7", "7gold", "-gold", "go ld", "g\u{f6}ld", &"a".repeat(41)] {
            let problem = ConfigurationId::new(bad.into()).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("configurationId"), "{bad}");
        }
        for good in ["7", "T.0001_a-b", &"a".repeat(16)] {
            assert_eq!(Terminal::new(good.into()).map(|one| one.0).as_deref(), Ok(good));
        }
        for bad in ["", "T 1", "T/1", &"a".repeat(17)] {
            let problem = Terminal::new(bad.into()).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("terminal"), "{bad}");
        }
    }
}
