//! Bluetooth LE: neighbours found, and links to them.
