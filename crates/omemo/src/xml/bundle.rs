//! `<bundle/>`.

use alloc::format;
use alloc::string::String;

use roxmltree::Node;

use super::element::{bytes, children, number, only, parse, push_bytes};
use super::{XmlError, flavour_of};
use crate::bundle::{Bundle, MAX_BUNDLE_PREKEYS, PreKey};
use crate::flavour::Flavour;
use crate::{PreKeyId, SignedPreKeyId};

/// What the parts of a bundle are called.
struct Names {
    signed_prekey: &'static str,
    signed_prekey_id: &'static str,
    signature: &'static str,
    identity: &'static str,
    prekey: &'static str,
    prekey_id: &'static str,
}

const LEGACY: Names = Names {
    signed_prekey: "signedPreKeyPublic",
    signed_prekey_id: "signedPreKeyId",
    signature: "signedPreKeySignature",
    identity: "identityKey",
    prekey: "preKeyPublic",
    prekey_id: "preKeyId",
};

const OMEMO2: Names = Names {
    signed_prekey: "spk",
    signed_prekey_id: "id",
    signature: "spks",
    identity: "ik",
    prekey: "pk",
    prekey_id: "id",
};

const fn names(flavour: Flavour) -> &'static Names {
    match flavour {
        Flavour::Legacy => &LEGACY,
        Flavour::Omemo2 => &OMEMO2,
    }
}

impl Bundle {
    /// Writes the `<bundle/>` of its flavour. One without prekeys, with which nobody can start, is not valid.
    pub fn to_xml(&self) -> String {
        let names = names(self.flavour);
        let key = |key| self.flavour.encode_key(key);
        let mut out = format!("<bundle xmlns='{}'>", self.flavour.namespace());
        let id = format!(" {}='{}'", names.signed_prekey_id, self.signed_prekey_id);
        push_bytes(
            &mut out,
            names.signed_prekey,
            &id,
            &key(&self.signed_prekey),
        );
        push_bytes(&mut out, names.signature, "", &self.signature);
        push_bytes(&mut out, names.identity, "", &key(&self.identity));
        out.push_str("<prekeys>");
        for prekey in &self.prekeys {
            let id = format!(" {}='{}'", names.prekey_id, prekey.id);
            push_bytes(&mut out, names.prekey, &id, &key(&prekey.key));
        }
        out.push_str("</prekeys></bundle>");
        out
    }

    /// Reads a `<bundle/>` of either flavour. Its keys and signature are not verified by this.
    ///
    /// # Errors
    /// [`XmlError`] says what is wrong.
    pub fn from_xml(xml: &str) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let root = document.root_element();
        let flavour = flavour_of(root, |_| "bundle").ok_or(XmlError::Kind)?;
        let names = names(flavour);
        let key = |node: Node<'_, '_>, name| {
            flavour
                .decode_key(&bytes(node, name)?)
                .map_err(|_| XmlError::Invalid(name))
        };
        let signed_prekey = only(root, names.signed_prekey)?;
        let mut prekeys = alloc::vec::Vec::new();
        for prekey in children(only(root, "prekeys")?, names.prekey) {
            if prekeys.len() >= MAX_BUNDLE_PREKEYS {
                return Err(XmlError::TooLong);
            }
            prekeys.push(PreKey {
                id: number(prekey, names.prekey_id)
                    .and_then(PreKeyId::new)
                    .ok_or(XmlError::Invalid(names.prekey))?,
                key: key(prekey, names.prekey)?,
            });
        }
        Ok(Self {
            flavour,
            identity: key(only(root, names.identity)?, names.identity)?,
            signed_prekey_id: number(signed_prekey, names.signed_prekey_id)
                .and_then(SignedPreKeyId::new)
                .ok_or(XmlError::Invalid(names.signed_prekey))?,
            signed_prekey: key(signed_prekey, names.signed_prekey)?,
            signature: bytes(only(root, names.signature)?, names.signature)?
                .try_into()
                .map_err(|_| XmlError::Invalid(names.signature))?,
            prekeys,
        })
    }
}
