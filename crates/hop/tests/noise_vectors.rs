//! The cryptography agrees with the published vectors: Noise (cacophony and snow), RFC 7748.
#![cfg(test)]

mod common;

use chappe_hop::{StaticKey, hazmat};
use snow::{
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::CryptoResolver as _,
};

struct Vector {
    prologue: &'static str,
    statics: [&'static str; 2],
    ephemerals: [&'static str; 2],
    hash: Option<&'static str>,
    /// Payload and ciphertext; three of the handshake, then the initiator's and the responder's in turn.
    messages: &'static [(&'static str, &'static str)],
}

/// From the vectors of cacophony.
const CACOPHONY: Vector = Vector {
    prologue: "4a6f686e2047616c74",
    statics: [
        "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    ],
    ephemerals: [
        "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    ],
    hash: Some("c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e"),
    messages: &[
        (
            "4c756477696720766f6e204d69736573",
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573",
        ),
        (
            "4d757272617920526f746862617264",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c9326ad",
        ),
        (
            "462e20412e20486179656b",
            "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030",
        ),
        (
            "4361726c204d656e676572",
            "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df",
        ),
        (
            "4a65616e2d426170746973746520536179",
            "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5",
        ),
        (
            "457567656e2042f6686d20766f6e2042617765726b",
            "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f",
        ),
    ],
};

/// From the vectors of snow.
const SNOW: Vector = Vector {
    prologue: "5468657265206973206e6f20726967687420616e642077726f6e672e2054686572652773206f6e6c792066756e20616e6420626f72696e672e",
    statics: [
        "7dec208517a3b81a2861d7a71266d5d6dc944c5a8816634a86fe63198a0148ee",
        "4d0aed5098e3b4ef20357e9f686ce66204c792b358da2e475017d6c485304881",
    ],
    ephemerals: [
        "a32daf21e93c0131495ce1d903181fde81cc46937daaeb990bae7c992709421e",
        "4eece0f195d026db035ff987597c429d3ad3bcc2944df37d649528951b2a27c5",
    ],
    hash: None,
    messages: &[
        (
            "d03c489139e645d0711a3c9e810d776b46a84912463fafa87b884eebf242dc34",
            "f9fa868ba97ab8a2686deccfaad5a484ee10a5bb85e3d1dce015a84797f92818d03c489139e645d0711a3c9e810d776b46a84912463fafa87b884eebf242dc34",
        ),
        (
            "d8190a92f7dc0c93dbea9118ba8055751fb7c6590c416ffbd419964132b99a85",
            "8c4e6fdb7d09d501a86f7eca5c234522751706ed409182c05cdf5f827d4dae47b81c6c5f43b025692c24391eefee725c17d8cb0fbe3e4abb8aedf42c4fd2592d4ea48ac08989d6ae8b4adae08b2c34087c808c7aa55a63c02b0fab9e930612336bd43eaea04d3c670a0a146691aa9cc9d357872320dc735dbc48580cffb553db",
        ),
        (
            "77891b19dcb92ef7c055b672c4a5aa7fdf1c84146b8b303459022729473ce254",
            "933ca6b5ed60df3df66121f0ab49a09e49efa45c613a86a3cecbf4c535cef2f83f72b42837b18e3572f2fdc2b74c331e2368a545cef54bdca081678ab0e9dd5348122459e0c034c851984d88ce610963d43cde6cfe73a67fbd5a63e8bfca96d0",
        ),
        (
            "d7efdf988072881941db045a42882433817555128fbf5663e56081712ec7d212",
            "54ef0ff0629e1aaa7685a2806ab111cba76b52331f2642276736f415868eacb69ab2577f3bda0cbf72f879685f6ed25f",
        ),
        (
            "dd7bf01a588bafb52c6cfba952e5d8fe35cc2b3f92b4730ae2474615157345ce",
            "356be70f110306d5c699bb834bb9d58d909e325924dfbec972e406e6f294dc63e1daebefe8a62a334facc8048ab4ad66",
        ),
    ],
};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap())
        .collect()
}

#[test]
fn noise_xx_agrees_with_the_vectors() {
    for vector in [CACOPHONY, SNOW] {
        let mut ends = [0, 1].map(|end| {
            let (private, ephemeral) = (bytes(vector.statics[end]), bytes(vector.ephemerals[end]));
            let prologue = bytes(vector.prologue);
            let builder = snow::Builder::with_resolver(
                hazmat::NOISE_PROTOCOL.parse().unwrap(),
                Box::new(hazmat::resolver([0; 32])),
            )
            .local_private_key(&private)
            .unwrap()
            .prologue(&prologue)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(&ephemeral);
            if end == 0 {
                builder.build_initiator()
            } else {
                builder.build_responder()
            }
            .unwrap()
        });
        let (mut sealed, mut opened) = ([0; 300], [0; 300]);
        for (turn, (payload, ciphertext)) in vector.messages[..3].iter().enumerate() {
            let [from, to] = [turn % 2, 1 - turn % 2];
            let length = ends[from]
                .write_message(&bytes(payload), &mut sealed)
                .unwrap();
            assert_eq!(sealed[..length], bytes(ciphertext));
            let length = ends[to]
                .read_message(&bytes(ciphertext), &mut opened)
                .unwrap();
            assert_eq!(opened[..length], bytes(payload));
        }
        if let Some(hash) = vector.hash {
            assert_eq!(ends[0].get_handshake_hash(), bytes(hash));
        }
        // The keys of the raw split are those of the transport messages.
        let keys = ends.each_mut().map(|end| end.dangerously_get_raw_split());
        assert_eq!(keys[0], keys[1]);
        let resolver = hazmat::resolver([0; 32]);
        for (turn, (payload, ciphertext)) in vector.messages[3..].iter().enumerate() {
            // After three messages it is the responder's turn.
            let key = if turn % 2 == 0 { keys[0].1 } else { keys[0].0 };
            let mut cipher = resolver.resolve_cipher(&CipherChoice::ChaChaPoly).unwrap();
            cipher.set(&key);
            let nonce = turn as u64 / 2;
            let length = cipher.encrypt(nonce, &[], &bytes(payload), &mut sealed);
            assert_eq!(sealed[..length], bytes(ciphertext));
            let length = cipher
                .decrypt(nonce, &[], &bytes(ciphertext), &mut opened)
                .unwrap();
            assert_eq!(opened[..length], bytes(payload));
        }
    }
}

#[test]
fn x25519_agrees_with_rfc_7748() {
    // Section 6.1.
    let ends = [
        (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        ),
        (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ),
    ];
    let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    for ((private, public), (_, theirs)) in [(ends[0], ends[1]), (ends[1], ends[0])] {
        let key = StaticKey::from_bytes(&bytes(private).try_into().unwrap());
        assert_eq!(key.public().as_bytes()[..], bytes(public));
        let mut dh = hazmat::resolver([0; 32])
            .resolve_dh(&DHChoice::Curve25519)
            .unwrap();
        dh.set(&bytes(private));
        assert_eq!(dh.pubkey(), bytes(public));
        let mut secret = [0; 32];
        dh.dh(&bytes(theirs), &mut secret).unwrap();
        assert_eq!(secret[..], bytes(shared));
        assert!(dh.dh(&[0; 32], &mut secret).is_err());
    }
}

#[test]
fn only_the_one_suite_is_offered() {
    let resolver = hazmat::resolver([0; 32]);
    assert!(resolver.resolve_cipher(&CipherChoice::AESGCM).is_none());
    assert!(resolver.resolve_dh(&DHChoice::Curve448).is_none());
    assert!(resolver.resolve_hash(&HashChoice::Blake2s).is_none());
    assert!(resolver.resolve_cipher(&CipherChoice::ChaChaPoly).is_some());
}

#[test]
fn a_static_key_survives_being_stored() {
    let key = common::key(5);
    let again = StaticKey::from_bytes(&key.to_bytes());
    assert_eq!(again.public(), key.public());
    assert_ne!(again.public(), common::key(6).public());
}
