//! `<devices/>`, which the legacy flavour calls `<list/>`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::element::{children, number, parse};
use super::{XmlError, flavour_of};
use crate::DeviceId;
use crate::device_list::{DeviceList, ListedDevice, MAX_DEVICES, SignedLabel};
use crate::flavour::Flavour;
use crate::sce::escape::push_escaped;

const fn root_name(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Legacy => "list",
        Flavour::Omemo2 => "devices",
    }
}

impl DeviceList {
    /// Writes the list of a flavour. The legacy one has no labels.
    ///
    /// # Errors
    /// [`XmlError::Invalid`] if a label has characters that XML cannot carry.
    pub fn to_xml(&self, flavour: Flavour) -> Result<String, XmlError> {
        let root = root_name(flavour);
        let mut out = format!("<{root} xmlns='{}'>", flavour.namespace());
        for device in &self.devices {
            out.push_str(&format!("<device id='{}'", device.id));
            if let (Flavour::Omemo2, Some(label)) = (flavour, &device.label) {
                out.push_str(" label='");
                push_escaped(&mut out, label.unverified_text())
                    .map_err(|_| XmlError::Invalid("device"))?;
                out.push_str(&format!(
                    "' labelsig='{}'",
                    STANDARD.encode(label.signature())
                ));
            }
            out.push_str("/>");
        }
        out.push_str(&format!("</{root}>"));
        Ok(out)
    }

    /// Reads a list of either flavour. A label without a signature is left out, and so are devices whose ids
    /// are out of range: nobody could send to them.
    ///
    /// # Errors
    /// [`XmlError`] says what is wrong.
    pub fn from_xml(xml: &str) -> Result<(Flavour, Self), XmlError> {
        let document = parse(xml)?;
        let root = document.root_element();
        let flavour = flavour_of(root, root_name).ok_or(XmlError::Kind)?;
        let devices: Vec<_> = children(root, "device")
            .filter_map(read_device)
            .take(MAX_DEVICES + 1)
            .collect();
        if devices.len() > MAX_DEVICES {
            return Err(XmlError::TooLong);
        }
        Ok((flavour, Self { devices }))
    }
}

fn read_device(device: Node<'_, '_>) -> Option<ListedDevice> {
    let signature = device
        .attribute("labelsig")
        .and_then(|text| STANDARD.decode(text.trim_ascii()).ok())
        .and_then(|bytes| bytes.try_into().ok());
    let label = device.attribute("label").zip(signature);
    Some(ListedDevice {
        id: number(device, "id").and_then(DeviceId::new)?,
        label: label.map(|(text, signature)| SignedLabel::unverified(text.into(), signature)),
    })
}
