//! Why a key does not do what it was asked to, and why a ring does not change. It owns the words:
//! each names the key and what was asked of it, and none says anything of its bytes.

use super::ring::{MAX_KEYS, MAX_LIVE};
use super::{Function, KeyCheckValue, KeyCipher, KeyMode, KeyName, KeyUsage};

/// Why a key does not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No such key.
    #[error("there is no key {0}: make or import it with `cardswitch keys`")]
    Unknown(KeyName),
    /// One key, one use.
    #[error(
        "key {name} is for {is_for} ({}), and was asked for {wanted} ({})",
        is_for.words(),
        wanted.words()
    )]
    OtherUsage {
        /// The key.
        name: KeyName,
        /// What it is for.
        is_for: KeyUsage,
        /// What it was asked for.
        wanted: KeyUsage,
    },
    /// It is not for that, or not that way round.
    #[error("key {name} is for {usage} with mode {mode}, and was asked to {function}: refused")]
    Refused {
        /// The key.
        name: KeyName,
        /// What it is for.
        usage: KeyUsage,
        /// Which way round.
        mode: KeyMode,
        /// What it was asked.
        function: Function,
    },
    /// It is of another cipher, or longer, than the algorithm takes.
    #[error("key {name} is of cipher {}, which {function} does not take", cipher.letter())]
    OtherCipher {
        /// The key.
        name: KeyName,
        /// Its cipher.
        cipher: KeyCipher,
        /// What it was asked.
        function: Function,
    },
    /// No version of it is active.
    #[error("no version of key {0} is active: activate one with `cardswitch keys activate`")]
    NotActive(KeyName),
    /// The handle is of another module.
    #[error("the handle names no key of this module")]
    UnknownHandle,
}

/// Why the ring does not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// At a limit.
    #[error("there are {MAX_KEYS} keys, and no more are taken")]
    Full,
    /// At a limit.
    #[error("key {0} has {MAX_LIVE} versions that are not destroyed: retire old ones first")]
    TooManyVersions(KeyName),
    /// A name stands for one usage for ever.
    #[error("key {name} is for {is_for}, and this one is for {given}: take another name")]
    OtherUsage {
        /// The key.
        name: KeyName,
        /// What it is for.
        is_for: KeyUsage,
        /// What came.
        given: KeyUsage,
    },
    /// It is one of its versions already.
    #[error("this is version {number} of key {name} already, check value {check_value}")]
    SameKey {
        /// The key.
        name: KeyName,
        /// Which version.
        number: u32,
        /// What tells it.
        check_value: KeyCheckValue,
    },
    /// No such key or version.
    #[error("there is no version {number} of a key {name}")]
    NoSuchVersion {
        /// The key.
        name: KeyName,
        /// Which version.
        number: u32,
    },
    /// Numbers rise, and one version is active at most.
    #[error("version {number} of key {name} does not follow the ones before it")]
    Order {
        /// The key.
        name: KeyName,
        /// Which version.
        number: u32,
    },
    /// It is not in a state from which that is possible.
    #[error("version {number} of key {name} is {is}, and must be {must}")]
    State {
        /// The key.
        name: KeyName,
        /// Which version.
        number: u32,
        /// Its state.
        is: &'static str,
        /// The state that it would have to be in.
        must: &'static str,
    },
}
