//! The half that speaks XMPP: PEP nodes with bundle and device list (XEP-0384), and messages. It holds no keys
//! and encrypts nothing: elements are put on XMPP as they came from the mesh, and the other way round.

use chappe_omemo::{Bundle, DeviceId, DeviceList, Flavour, ListedDevice, Message};
use roxmltree::Node;

use crate::Failure;
use crate::stream::{self, Reader, Stanza, Writer};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const DATA_FORM: &str = "jabber:x:data";

pub(crate) struct Gateway {
    writer: Writer,
    peer: String,
}

/// What a stanza means to the device.
pub(crate) enum Read {
    Bundle(DeviceId, Bundle),
    Devices(Vec<DeviceId>),
    Message(Message),
    Nothing,
}

impl Gateway {
    pub(crate) fn log_in(
        address: &str,
        jid: &str,
        password: &str,
        peer: &str,
    ) -> Result<(Self, Reader), Failure> {
        let (writer, reader) = stream::log_in(address, jid, password)?;
        let peer = peer.into();
        Ok((Self { writer, peer }, reader))
    }

    /// Publishes a device for everybody to see: first its bundle, then the list that names it.
    pub(crate) fn publish(&mut self, id: DeviceId, bundle: &Bundle) -> Result<(), Failure> {
        let flavour = bundle.flavour;
        let list = DeviceList {
            devices: vec![ListedDevice { id, label: None }],
        };
        let (node, item) = bundle_node(flavour, id);
        self.publish_item(&node, &item, &bundle.to_xml())?;
        self.publish_item(devices_node(flavour), "current", &list.to_xml(flavour)?)
    }

    pub(crate) fn ask_for_devices(&mut self, flavour: Flavour) -> Result<(), Failure> {
        self.ask(devices_node(flavour), "devices", None)
    }

    pub(crate) fn ask_for_bundle(&mut self, flavour: Flavour, id: DeviceId) -> Result<(), Failure> {
        let (node, item) = bundle_node(flavour, id);
        let item = (item != "current").then_some(item);
        self.ask(&node, &format!("bundle-{id}"), item.as_deref())
    }

    pub(crate) fn send(&mut self, message: &Message) -> Result<(), Failure> {
        self.writer.write(&format!(
            "<message type='chat' to='{}'>{}<store xmlns='urn:xmpp:hints'/></message>",
            self.peer,
            message.to_xml()?
        ))
    }

    /// Finds out what a stanza means. Those of others than the peer mean nothing.
    pub(crate) fn read(&mut self, stanza: &Stanza) -> Result<Read, Failure> {
        let document = stanza.document()?;
        let root = document.root_element();
        let Some(stanza) = root.first_element_child() else {
            return Ok(Read::Nothing);
        };
        let from = stanza.attribute("from").unwrap_or_default();
        let (sender, _) = from.split_once('/').unwrap_or((from, ""));
        let (kind, id) = (stanza.attribute("type"), stanza.attribute("id"));
        if kind == Some("error") {
            return Err(format!("the server says: {}", text(stanza)).into());
        }
        if sender != self.peer {
            return Ok(Read::Nothing);
        }
        if let Some(encrypted) = find(stanza, "encrypted") {
            return Ok(Read::Message(Message::from_xml(&text(encrypted))?));
        }
        match (kind, id.and_then(|id| id.strip_prefix("bundle-"))) {
            (Some("result"), Some(device)) => {
                let device = device.parse().ok().and_then(DeviceId::new);
                let bundle = find(stanza, "bundle").ok_or("the peer has no bundle")?;
                let bundle = Bundle::from_xml(&text(bundle))?;
                Ok(Read::Bundle(device.ok_or("no device id")?, bundle))
            }
            (Some("result"), None) if id == Some("devices") => {
                let list = find(stanza, "devices").or_else(|| find(stanza, "list"));
                let (_, list) = DeviceList::from_xml(&text(list.ok_or("the peer has no list")?))?;
                let devices = list.devices.into_iter().map(|device| device.id).collect();
                Ok(Read::Devices(devices))
            }
            _ => Ok(Read::Nothing),
        }
    }

    fn publish_item(&mut self, node: &str, item: &str, content: &str) -> Result<(), Failure> {
        self.writer.write(&format!(
            "<iq type='set' id='publish-{item}'><pubsub xmlns='{PUBSUB}'>\
             <publish node='{node}'><item id='{item}'>{content}</item></publish>\
             <publish-options><x xmlns='{DATA_FORM}' type='submit'>\
             <field var='FORM_TYPE' type='hidden'><value>{PUBSUB}#publish-options</value></field>\
             <field var='pubsub#access_model'><value>open</value></field>\
             <field var='pubsub#persist_items'><value>true</value></field>\
             </x></publish-options></pubsub></iq>"
        ))
    }

    fn ask(&mut self, node: &str, id: &str, item: Option<&str>) -> Result<(), Failure> {
        let item = item.map_or(String::new(), |item| format!("<item id='{item}'/>"));
        self.writer.write(&format!(
            "<iq type='get' id='{id}' to='{}'><pubsub xmlns='{PUBSUB}'>\
             <items node='{node}'>{item}</items></pubsub></iq>",
            self.peer
        ))
    }
}

/// The node and item of a device's bundle.
fn bundle_node(flavour: Flavour, id: DeviceId) -> (String, String) {
    match flavour {
        Flavour::Legacy => (
            format!("{}.bundles:{id}", flavour.namespace()),
            "current".into(),
        ),
        _ => (format!("{}:bundles", flavour.namespace()), id.to_string()),
    }
}

fn devices_node(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Legacy => "eu.siacs.conversations.axolotl.devicelist",
        _ => "urn:xmpp:omemo:2:devices",
    }
}

/// An element of OMEMO, of either flavour, somewhere in a stanza.
fn find<'a, 'input>(stanza: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    stanza.descendants().find(|node| {
        [Flavour::Legacy, Flavour::Omemo2]
            .iter()
            .any(|flavour| node.has_tag_name((flavour.namespace(), name)))
    })
}

/// An element as it was written.
fn text(node: Node<'_, '_>) -> String {
    let document = node.document().input_text();
    document.get(node.range()).unwrap_or_default().into()
}
