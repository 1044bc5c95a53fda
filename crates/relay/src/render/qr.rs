//! QR codes on a terminal, two modules per character.

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code; scanners want four, and most do with two.
const QUIET: i32 = 2;

/// The QR code of `text` in half blocks; `None` if it is too long. Light modules are drawn, so that it can be
/// scanned from a dark terminal; with `colours` it is black on white anywhere.
pub(crate) fn half_blocks(text: &str, colours: bool) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let edge = code.size() + QUIET;
    let light = |x, y| !code.get_module(x, y);
    let mut lines = String::new();
    for y in (-QUIET..edge).step_by(2) {
        if colours {
            lines.push_str("\x1b[97;40m");
        }
        for x in -QUIET..edge {
            lines.push(match (light(x, y), y + 1 < edge && light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        if colours {
            lines.push_str("\x1b[0m");
        }
        lines.push('\n');
    }
    Some(lines)
}
