//! A database URL that can be passed on but not printed. It must never show its password in
//! `Debug`, and has no `Display`.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::layout::Password;
use super::{PrivatePostgresError, SUPERUSER};

/// How to connect to one database. `Debug` names user, host, port and database only.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: String,
    options: PgConnectOptions,
}

impl DatabaseUrl {
    /// Reads `postgresql://user:password@host:port/database?...`.
    ///
    /// # Errors
    /// [`PrivatePostgresError::InvalidUrl`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, PrivatePostgresError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(PrivatePostgresError::InvalidUrl {
                reason: "it must begin with postgresql://".to_owned(),
            });
        }
        let options = PgConnectOptions::from_str(text)
            .map_err(|error| PrivatePostgresError::InvalidUrl { reason: error.to_string() })?;
        Ok(Self { text: text.to_owned(), options })
    }

    /// The superuser's way to a database of a private cluster.
    pub(super) fn local(
        port: u16,
        password: &Password,
        database: &str,
    ) -> Result<Self, PrivatePostgresError> {
        check_name(database)?;
        let secret = password.expose();
        Self::parse(&format!(
            "postgresql://{SUPERUSER}:{secret}@127.0.0.1:{port}/{database}?sslmode=disable"
        ))
    }

    /// The URL with its password, for an environment variable of a child process or a driver.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The same, as sqlx takes it.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The same server and user, another database.
    ///
    /// # Errors
    /// [`PrivatePostgresError::InvalidDatabaseName`].
    pub fn with_database(&self, database: &str) -> Result<Self, PrivatePostgresError> {
        check_name(database)?;
        let (base, query) = match self.text.split_once('?') {
            Some((base, query)) => (base, format!("?{query}")),
            None => (self.text.as_str(), String::new()),
        };
        let authority = base.find("://").map_or(0, |scheme| scheme + 3);
        let end = base[authority..].find('/').map_or(base.len(), |slash| authority + slash);
        Self::parse(&format!("{}/{database}{query}", &base[..end]))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseUrl")
            .field("user", &self.options.get_username())
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("database", &self.options.get_database())
            .finish_non_exhaustive()
    }
}

/// Accepts names that need no quoting anywhere.
pub(super) fn check_name(name: &str) -> Result<(), PrivatePostgresError> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|first| first == '_' || first.is_ascii_lowercase());
    let rest = characters.all(|character| {
        character == '_' || character.is_ascii_lowercase() || character.is_ascii_digit()
    });
    if first && rest && name.len() <= 63 {
        Ok(())
    } else {
        Err(PrivatePostgresError::InvalidDatabaseName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_need_quoting_are_refused() {
        for good in ["a", "_", "cardswitch", "cardswitch_test_01", &"a".repeat(63)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "A", "a-b", "a b", "a;b", "a\"", "é", &"a".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_database_keeps_user_host_and_parameters() {
        let cases = [
            (
                "postgresql://u:p@h:5433/one?sslmode=disable",
                "postgresql://u:p@h:5433/two?sslmode=disable",
            ),
            ("postgres://u@h/one", "postgres://u@h/two"),
            ("postgresql://u:p@h", "postgresql://u:p@h/two"),
        ];
        for (from, to) in cases {
            let changed = DatabaseUrl::parse(from).unwrap().with_database("two").unwrap();
            assert_eq!(changed.expose(), to);
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let url = DatabaseUrl::parse("postgresql://u:s3cret@h:5433/one?password=s3cret").unwrap();
        let shown = format!("{url:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("5433") && shown.contains("one"), "{shown}");
    }

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        for text in ["mysql://u:s3cret@h/d", "postgresql://u:s3cret@h:port/d", "s3cret"] {
            let error = DatabaseUrl::parse(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
