//! Messages of a scenario as texts and files.

use chappe_node::{Content, Draft, MAX_FILE_LEN, MAX_TEXT_LEN};

use crate::event::{MessageEvent, MessageIndex};

/// What is sent for a message: it begins with its number, or the file is called by it. `None` if it is too large.
pub(super) fn draft(message: &MessageEvent) -> Option<Draft> {
    let size = usize::try_from(message.size.get()).ok()?;
    let number = message.index.get().to_string();
    if size <= MAX_TEXT_LEN {
        return Some(Draft::Text(format!("{number:.<size$}")));
    }
    (size <= MAX_FILE_LEN).then(|| Draft::File {
        name: number,
        media_type: "application/octet-stream".to_owned(),
        data: vec![0; size],
    })
}

/// Which message this is; `None` where it is none of the scenario.
pub(super) fn message_of(content: &Content) -> Option<MessageIndex> {
    let text = match content {
        Content::Text(text) => text.as_str(),
        Content::File(file) => file.name.as_str(),
        _ => return None,
    };
    let number = text.trim_end_matches('.');
    number.parse().ok().map(MessageIndex::new)
}
