//! Authentication codes from the key file to the wire: a key is imported by the real binary, and in
//! every shipped dialect a purchase with a good code is
//! approved and one without is answered with the edition's code for that, and holds nothing.

use std::path::Path;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Fields, Version};
use switch_domain::MinorUnits;
use switch_security::{
    KeyName, KeyStore, LocalMasterKey, LocalMasterKeys, MacPadding, MacScheme, PanKeys,
    SecurityModule, SoftwareModule,
};
use switch_server::config::{Algorithm, Link, LinkMac};

use crate::keys::{ceremony, keys};
use crate::speaker::{Draft, Said, Speaker, Value};
use crate::stage::Stage;

const SCHEME: MacScheme = MacScheme::RetailMac(MacPadding::OneThenZeros);

fn import(directory: &Path, name: &str, input: &str) -> (bool, String) {
    keys(directory, &["import", name, "--usage", "M3"], input)
}

const FIRST: &str = "FFFFFFFF00000000FFFFFFFF00000000";
const SECOND: &str = "FEDCBA9889ABCDEF0123456776543210";

/// Asks with a code over the message, and looks at that of the answer.
pub(crate) async fn ask(speaker: &mut Speaker, module: &SoftwareModule, bytes: &[u8]) -> Said {
    speaker.send(bytes).await;
    let said = speaker.answer().await;
    let dialect = speaker.dialect();
    let mut fields = Fields::new();
    dialect.decode(&said.body, &mut fields).expect("readable");
    let answer = dialect.view(&said.body, &fields);
    let authenticated = answer.authenticated().expect("a code");
    let mut room = [0; 8];
    let code = answer.bytes(authenticated.field, &mut room).expect("bytes");
    let name = KeyName::new("acquirer").expect("a name");
    let key = module.find_mac_key(&name, SCHEME.algorithm()).expect("known");
    let verified = module.verify_mac(key, SCHEME, authenticated.covered, &code[..4]);
    assert_eq!((verified, &code[4..]), (Ok(()), &[0; 4][..]), "{}", dialect.name());
    said
}

/// A switch with a link in each shipped dialect, named as it, that asks for codes; and a module
/// with its key.
pub(crate) async fn stage_with_codes() -> (Stage, SoftwareModule) {
    let mut path = None;
    let stage = Stage::configured(|config| {
        let directory = config.security.key_file.parent().expect("a directory").to_owned();
        config.security.lmk_components = ceremony(&directory);
        let (good, said) = import(&directory, "acquirer", &format!("{FIRST}\n{SECOND}"));
        assert!(good, "{said}");
        config.security.key_file = directory.join("keys/switch.keys");
        path = Some((config.security.key_file.clone(), config.security.lmk_components.clone()));
        config.links.clear();
        for (id, dialect) in (1..).zip(Dialect::shipped_names()) {
            let mac = LinkMac {
                algorithm: Algorithm::Three,
                padding: Some(2),
                key: "acquirer".into(),
                bytes: 4,
                required: true,
                answers: true,
            };
            let mut link = Link { id, dialect: dialect.into(), mac: Some(mac), ..Link::default() };
            link.listen = Some(([127, 0, 0, 1], 0).into());
            config.links.insert(dialect.into(), link);
        }
    })
    .await;
    let (path, components) = path.expect("set");
    let master = LocalMasterKey::load(&components).expect("a local master key");
    let keys = KeyStore::new(path, LocalMasterKeys::new(master)).load().expect("keys");
    let pan_keys = PanKeys::generate().expect("keys");
    let module = SoftwareModule::new(&pan_keys).expect("a module");
    (stage, module.with_keys(keys))
}

/// The draft with a code over it in the field for that.
pub(crate) fn signed(speaker: &Speaker, module: &SoftwareModule, draft: &Draft) -> Draft {
    signed_as(speaker, module, "100", draft)
}

/// The same for a message of this type.
pub(crate) fn signed_as(
    speaker: &Speaker,
    module: &SoftwareModule,
    kind: &str,
    draft: &Draft,
) -> Draft {
    let field = speaker.dialect().mac_field(draft.iter().map(|(field, _)| *field).collect());
    let field = field.expect("room");
    let mut draft = draft.clone();
    draft.push((field, Value::Bytes(vec![0; 8])));
    let mut message = speaker.bytes(speaker.mti(kind), &draft);
    let mut code = vec![0; 8];
    let put = speaker.dialect().put_mac(field, &mut message, |covered, _| {
        let name = KeyName::new("acquirer").expect("a name");
        let key = module.find_mac_key(&name, SCHEME.algorithm())?;
        let mac = module.generate_mac(key, SCHEME, covered)?;
        code[..4].copy_from_slice(mac.shortened(4).expect("eight"));
        Ok::<_, switch_security::MacError>(0)
    });
    assert_eq!(put, Ok(true));
    draft.retain(|(number, _)| *number != field);
    draft.push((field, Value::Bytes(code)));
    draft
}

#[tokio::test]
async fn in_every_dialect_a_purchase_needs_a_good_code() {
    let (stage, module) = stage_with_codes().await;
    let issued = stage.issue(1_000_000, 1_000_000).await;
    for (stan, (name, address)) in (1..).zip(stage.app.addresses().links.clone()) {
        let dialect = Dialect::shipped(&name).expect("shipped");
        let [approved, refused] = match dialect.version() {
            Version::V1987 => ["00", "98"],
            Version::V1993 => ["000", "916"],
            Version::V2003 => ["0000", "9116"],
        };
        let framing = Framing::new(LengthHeader::Binary2);
        let mut speaker = Speaker::connect(address, dialect, framing).await;
        let draft = speaker.purchase(&issued.pan, stan, 100);
        let without = speaker.bytes(speaker.mti("100"), &draft);
        assert_eq!(ask(&mut speaker, &module, &without).await.action, refused, "{name}");

        let good = signed(&speaker, &module, &draft);
        let mut bent = good.clone();
        if let Some((_, Value::Bytes(code))) = bent.last_mut() {
            code[3] ^= 1;
        }
        let message = speaker.bytes(speaker.mti("100"), &good);
        let wrong = speaker.bytes(speaker.mti("100"), &bent);
        assert_eq!(ask(&mut speaker, &module, &wrong).await.action, refused, "{name}");
        let balance = stage.services().node().balance(issued.balance).await.expect("known");
        assert_eq!(balance.held, MinorUnits(i64::from(stan - 1) * 100), "{name}: nothing more");
        assert_eq!(ask(&mut speaker, &module, &message).await.action, approved, "{name}");
    }
    stage.end().await;
}
