//! Trust messages (XEP-0434 0.6.0): what somebody says about keys.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use crate::flavour::Flavour;
use crate::sce::escape::push_escaped;
use crate::sce::{MAX_JID_LEN, SceError};

/// The most accounts that a message may speak of.
pub const MAX_OWNERS: usize = 64;
/// The most keys of an account that a message may trust, and as many that it may distrust.
pub const MAX_KEYS_OF_OWNER: usize = 128;

/// The XML namespace of trust messages.
pub(crate) const NAMESPACE: &str = "urn:xmpp:tm:1";
/// The usage of automatic trust management (XEP-0450).
const USAGE: &str = "urn:xmpp:atm:1";
/// What a URI is for that says as much (XEP-0147).
pub(super) const USAGE_URI: &str = "trust-message";

const INVALID: SceError = SceError::Invalid("trust-message");

/// What a device says about keys. It is worth as much as the device that sent it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustMessage {
    /// The flavour that the keys are written for.
    pub flavour: Flavour,
    /// The accounts whose keys are spoken of.
    pub owners: Vec<KeyOwner>,
}

/// What a device says about the keys of one account. A key is written as in its bundle, without type byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    /// The account.
    pub jid: String,
    /// Keys that are its.
    pub trusted: Vec<[u8; 32]>,
    /// Keys that must not be used.
    pub distrusted: Vec<[u8; 32]>,
}

impl TrustMessage {
    /// ```text
    /// <trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' encryption='urn:xmpp:omemo:2'>
    ///   <key-owner jid='...'><trust>base64</trust><distrust>base64</distrust></key-owner>
    /// </trust-message>
    /// ```
    pub(crate) fn write(&self, out: &mut String) -> Result<(), SceError> {
        if self.owners.len() > MAX_OWNERS {
            return Err(INVALID);
        }
        let encryption = self.flavour.namespace();
        out.push_str(&format!(
            "<trust-message xmlns='{NAMESPACE}' usage='{USAGE}' encryption='{encryption}'>"
        ));
        for owner in &self.owners {
            out.push_str("<key-owner jid='");
            push_escaped(out, &owner.jid)?;
            out.push_str("'>");
            for (name, keys) in [("trust", &owner.trusted), ("distrust", &owner.distrusted)] {
                if keys.len() > MAX_KEYS_OF_OWNER {
                    return Err(INVALID);
                }
                for key in keys {
                    out.push_str(&format!("<{name}>{}</{name}>", STANDARD.encode(key)));
                }
            }
            out.push_str("</key-owner>");
        }
        out.push_str("</trust-message>");
        Ok(())
    }

    /// Reads one, or `None` if it is for another use or encryption.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Option<Self>, SceError> {
        let encryption = node.attribute("encryption");
        let flavour = [Flavour::Legacy, Flavour::Omemo2]
            .into_iter()
            .find(|flavour| encryption == Some(flavour.namespace()));
        let (Some(flavour), Some(USAGE)) = (flavour, node.attribute("usage")) else {
            return Ok(None);
        };
        let mut owners = Vec::new();
        for owner in node
            .children()
            .filter(|child| child.has_tag_name((NAMESPACE, "key-owner")))
        {
            if owners.len() >= MAX_OWNERS {
                return Err(INVALID);
            }
            let jid = owner
                .attribute("jid")
                .filter(|jid| !jid.is_empty() && jid.len() <= MAX_JID_LEN);
            owners.push(KeyOwner {
                jid: jid.ok_or(INVALID)?.into(),
                trusted: keys(owner, "trust")?,
                distrusted: keys(owner, "distrust")?,
            });
        }
        Ok(Some(Self { flavour, owners }))
    }
}

fn keys(owner: Node<'_, '_>, name: &str) -> Result<Vec<[u8; 32]>, SceError> {
    let mut keys = Vec::new();
    for node in owner
        .children()
        .filter(|child| child.has_tag_name((NAMESPACE, name)))
    {
        let text = node.text().unwrap_or_default().trim_ascii();
        let key = STANDARD
            .decode(text)
            .ok()
            .and_then(|key| key.try_into().ok());
        if keys.len() >= MAX_KEYS_OF_OWNER {
            return Err(INVALID);
        }
        keys.push(key.ok_or(INVALID)?);
    }
    Ok(keys)
}
