//! Single values of a table row, checked on the way in. A value that this version does not know is
//! an error that names table, row and column; it is never replaced by a default.

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Decode, PgConnection, Postgres, Row, Type};
use switch_domain::{
    Acquirer, ApprovalCode, AsciiText, Currency, Expiry, Fingerprint, LinkId, LockCode, MessageKey,
    NetworkTrace, OriginalKey, OriginalReference, Reason, StandIn,
};

use crate::codes::Stored;
use crate::error::StoreError;

pub(super) const DOING: &str = "loading a shard";

/// A column's value.
pub(super) fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(StoreError::database(DOING))
}

/// Every row of a query, read one by one as they come.
pub(crate) async fn each<T>(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
    read: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut stream = query.fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(StoreError::database(DOING))? {
        found.push(read(&row)?);
    }
    Ok(found)
}

/// One row of a named table, with its key for errors.
#[derive(Clone, Copy)]
pub(crate) struct Named<'r> {
    pub(super) table: &'static str,
    pub(super) key: i64,
    pub(super) row: &'r PgRow,
}

impl<'r> Named<'r> {
    /// A row whose key stands in column `key`.
    pub(crate) fn new(
        table: &'static str,
        row: &'r PgRow,
        key: &'static str,
    ) -> Result<Self, StoreError> {
        Ok(Self { table, key: get(row, key)?, row })
    }

    pub(crate) fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        get(self.row, column)
    }

    pub(crate) fn illegal(
        &self,
        column: &'static str,
        found: impl std::fmt::Display,
    ) -> StoreError {
        let (table, row, found) = (self.table, self.key, found.to_string());
        StoreError::IllegalValue { table, row, column, found }
    }

    pub(super) fn choice<T: Stored>(&self, column: &'static str) -> Result<T, StoreError> {
        let name: &str = self.get(column)?;
        T::from_name(name).ok_or_else(|| self.illegal(column, name))
    }

    /// A choice that says nothing where it is null.
    pub(super) fn maybe_choice<T: Stored>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let name: Option<&str> = self.get(column)?;
        let known = |name| T::from_name(name).ok_or_else(|| self.illegal(column, name));
        name.map(known).transpose()
    }

    pub(super) fn narrow<W, T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        W: Decode<'r, Postgres> + Type<Postgres> + Copy + std::fmt::Display,
        T: TryFrom<W>,
    {
        let wide: W = self.get(column)?;
        T::try_from(wide).map_err(|_| self.illegal(column, wide))
    }

    pub(super) fn text<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<AsciiText<N>, StoreError> {
        let text: &str = self.get(column)?;
        AsciiText::new(text.as_bytes()).map_err(|error| self.illegal(column, error))
    }

    pub(super) fn currency(&self) -> Result<Currency, StoreError> {
        let code: u16 = self.narrow::<i16, u16>("currency")?;
        Currency::from_numeric(code).map_err(|_| self.illegal("currency", code))
    }

    pub(super) fn reason(&self) -> Result<Reason, StoreError> {
        let name: &str = self.get("reason")?;
        Reason::from_name(name).ok_or_else(|| self.illegal("reason", name))
    }

    pub(super) fn approval_code(&self) -> Result<Option<ApprovalCode>, StoreError> {
        let code: Option<&str> = self.get("approval_code")?;
        let Some(code) = code else { return Ok(None) };
        ApprovalCode::from_text(code).map(Some).ok_or_else(|| self.illegal("approval_code", code))
    }

    pub(super) fn stand_in(&self) -> Result<Option<StandIn>, StoreError> {
        let name: Option<&str> = self.get("stand_in")?;
        let would_be: Option<&str> = self.get("would_be")?;
        let Some(name) = name else { return Ok(None) };
        let wrong = |name: &str| self.illegal("would_be", name);
        let would_be =
            would_be.map(|name| Reason::from_name(name).ok_or_else(|| wrong(name))).transpose()?;
        let stand_in = StandIn::from_name(name, would_be);
        stand_in.map(Some).ok_or_else(|| self.illegal("stand_in", name))
    }

    pub(super) fn expiry(&self) -> Result<Expiry, StoreError> {
        let yymm: u16 = self.narrow::<i16, u16>("expiry_yymm")?;
        Expiry::from_yymm(yymm).map_err(|_| self.illegal("expiry_yymm", yymm))
    }

    pub(super) fn lock(&self) -> Result<Option<LockCode>, StoreError> {
        let number: Option<i16> = self.get("lock_code")?;
        let Some(number) = number else { return Ok(None) };
        let lock = u8::try_from(number).ok().and_then(LockCode::from_number);
        lock.map(Some).ok_or_else(|| self.illegal("lock_code", number))
    }

    pub(super) fn fingerprint(&self, column: &'static str) -> Result<Fingerprint, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        let sixteen = bytes.try_into();
        sixteen.map(Fingerprint).map_err(|_| self.illegal(column, format!("{} bytes", bytes.len())))
    }

    fn acquirer(&self, column: &'static str) -> Result<Acquirer, StoreError> {
        let text: &str = self.get(column)?;
        if let Some(link) = text.strip_prefix("link:") {
            let link = link.parse().map_err(|_| self.illegal(column, text))?;
            return Ok(Acquirer::Link(LinkId(link)));
        }
        self.text(column).map(Acquirer::Institution)
    }

    /// The message key of an authorization or of a reversal.
    pub(super) fn message_key(&self) -> Result<MessageKey, StoreError> {
        Ok(MessageKey {
            acquirer: self.acquirer("acquirer")?,
            class: self.choice("class")?,
            stan: self.narrow::<i64, u64>("stan")?,
            local_time: self.narrow::<i64, u64>("local_time")?,
            terminal: self.text("terminal")?,
            rrn: self.text("rrn")?,
            card: self.fingerprint("fingerprint")?,
        })
    }

    /// A network trace; null where there is none, as in all that was written before there were any.
    pub(super) fn network_trace(&self, column: &'static str) -> Result<NetworkTrace, StoreError> {
        let text: Option<&str> = self.get(column)?;
        let Some(text) = text else { return Ok(NetworkTrace::NONE) };
        NetworkTrace::new(text.as_bytes()).map_err(|error| self.illegal(column, error))
    }

    /// What a reversal says of its original.
    pub(super) fn original_reference(&self) -> Result<OriginalReference, StoreError> {
        Ok(OriginalReference {
            key: OriginalKey {
                acquirer: self.acquirer("original_acquirer")?,
                stan: self.narrow::<i64, u64>("original_stan")?,
                terminal: self.text("original_terminal")?,
                card: self.fingerprint("original_fingerprint")?,
            },
            class: self.maybe_choice("original_class")?,
            transmitted: self.narrow::<i64, u64>("original_transmitted")?,
            rrn: self.text("original_rrn")?,
            network_trace: self.network_trace("original_network_trace")?,
        })
    }
}
