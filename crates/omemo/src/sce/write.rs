//! Writing of envelopes.

use alloc::format;
use alloc::string::String;

use rand_core::CryptoRng;

use super::escape::push_escaped;
use super::{Content, MAX_JID_LEN, MAX_XML_LEN, SceError};

/// The longest padding, in characters.
pub const MAX_PADDING: usize = 4_096;

/// How many characters `<rpad/>` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// 0 to 200, at random, as XEP-0420 advises.
    Random,
    /// So many, at most [`MAX_PADDING`]. Zero where the message is padded outside, as in sealed envelopes.
    Exactly(usize),
}

impl Content {
    /// Writes the envelope. `<rpad/>` is always there.
    ///
    /// ```text
    /// <envelope xmlns='urn:xmpp:sce:1'>
    ///   <content><body xmlns='jabber:client'>...</body><file-sharing xmlns='urn:xmpp:sfs:0'>...</file-sharing>
    ///     <trust-message xmlns='urn:xmpp:tm:1'>...</trust-message></content>
    ///   <rpad>...</rpad><from jid='...'/><to jid='...'/><time stamp='...'/>
    /// </envelope>
    /// ```
    ///
    /// # Errors
    /// [`SceError::NotXml`] for control characters, [`SceError::Invalid`] for a field that is too long or
    /// not allowed, [`SceError::TooLong`] above [`MAX_XML_LEN`].
    pub fn to_xml(&self, rng: &mut impl CryptoRng, padding: Padding) -> Result<String, SceError> {
        let mut out = String::from("<envelope xmlns='urn:xmpp:sce:1'><content>");
        if let Some(body) = &self.body {
            out.push_str("<body xmlns='jabber:client'>");
            push_escaped(&mut out, body)?;
            out.push_str("</body>");
        }
        if let Some(file) = &self.file {
            file.write(&mut out)?;
        }
        if let Some(trust) = &self.trust {
            trust.write(&mut out)?;
        }
        out.push_str("</content><rpad>");
        push_padding(&mut out, rng, padding)?;
        out.push_str("</rpad>");
        push_address(&mut out, "from", &self.from)?;
        if let Some(to) = &self.to {
            push_address(&mut out, "to", to)?;
        }
        if let Some(time) = &self.time {
            out.push_str(&format!("<time stamp='{time}'/>"));
        }
        out.push_str("</envelope>");
        if out.len() > MAX_XML_LEN {
            return Err(SceError::TooLong);
        }
        Ok(out)
    }
}

fn push_address(out: &mut String, name: &'static str, jid: &str) -> Result<(), SceError> {
    if jid.is_empty() || jid.len() > MAX_JID_LEN {
        return Err(SceError::Invalid(name));
    }
    out.push_str(&format!("<{name} jid='"));
    push_escaped(out, jid)?;
    out.push_str("'/>");
    Ok(())
}

fn push_padding(
    out: &mut String,
    rng: &mut impl CryptoRng,
    padding: Padding,
) -> Result<(), SceError> {
    let length = match padding {
        Padding::Random => (rng.next_u32() % 201) as usize,
        Padding::Exactly(length) if length <= MAX_PADDING => length,
        Padding::Exactly(_) => return Err(SceError::Invalid("rpad")),
    };
    for _ in 0..length {
        // 64 characters that XML leaves alone, so that the length in bytes is exact.
        let character = match (rng.next_u32() & 63) as u8 {
            letter @ 0..=25 => b'A' + letter,
            letter @ 26..=51 => b'a' + letter - 26,
            digit @ 52..=61 => b'0' + digit - 52,
            62 => b'-',
            _ => b'_',
        };
        out.push(char::from(character));
    }
    Ok(())
}
