//! What keeps a machine from Wi-Fi Direct is said in one sentence.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use chappe_wifi_direct::{Bus, Radio, RadioError, RadioOptions, examine};

#[tokio::test]
async fn no_bus_is_told_at_the_start_and_by_the_examination() {
    let options = RadioOptions {
        interface: "wlan0".to_owned(),
        bus: Bus::At("unix:path=/nonexistent/bus".to_owned()),
    };
    let error = Radio::start(options.clone()).await.unwrap_err();
    assert!(matches!(error, RadioError::NoBus(_)), "{error:?}");
    let findings = examine(&options).await;
    let sentence = "there is no D-Bus at this address: start dbus, or name another with bus=";
    assert!(
        findings
            .iter()
            .any(|finding| !finding.ok && finding.says.starts_with(sentence)),
        "{findings:?}"
    );
}
