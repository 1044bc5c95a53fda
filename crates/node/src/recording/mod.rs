//! The recording of a node: all that went into it and all that came out, as lines of text, so that the same code can be given the
//! same again. Whoever holds one holds the node's keys, messages and randomness: it is for disposable test identities only.
//!
//! ```text
//! chappe-recording 2                                   the first line of the file
//! start NOW SEED                                       a node is built ...
//! config ROLE...                                       ... set up like this ...
//! stored TABLE KEY VALUE                               ... over a store with these entries, in order
//! answer CALL free BYTES | lost COMMITS | error WHAT   what the store said at its CALLth call since `start`, from 1,
//!                                                      where that depends on the disk and not on what was put there
//! ready | refused WHY                                  the node is built, or not
//! in NOW KIND...                                       an input
//! out KIND...                                          an output
//! end                                                  the node was closed; without it, the recording broke off
//! ```
//!
//! Words are parted by one space. A number is decimal; times are in microseconds, sizes in bytes. Bytes are `x` and hexadecimal
//! digits. A text is `=` and its UTF-8, where spaces, control characters and `%` are written as `%` and two hexadecimal digits.
//! A flag is `yes` or `no`; `-` stands for what there is none of. Lists begin with their length. The fields of each kind come
//! in the order of [`Input`], [`Output`] and what they hold.
//!
//! An `out` comes for each call of [`Node::poll_output`], an `in` for each of [`Node::handle_input`] before it is made, so
//! that the input that a node could not survive is there. An `answer` stands after the line whose call led to it. After a
//! `StoreFailed` another `start` may follow.
//!
//! [`Node::poll_output`]: crate::Node::poll_output
//! [`Node::handle_input`]: crate::Node::handle_input
//! [`Input`]: crate::Input
//! [`Output`]: crate::Output

mod entry;
mod input;
mod output;
mod replay;
mod start;
mod store;
mod watched;
mod words;

pub use entry::{Answer, Entry, EntryError, RecordedInput};
pub use input::input;
pub use output::output;
pub use replay::{Difference, Ending, Replay};
pub use start::{END, FIRST_LINE, ready, start, stored};
pub use watched::{Sink, Watched};
