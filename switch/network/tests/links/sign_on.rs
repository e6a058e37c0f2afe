//! Sign-on, sign-off and echo.

use crate::rig::{DIALECTS, Rig};

#[tokio::test]
async fn where_sign_on_is_required_purchases_wait_for_it() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| config.sign_on_required = true);
        let (mut one, mut two) = (rig.connect().await, rig.connect().await);
        assert_eq!(one.ask(&rig.request(1)).await.text(39), "91");
        assert_eq!(one.ask(&rig.network(2, "301")).await.text(39), "00", "an echo needs none");
        assert_eq!(one.ask(&rig.reversal(3, 1)).await.text(39), "00", "a reversal needs none");

        assert_eq!(one.ask(&rig.network(4, "001")).await.text(39), "00");
        assert_eq!(rig.metric("cardswitch_link_signed_on", ""), 1.0);
        for peer in [&mut one, &mut two] {
            assert_eq!(peer.ask(&rig.request(5)).await.text(39), "00");
        }
        assert_eq!(two.ask(&rig.network(6, "002")).await.text(39), "00");
        assert_eq!(rig.metric("cardswitch_link_signed_on", ""), 0.0);
        assert_eq!(one.ask(&rig.request(7)).await.text(39), "91");
        assert_eq!(rig.script.commands().len(), 3, "what is refused never reaches the switch");
    }
}

#[tokio::test]
async fn where_it_is_not_required_purchases_do_not_wait() {
    let rig = Rig::start("iso87-ascii");
    assert_eq!(rig.connect().await.ask(&rig.request(1)).await.text(39), "00");
}
