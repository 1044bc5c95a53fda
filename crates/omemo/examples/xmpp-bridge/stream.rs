//! As much of XMPP's streams (RFC 6120) as an account on a server of the same machine needs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Document;

use crate::Failure;

/// The longest stanza that is taken, in bytes.
const MAX_STANZA_LEN: usize = 1 << 20;

const CLIENT: &str = "jabber:client";
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// The half that writes.
pub(crate) struct Writer(TcpStream);

/// The half that reads.
pub(crate) struct Reader {
    stream: TcpStream,
    /// What has come and was not taken yet.
    bytes: Vec<u8>,
}

/// One element on the top of a stream, as text, with the namespaces of the stream around it.
pub(crate) struct Stanza(String);

impl Stanza {
    /// The stanza's document; the stanza is the only child of the root.
    pub(crate) fn document(&self) -> Result<Document<'_>, Failure> {
        Document::parse(&self.0).map_err(|error| error.to_string().into())
    }
}

/// Logs in with SASL PLAIN and binds a resource.
pub(crate) fn log_in(
    address: &str,
    jid: &str,
    password: &str,
) -> Result<(Writer, Reader), Failure> {
    let (user, host) = jid.split_once('@').ok_or("the address has no @")?;
    let stream = TcpStream::connect(address)?;
    let mut writer = Writer(stream.try_clone()?);
    let mut reader = Reader {
        stream,
        bytes: Vec::new(),
    };
    writer.open(host)?;
    reader.opening()?;
    let response = STANDARD.encode(format!("\0{user}\0{password}"));
    writer.write(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{response}</auth>"
    ))?;
    let answer = reader.stanza()?;
    if !answer.0.contains("<success") {
        return Err("the server refused the password".into());
    }
    writer.open(host)?;
    reader.opening()?;
    writer.write(
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>\
         <presence/>",
    )?;
    Ok((writer, reader))
}

impl Writer {
    pub(crate) fn write(&mut self, xml: &str) -> Result<(), Failure> {
        Ok(self.0.write_all(xml.as_bytes())?)
    }

    fn open(&mut self, host: &str) -> Result<(), Failure> {
        self.write(&format!(
            "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xmlns='{CLIENT}' \
             xmlns:stream='{STREAMS}'>"
        ))
    }
}

impl Reader {
    /// Waits for the next stanza.
    pub(crate) fn stanza(&mut self) -> Result<Stanza, Failure> {
        loop {
            if let Some(length) = first_element(&self.bytes) {
                let text: Vec<u8> = self.bytes.drain(..length).collect();
                let text = String::from_utf8(text)?;
                return Ok(Stanza(format!(
                    "<stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>{text}</stream>"
                )));
            }
            self.more()?;
        }
    }

    /// Waits for a stream's opening tag and the features after it.
    fn opening(&mut self) -> Result<(), Failure> {
        let end = b"<stream:features";
        loop {
            let at = self.bytes.windows(end.len()).position(|part| part == end);
            if let Some(at) = at {
                self.bytes.drain(..at);
                return self.stanza().map(drop);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<(), Failure> {
        if self.bytes.len() > MAX_STANZA_LEN {
            return Err("a stanza is too long".into());
        }
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer)?;
        if read == 0 {
            return Err("the server closed the stream".into());
        }
        self.bytes.extend(buffer.iter().take(read));
        Ok(())
    }
}

/// Where the first element ends, if it is whole. XMPP has no comments, no declarations and no sections.
fn first_element(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let open = at + bytes.get(at..)?.iter().position(|&byte| byte == b'<')?;
        let close = open + end_of_tag(bytes.get(open..)?)?;
        let closing = bytes.get(open + 1) == Some(&b'/');
        let empty = close > 0 && bytes.get(close - 1) == Some(&b'/');
        match (closing, empty) {
            (true, _) => depth = depth.checked_sub(1)?,
            (false, true) => {}
            (false, false) => depth += 1,
        }
        at = close + 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where the `>` of a tag is: not in the quotes of an attribute.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    bytes.iter().position(|&byte| {
        match quote {
            Some(open) if open == byte => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
        byte == b'>' && quote.is_none()
    })
}
