//! By which name a partner says under which programme something is to be made (SR-025, SR-161,
//! SR-163). It owns that each programme has one configuration id: the partner's own word for it,
//! or else its number.

use sqlx::PgConnection;
use switch_domain::{PartnerId, ProgrammeId};

use super::Programmes;
use super::profile::could_be_said;
use crate::Problem;

const OWN: &str = "SELECT configuration_id FROM programme_profile WHERE programme_id = $1";

const NAMED: &str = "\
    SELECT programme_id FROM programme_profile WHERE partner_id = $1 AND configuration_id = $2";

/// Under which programme something is to be made, as its partner says it: in either way, in both,
/// or, where the account tells, not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidProgramme {
    /// By its number.
    pub number: Option<ProgrammeId>,
    /// By its configuration id.
    pub configuration_id: Option<String>,
}

impl SaidProgramme {
    /// That what is said is a name.
    fn check(&self) -> Result<(), Problem> {
        if self.configuration_id.as_deref().is_none_or(could_be_said) {
            return Ok(());
        }
        let rule = "1 to 40 letters, digits, points, hyphens and underscores";
        Err(Problem::field("configurationId", rule))
    }

    /// That it is the programme of an account.
    pub(in crate::service) async fn fits(
        &self,
        connection: &mut PgConnection,
        programme: ProgrammeId,
    ) -> Result<(), Problem> {
        let other = "the account is of another programme";
        if self.number.is_some_and(|number| number != programme) {
            return Err(Problem::field("programmeId", other));
        }
        let Some(said) = &self.configuration_id else { return Ok(()) };
        self.check()?;
        if own(connection, programme).await? == *said {
            return Ok(());
        }
        Err(Problem::field("configurationId", other))
    }
}

async fn own(connection: &mut PgConnection, programme: ProgrammeId) -> Result<String, Problem> {
    let own = sqlx::query_scalar::<_, Option<String>>(OWN).bind(programme.0);
    let own = own.fetch_optional(connection).await?.flatten();
    Ok(own.unwrap_or_else(|| programme.0.to_string()))
}

impl Programmes {
    /// The partner's programme that is called so, by its number or by its configuration id; where
    /// both are said, they are of one.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: neither is said, or they are of two. `NOT_FOUND`: the partner has no such
    /// programme.
    pub async fn called(
        &self,
        partner: PartnerId,
        said: &SaidProgramme,
    ) -> Result<ProgrammeId, Problem> {
        said.check()?;
        let none = || Problem::not_found("there is no such programme");
        let SaidProgramme { number, configuration_id } = said;
        let found = match (*number, configuration_id) {
            (None, None) => {
                return Err(Problem::field("programmeId", "it, or configurationId, is needed"));
            }
            (Some(number), None) => number,
            (_, Some(said)) => self.named(partner, said).await?.ok_or_else(none)?,
        };
        if number.is_some_and(|number| number != found) {
            return Err(Problem::field("configurationId", "it is another programme's"));
        }
        let control = self.services.node.control();
        let its = control.programmes.get(&found).is_some_and(|one| one.partner == partner);
        if its { Ok(found) } else { Err(none()) }
    }

    async fn named(&self, partner: PartnerId, said: &str) -> Result<Option<ProgrammeId>, Problem> {
        let named = sqlx::query_scalar(NAMED).bind(partner.0).bind(said);
        let mut connection = self.pool().acquire().await?;
        let named: Option<i64> = named.fetch_optional(&mut *connection).await?;
        if let Some(id) = named {
            return Ok(Some(ProgrammeId(id)));
        }
        // By its number, where it has no other name.
        let number = said.parse().ok().filter(|id: &i64| id.to_string() == said);
        let Some(number) = number.map(ProgrammeId) else { return Ok(None) };
        Ok((own(&mut connection, number).await? == said).then_some(number))
    }
}
