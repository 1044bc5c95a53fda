//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::radio::Radio;

/// Encrypted messages over whatever links devices have, with no server.
#[derive(Debug, Parser)]
#[command(
    name = "chappe",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Say more on standard error; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node lives, and how it is unlocked.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// The folder of the node [default: $CHAPPE_HOME, or chappe in the data folder of the user]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Read the passphrase from this file descriptor instead of asking
    #[arg(long, global = true, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a node: its keys are made here and now
    Init(Init),
    /// Make a fresh contact URI and show it, as text and as a QR code
    Id(Id),
    /// Add, verify, lock, block or remove a contact
    #[command(subcommand)]
    Contact(Contact),
    /// List the contacts
    Contacts(Format),
    /// Make, list, change or leave a room, or say something there
    #[command(subcommand)]
    Room(Room),
    /// Run the node until Ctrl-C
    Run(Run),
    /// Send a text, a file or standard input
    Send(Send),
    /// Show what arrived, or delete some of it
    Inbox(Inbox),
    /// Show what was sent, and how far it is
    Outbox(Format),
    /// Show counters and gauges
    Status(Format),
    /// Show the neighbours
    Peers(Format),
    /// Show the envelopes that this node carries, as any stranger sees them
    Carried(Format),
    /// Look for what is wrong, and say what to do
    Doctor(Doctor),
    /// Say who hears whom in a local air, and how well
    #[command(subcommand)]
    Air(Air),
    /// Show the main job: two people out of range of each other, and a relay that cannot read
    Demo(Demo),
}

#[derive(Debug, Args)]
pub(crate) struct Format {
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The name that contacts see first
    #[arg(long, required_unless_present = "relay", conflicts_with = "relay")]
    pub(crate) name: Option<String>,
    /// The bare JID [default: made from the identity key]
    #[arg(long, requires = "name")]
    pub(crate) jid: Option<String>,
    /// A relay: carries for others, has no person
    #[arg(long)]
    pub(crate) relay: bool,
    /// Lock the home with a passphrase that is asked for at each start
    #[arg(long)]
    pub(crate) passphrase: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Id {
    #[command(flatten)]
    pub(crate) format: Format,
    /// No QR code
    #[arg(long)]
    pub(crate) no_qr: bool,
    /// Make the contact URIs useless that nobody has used, and make no new one
    #[arg(long)]
    pub(crate) forget: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contact {
    /// Add the person behind a contact URI
    Add {
        /// The chappe: URI, or - to read it from standard input
        uri: String,
        /// What to call the contact here
        #[arg(long)]
        name: Option<String>,
        /// The URI was scanned face to face: the contact is verified
        #[arg(long)]
        scanned: bool,
    },
    /// Compare a short number with a contact, and mark it as verified
    Verify {
        /// The contact
        name: String,
        /// The number that the other side shows, instead of asking
        #[arg(long)]
        number: Option<String>,
    },
    /// Take no more messages from a contact
    Block {
        /// The contact
        name: String,
    },
    /// Take messages from a contact again
    Unblock {
        /// The contact
        name: String,
    },
    /// Lock what goes between you with a further key that no network has seen: it is typed in, or shown with --new
    Lock(Lock),
    /// Lock no more, and forget the further keys
    Unlock {
        /// The contact
        name: String,
    },
    /// Forget a contact, with its keys
    Rm {
        /// The contact
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Room {
    /// Make a room with some contacts: what is said there is one envelope for all of them
    New {
        /// What to call it
        name: String,
        /// Who is in it
        #[arg(required = true, value_name = "CONTACT")]
        contacts: Vec<String>,
    },
    /// List the rooms
    List(Format),
    /// Say something in a room
    Send(RoomSend),
    /// Take contacts into a room that was made here
    Add {
        /// The room
        name: String,
        /// Who comes in
        #[arg(required = true, value_name = "CONTACT")]
        contacts: Vec<String>,
    },
    /// Take contacts out of a room that was made here: those who have heard of it speak with other keys from then on
    Rm {
        /// The room
        name: String,
        /// Who goes
        #[arg(required = true, value_name = "CONTACT")]
        contacts: Vec<String>,
    },
    /// Leave a room, for good; one that was made here is over then
    Leave {
        /// The room
        name: String,
    },
    /// Free a message of yours to a room wherever it is carried; who has read it keeps it
    TakeBack {
        /// Its number in the outbox
        id: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RoomSend {
    /// The room
    pub(crate) name: String,
    /// The text, or - for standard input
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Lock {
    /// The contact
    pub(crate) name: String,
    /// Draw a key and show it, as words and as a QR code, for the other side to type in or scan
    #[arg(long)]
    pub(crate) new: bool,
    /// What is typed in is a passphrase that both agreed on; six random words are good
    #[arg(long, conflicts_with = "new")]
    pub(crate) passphrase: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Run {
    /// Settings of the node; what the command line says goes before them
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A radio, as often as there are: ble:hci0 is Bluetooth LE, wifi-direct:wlan0 is Wi-Fi Direct; air:DIR[,name=NAME] is
    /// a folder that is the air between nodes of one machine
    #[arg(long = "radio", value_name = "RADIO")]
    pub(crate) radios: Vec<Radio>,
    /// Run a relay; an empty home is made into one
    #[arg(long)]
    pub(crate) relay: bool,
    /// Keep everything in memory and forget it at the end (with --relay)
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// Write all packets of all links to this file (pcap)
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
    /// Record all inputs and outputs of the node in this new file, for `chappe-sim replay-node`. It holds all keys and
    /// messages: for disposable test identities only
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The contact
    pub(crate) contact: String,
    /// The text, or - for standard input
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) text: Option<String>,
    /// A file to send
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Inbox {
    #[command(subcommand)]
    pub(crate) change: Option<InboxChange>,
    /// Go on and show what arrives, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    /// Only what came after this number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) after: Option<u64>,
    /// Save complete files to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InboxChange {
    /// Delete messages, with their files
    Rm(InboxRm),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct InboxRm {
    /// The numbers of messages
    #[arg(value_name = "ID", group = "which")]
    pub(crate) ids: Vec<u64>,
    /// All messages of this contact
    #[arg(long, value_name = "NAME", group = "which")]
    pub(crate) contact: Option<String>,
    /// All messages
    #[arg(long, group = "which")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Move a damaged store aside; the identity stays, contacts and messages are lost
    #[arg(long)]
    pub(crate) repair: bool,
    /// A radio to look at as well
    #[arg(long = "radio", value_name = "RADIO")]
    pub(crate) radios: Vec<Radio>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Air {
    /// Say who hears whom, and that nobody else hears anybody; without names, show it
    Range {
        /// The folder that is the air
        dir: PathBuf,
        /// Nodes that hear one another; -- begins another group
        #[arg(value_name = "NODE", trailing_var_arg = true)]
        nodes: Vec<String>,
        /// Everybody hears everybody
        #[arg(long, conflicts_with_all = ["nodes", "none"])]
        all: bool,
        /// Nobody hears anybody
        #[arg(long, conflicts_with = "nodes")]
        none: bool,
    },
    /// Set how good the air is, for example rate=1MB/s latency=20ms loss=1%
    Set {
        /// The folder that is the air
        dir: PathBuf,
        /// What to set
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The text that north sends
    #[arg(long)]
    pub(crate) message: Option<String>,
    /// The file that north sends [default: a photo that comes with the program]
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Keep homes, capture and logs in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}
