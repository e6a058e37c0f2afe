//! Schedules of fees put in force and taken out of it. Who wants to see one looks at the snapshot
//! that every shard has.

use switch_domain::{AsciiText, FeeSchedule, IdempotencyKey, ProgrammeId};
use switch_shard::Act;

use super::Services;
use crate::Problem;

impl Services {
    /// Puts the schedule of a programme in force, or has nothing charged any longer.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn put_fees_in_force(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        programme: ProgrammeId,
        schedule: Option<FeeSchedule>,
    ) -> Result<(), Problem> {
        let schedule = schedule.map(Box::new);
        self.act(key, actor, Act::SetFees { programme, schedule }).await.map(|_| ())
    }
}
