//! The tests of the other files in one program, without those that need other programs. It is built only where many
//! builds follow each other: `cargo xtask omemo-mutants`.

#[path = "attacks.rs"]
mod attacks;
#[path = "ciphermachine.rs"]
mod ciphermachine;
#[path = "contents.rs"]
mod contents;
#[path = "crossing_starts.rs"]
mod crossing_starts;
#[path = "device_lists.rs"]
mod device_lists;
#[path = "failure_changes_nothing.rs"]
mod failure_changes_nothing;
#[path = "key_elements.rs"]
mod key_elements;
#[path = "key_exchange.rs"]
mod key_exchange;
#[path = "lost_in_a_row.rs"]
mod lost_in_a_row;
#[path = "many_devices.rs"]
mod many_devices;
#[path = "no_secrets_in_debug.rs"]
mod no_secrets_in_debug;
#[path = "no_server.rs"]
mod no_server;
#[path = "order_and_loss.rs"]
mod order_and_loss;
#[path = "points.rs"]
mod points;
#[path = "restart.rs"]
mod restart;
#[path = "sce_hostile.rs"]
mod sce_hostile;
#[path = "sce_round_trip.rs"]
mod sce_round_trip;
#[path = "trust.rs"]
mod trust;
#[path = "vectors.rs"]
mod vectors;
#[path = "xml.rs"]
mod xml;
