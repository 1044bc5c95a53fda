//! Types that hold secrets cannot be printed, so no log can have them by mistake.

use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
use chappe_omemo::room::{Members, RoomKey, SenderKey};
use chappe_omemo::{Decrypted, Device, Identity, IdentityKey, Payload, Sessions};

/// Finds out whether a type is `Debug`: the trait for `Probe` wins where its bound holds.
struct Probe<T>(core::marker::PhantomData<T>);

trait Printable {
    fn is_printable(&self) -> bool {
        true
    }
}

impl<T: core::fmt::Debug> Printable for Probe<T> {}

trait Unprintable {
    fn is_printable(&self) -> bool {
        false
    }
}

impl<T> Unprintable for &Probe<T> {}

macro_rules! is_printable {
    ($type:ty) => {
        (&Probe::<$type>(core::marker::PhantomData)).is_printable()
    };
}

#[test]
fn secrets_have_no_debug() {
    assert!(is_printable!(IdentityKey), "the probe works");
    assert!(!is_printable!(Identity));
    assert!(!is_printable!(Device));
    assert!(!is_printable!(Sessions));
    assert!(!is_printable!(Payload));
    assert!(!is_printable!(Decrypted));
    assert!(!is_printable!(MachineKey));
    assert!(!is_printable!(KeyRing));
    assert!(!is_printable!(Members));
    assert!(!is_printable!(RoomKey));
    assert!(!is_printable!(SenderKey));
}
