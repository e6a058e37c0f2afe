//! Cryptograms by KQ and KW. It owns which kind of card takes which command; what a cryptogram is
//! over, the profile says.

use std::future::Future;
use std::pin::Pin;

use switch_security::{
    AnswerForm, CardKeyOption as KeyOption, CryptogramProfile, Decision, IssuerAuthentication,
    KeyUsage, MacPadding, Reply, SecurityError, SessionMethod, Verified, VerifyCryptogram,
};

use super::{HsmModule, said};
use crate::client::CallError;
use crate::commands::{
    Arpc, ArpcMethod, CardKeyOption, VerifyArqc, VerifyArqcEmv, VerifyArqcScheme,
};
use crate::hsm_key::HsmKey;

/// What comes of one command: the answer to the card, where one was asked for.
type Made =
    Pin<Box<dyn Future<Output = Result<Option<IssuerAuthentication>, SecurityError>> + Send>>;

pub(super) fn verify<'a>(
    module: &'a HsmModule,
    command: &VerifyCryptogram<'_>,
) -> Reply<'a, Verified> {
    let asked = || {
        let profile = CryptogramProfile::named(command.profile.as_str())
            .ok_or(SecurityError::UnknownProfile(command.profile))?;
        let key = module.keys.get(command.key, KeyUsage::E0, "derive_cryptogram_key")?;
        let data = profile.cryptogram_data(&command.chip);
        let data = padded(data.ok_or(SecurityError::Malformed("chip data"))?, profile);
        let ask = Ask { module, profile, key, command, data: &data };
        // Both answers before the decision is known: two commands, each of which verifies.
        Ok(match command.answers.filter(|_| profile.answer.is_some()) {
            None => (ask.once(None)?, None),
            Some(of) => (ask.once(Some(of.approved))?, Some(ask.once(Some(of.declined))?)),
        })
    };
    match asked() {
        Err(error) => Reply::ready(Err(error)),
        Ok((only, None)) => Reply::waiting(async move {
            only.await?;
            Ok(Verified::default())
        }),
        Ok((approved, Some(declined))) => Reply::waiting(async move {
            let (approved, declined) = tokio::try_join!(approved, declined)?;
            Ok(Verified { approved, declined })
        }),
    }
}

/// The data as the unit takes them: it fills up with zeros itself, and nothing else.
fn padded(mut data: Vec<u8>, profile: &CryptogramProfile) -> Vec<u8> {
    if profile.padding == MacPadding::OneThenZeros {
        data.push(0x80);
        data.resize(data.len().next_multiple_of(8), 0);
    }
    data
}

/// What both commands have in common.
struct Ask<'a> {
    module: &'a HsmModule,
    profile: &'a CryptogramProfile,
    key: &'a HsmKey,
    command: &'a VerifyCryptogram<'a>,
    data: &'a [u8],
}

impl Ask<'_> {
    fn once(&self, decision: Option<Decision>) -> Result<Made, SecurityError> {
        let scheme = match (self.profile.session, self.profile.card_key) {
            (SessionMethod::CardKey, KeyOption::A) => VerifyArqcScheme::CardKey,
            (SessionMethod::MastercardSkd, KeyOption::A) => VerifyArqcScheme::CounterAndNumber,
            (SessionMethod::Common, option) => return Ok(self.emv(decision, option)),
            (SessionMethod::Emv2000Tree, _) | (_, KeyOption::B) => {
                return Err(SecurityError::Prohibited("no host command for this profile"));
            }
        };
        let VerifyCryptogram { pan, sequence, chip, ref cryptogram, .. } = *self.command;
        let response_code = decision.map(|decision| decision.response_code);
        let asked = self.module.client.call(&VerifyArqc {
            key: self.key,
            scheme,
            pan,
            sequence,
            atc: chip.atc,
            unpredictable_number: chip.unpredictable_number,
            data: self.data,
            cryptogram,
            response_code,
        });
        Ok(Box::pin(async move {
            match (asked.await.map_err(said)?, response_code) {
                (None, None) => Ok(None),
                (Some(arpc), Some(code)) => issuer_authentication(&arpc, &code),
                _ => Err(said(CallError::Lost)), // an answer where none was asked for, or none
            }
        }))
    }

    fn emv(&self, decision: Option<Decision>, option: KeyOption) -> Made {
        let VerifyCryptogram { pan, sequence, chip, ref cryptogram, .. } = *self.command;
        let by_status =
            matches!(self.profile.answer.map(|of| of.form), Some(AnswerForm::StatusUpdate { .. }));
        let arpc = decision.map(|decision| {
            if by_status {
                ArpcMethod::Two(decision.status_update)
            } else {
                ArpcMethod::One(decision.response_code)
            }
        });
        let option = match option {
            KeyOption::A => CardKeyOption::A,
            KeyOption::B => CardKeyOption::B,
        };
        let (key, data, atc) = (self.key, self.data, chip.atc);
        let command = VerifyArqcEmv { key, option, pan, sequence, atc, data, cryptogram, arpc };
        let asked = self.module.client.call(&command);
        Box::pin(async move {
            match (asked.await.map_err(said)?, arpc) {
                (Arpc::None, None) => Ok(None),
                (Arpc::Eight(made), Some(ArpcMethod::One(code))) => {
                    issuer_authentication(&made, &code)
                }
                (Arpc::Four(made), Some(ArpcMethod::Two(status))) => {
                    issuer_authentication(&made, &status)
                }
                _ => Err(said(CallError::Lost)),
            }
        })
    }
}

/// Tag 91: the ARPC, and what it binds behind it.
fn issuer_authentication(
    arpc: &[u8],
    binds: &[u8],
) -> Result<Option<IssuerAuthentication>, SecurityError> {
    let mut value = [0; IssuerAuthentication::MAX_BYTES];
    let bytes = arpc.iter().chain(binds);
    let length = value.iter_mut().zip(bytes).map(|(slot, byte)| *slot = *byte).count();
    let made = value.get(..length).and_then(IssuerAuthentication::new);
    made.map(Some).ok_or(SecurityError::Unavailable)
}
