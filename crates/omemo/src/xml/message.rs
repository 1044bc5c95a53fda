//! `<encrypted/>`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use roxmltree::Node;

use super::element::{at_most_one, bytes, children, flag, number, only, parse, push_bytes};
use super::{MAX_KEYS, XmlError, flavour_of};
use crate::DeviceId;
use crate::flavour::Flavour;
use crate::message::{DeviceKey, Message};
use crate::payload::Iv;
use crate::sce::MAX_JID_LEN;
use crate::sce::escape::push_escaped;
use crate::session::EncryptedKey;

impl Message {
    /// Writes the `<encrypted/>` of its flavour.
    ///
    /// # Errors
    /// [`XmlError::Invalid`] if nobody gets a key, an address is missing or XML cannot carry it, or the `<iv/>`
    /// is missing.
    pub fn to_xml(&self) -> Result<String, XmlError> {
        if self.keys.is_empty() {
            return Err(XmlError::Invalid("keys"));
        }
        let mut out = format!(
            "<encrypted xmlns='{}'><header sid='{}'>",
            self.flavour.namespace(),
            self.sender
        );
        match self.flavour {
            Flavour::Legacy => self.write_legacy_keys(&mut out)?,
            Flavour::Omemo2 => self.write_keys(&mut out)?,
        }
        out.push_str("</header>");
        if let Some(payload) = &self.payload {
            push_bytes(&mut out, "payload", "", payload);
        }
        out.push_str("</encrypted>");
        Ok(out)
    }

    /// Reads an `<encrypted/>` of either flavour. Keys for devices whose ids are out of range are left out.
    ///
    /// # Errors
    /// [`XmlError`] says what is wrong.
    pub fn from_xml(xml: &str) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let root = document.root_element();
        let flavour = flavour_of(root, |_| "encrypted").ok_or(XmlError::Kind)?;
        let header = only(root, "header")?;
        let mut keys = Vec::new();
        match flavour {
            Flavour::Legacy => read_keys(&mut keys, header, None, "prekey")?,
            Flavour::Omemo2 => {
                for account in children(header, "keys") {
                    let jid = account
                        .attribute("jid")
                        .filter(|jid| jid.len() <= MAX_JID_LEN);
                    let jid = jid.ok_or(XmlError::Invalid("keys"))?;
                    read_keys(&mut keys, account, Some(jid), "kex")?;
                }
            }
        }
        let payload = at_most_one(root, "payload")?;
        Ok(Self {
            flavour,
            sender: number(header, "sid")
                .and_then(DeviceId::new)
                .ok_or(XmlError::Invalid("header"))?,
            keys,
            payload: payload.map(|node| bytes(node, "payload")).transpose()?,
            iv: match flavour {
                Flavour::Legacy => Some(read_iv(header)?),
                Flavour::Omemo2 => None,
            },
        })
    }

    /// `<keys jid=''>` for each account, and in it `<key rid='' kex=''/>` for each device.
    fn write_keys(&self, out: &mut String) -> Result<(), XmlError> {
        let mut accounts: BTreeMap<&str, Vec<&DeviceKey>> = BTreeMap::new();
        for key in &self.keys {
            let jid = key.jid.as_deref().ok_or(XmlError::Invalid("keys"))?;
            accounts.entry(jid).or_default().push(key);
        }
        for (jid, keys) in accounts {
            out.push_str("<keys jid='");
            push_escaped(out, jid).map_err(|_| XmlError::Invalid("keys"))?;
            out.push_str("'>");
            for DeviceKey { device, key, .. } in keys {
                let kex = if key.key_exchange { " kex='true'" } else { "" };
                push_bytes(out, "key", &format!(" rid='{device}'{kex}"), &key.key);
            }
            out.push_str("</keys>");
        }
        Ok(())
    }

    /// `<key rid='' prekey=''/>` for each device, whosever it is, and `<iv/>`.
    fn write_legacy_keys(&self, out: &mut String) -> Result<(), XmlError> {
        for DeviceKey { device, key, .. } in &self.keys {
            // Written out in both cases, since some clients want it.
            let attributes = format!(" rid='{device}' prekey='{}'", key.key_exchange);
            push_bytes(out, "key", &attributes, &key.key);
        }
        let iv = self.iv.ok_or(XmlError::Invalid("iv"))?;
        push_bytes(out, "iv", "", &iv);
        Ok(())
    }
}

fn read_keys(
    keys: &mut Vec<DeviceKey>,
    parent: Node<'_, '_>,
    jid: Option<&str>,
    key_exchange: &'static str,
) -> Result<(), XmlError> {
    for key in children(parent, "key") {
        if keys.len() >= MAX_KEYS {
            return Err(XmlError::TooLong);
        }
        let Some(device) = number(key, "rid").and_then(DeviceId::new) else {
            continue;
        };
        keys.push(DeviceKey {
            jid: jid.map(String::from),
            device,
            key: EncryptedKey {
                key_exchange: flag(key, key_exchange)?,
                key: bytes(key, "key")?,
            },
        });
    }
    Ok(())
}

fn read_iv(header: Node<'_, '_>) -> Result<Iv, XmlError> {
    bytes(only(header, "iv")?, "iv")?
        .try_into()
        .map_err(|_| XmlError::Invalid("iv"))
}
