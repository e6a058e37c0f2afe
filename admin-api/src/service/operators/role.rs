//! What operators may do (SR-260). It owns the three roles and their names; which call needs which
//! role stands in the routes' own table.

/// What an operator may do. The later ones may do all that the earlier ones may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads, and works on single customers.
    Employee,
    /// Also makes things, and decides on verifications.
    Manager,
    /// Everything, operators included.
    Admin,
}

impl Role {
    /// All there are, the least first.
    pub const ALL: [Self; 3] = [Self::Employee, Self::Manager, Self::Admin];

    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Employee => "EMPLOYEE",
            Self::Manager => "MANAGER",
            Self::Admin => "ADMIN",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sr_260_there_are_three_roles_and_each_has_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
        assert_eq!(Role::named("admin"), None);
        assert!(Role::Employee < Role::Manager && Role::Manager < Role::Admin);
    }
}
