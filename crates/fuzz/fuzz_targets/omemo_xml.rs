//! XML of a stranger: what is read can be written, and is read again as the same.
#![no_main]

use chappe_omemo::{Bundle, DeviceList, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(message) = Message::from_xml(text)
        && !message.keys.is_empty()
    {
        let again = Message::from_xml(&message.to_xml().unwrap()).unwrap();
        // Keys are grouped by account when they are written.
        assert_eq!(again.keys.len(), message.keys.len());
        assert_eq!(
            (again.sender, again.payload),
            (message.sender, message.payload)
        );
    }
    if let Ok(bundle) = Bundle::from_xml(text) {
        assert_eq!(Bundle::from_xml(&bundle.to_xml()).unwrap(), bundle);
    }
    if let Ok((flavour, list)) = DeviceList::from_xml(text)
        && let Ok(xml) = list.to_xml(flavour)
    {
        assert_eq!(
            DeviceList::from_xml(&xml).unwrap().1.devices.len(),
            list.devices.len()
        );
    }
});
