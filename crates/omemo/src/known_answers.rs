//! The primitives, as this crate uses them, against the answers of Project Wycheproof and of the RFCs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report"
)]

use alloc::vec::Vec;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce};
use wycheproof::TestResult;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::cipher::CipherKeys;
use crate::curve::{KeyPair, PublicKey};
use crate::identity::{Identity, IdentityKey};
use crate::kdf::{Secret, hkdf, hmac};

#[test]
fn x25519_of_wycheproof() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let (mut agreed, mut refused) = (0, 0);
    for test in tests_of(TestSet::load(TestName::X25519).unwrap().test_groups, |g| {
        g.tests
    }) {
        let secret = StaticSecret::from(<[u8; 32]>::try_from(&test.private_key[..]).unwrap());
        let theirs = test.public_key[..].try_into().map(PublicKey::from_bytes);
        let shared = theirs
            .map(|theirs| theirs.and_then(|theirs| KeyPair::from_secret(secret).agree(&theirs)));
        if let Ok(Ok(shared)) = shared {
            assert_eq!(shared[..], test.shared_secret[..], "{}", test.tc_id);
            agreed += 1;
        } else {
            // Stricter than RFC 7748 on purpose, and nowhere else.
            let known = [
                TestFlag::LowOrderPublic,
                TestFlag::NonCanonicalPublic,
                TestFlag::PublicKeyTooLong,
                TestFlag::ZeroSharedSecret,
            ];
            let bent = test.public_key[31] & 0x80 != 0;
            assert!(
                bent || known.iter().any(|flag| test.flags.contains(flag)),
                "{}",
                test.tc_id
            );
            refused += 1;
        }
    }
    assert!(agreed > 250 && refused > 10, "{agreed} {refused}");
}

#[test]
fn x25519_of_rfc_7748() {
    let mut scalar: [u8; 32] = [0; 32];
    scalar[0] = 9;
    let mut point = scalar;
    for round in 1..=1_000 {
        let next = KeyPair::from_secret(StaticSecret::from(scalar))
            .agree(&PublicKey::from_bytes(point).unwrap())
            .unwrap();
        (point, scalar) = (scalar, *next);
        // The scalar becomes a point, whose top bit the function masks.
        point[31] &= 0x7f;
        let expected = match round {
            1 => "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
            1_000 => "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
            _ => continue,
        };
        assert_eq!(scalar[..], hex(expected), "{round}");
    }
    let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let pair = |secret| {
        let secret: [u8; 32] = hex(secret).try_into().unwrap();
        KeyPair::from_secret(StaticSecret::from(secret))
    };
    let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assert_eq!(
        pair(alice).agree(&pair(bob).public()).unwrap()[..],
        hex(shared)
    );
    assert_eq!(
        pair(bob).agree(&pair(alice).public()).unwrap()[..],
        hex(shared)
    );
}

#[test]
fn ed25519_of_wycheproof() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut checked = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = IdentityKey::from_bytes(group.key.pk[..].try_into().unwrap());
        for test in group.tests {
            let good = match (&key, test.sig[..].try_into()) {
                (Ok(key), Ok(signature)) => key.verify(&test.msg, &signature),
                _ => false,
            };
            assert_eq!(good, test.result == TestResult::Valid, "{}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 100);
}

#[test]
fn ed25519_of_rfc_8032() {
    let identity = Identity::from_seed(
        &hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .try_into()
            .unwrap(),
    );
    assert_eq!(
        identity.public().as_bytes()[..],
        hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    );
    assert_eq!(
        identity.sign(b"")[..],
        hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
    );
}

#[test]
fn hkdf_sha_256_of_wycheproof() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut checked = 0;
    for test in tests_of(
        TestSet::load(TestName::HkdfSha256).unwrap().test_groups,
        |g| g.tests,
    ) {
        let Some(salt) = padded(&test.salt) else {
            continue;
        };
        if test.result.must_fail() {
            assert!(test.size > 255 * 32, "{}", test.tc_id);
            continue;
        }
        // A shorter output is the beginning of a longer one.
        let okm = hkdf::<{ 255 * 32 }>(&test.ikm, &salt, &test.info);
        assert_eq!(okm[..test.size], test.okm[..], "{}", test.tc_id);
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn hkdf_of_rfc_5869() {
    let salt = padded(&hex("000102030405060708090a0b0c")).unwrap();
    let info = hex("f0f1f2f3f4f5f6f7f8f9");
    let expected =
        hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    assert_eq!(hkdf::<42>(&[0x0b; 22], &salt, &info)[..], expected);
}

#[test]
fn hmac_sha_256_of_wycheproof() {
    use wycheproof::mac::{TestName, TestSet};
    let mut checked = 0;
    for test in tests_of(
        TestSet::load(TestName::HmacSha256).unwrap().test_groups,
        |g| g.tests,
    ) {
        let Some(key) = padded(&test.key) else {
            continue;
        };
        let keys = keys(Secret::default(), Zeroizing::new(key), [0; 16]);
        assert_eq!(hmac(&key, &[&test.msg])[..], keys.tag(&[&test.msg])[..]);
        let good = test.tag.len() <= 32 && keys.verify(&[&test.msg], &test.tag);
        assert_eq!(good, test.result == TestResult::Valid, "{}", test.tc_id);
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn aes_256_cbc_of_wycheproof() {
    use wycheproof::cipher::{TestName, TestSet};
    let mut checked = 0;
    for test in tests_of(
        TestSet::load(TestName::AesCbcPkcs5).unwrap().test_groups,
        |g| g.tests,
    ) {
        let (Ok(key), Ok(iv)) = (
            <[u8; 32]>::try_from(&test.key[..]),
            test.nonce[..].try_into(),
        ) else {
            continue;
        };
        let keys = keys(Zeroizing::new(key), Secret::default(), iv);
        let opened = keys.decrypt(&test.ct);
        if test.result.must_fail() {
            assert!(opened.is_none(), "{}", test.tc_id);
        } else {
            assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id);
            assert_eq!(keys.encrypt(&test.pt), test.ct[..], "{}", test.tc_id);
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn aes_gcm_of_wycheproof() {
    use wycheproof::aead::{Test, TestName, TestSet};
    fn check<
        C: AeadInOut<NonceSize = aes_gcm::aead::consts::U12, TagSize = aes_gcm::aead::consts::U16>,
    >(
        cipher: &C,
        test: &Test,
    ) {
        let nonce = Nonce::try_from(&test.nonce[..]).unwrap();
        let mut bytes = test.ct.to_vec();
        let tag = <&[u8; 16]>::try_from(&test.tag[..]).unwrap();
        let opened = cipher.decrypt_inout_detached(
            &nonce,
            &test.aad,
            bytes.as_mut_slice().into(),
            tag.into(),
        );
        assert_eq!(opened.is_err(), test.result.must_fail(), "{}", test.tc_id);
        if opened.is_ok() {
            assert_eq!(bytes, test.pt[..], "{}", test.tc_id);
        }
    }
    let mut checked = 0;
    for test in tests_of(TestSet::load(TestName::AesGcm).unwrap().test_groups, |g| {
        g.tests
    }) {
        if test.nonce.len() != 12 || test.tag.len() != 16 {
            continue;
        }
        match test.key.len() {
            16 => check(&Aes128Gcm::new_from_slice(&test.key).unwrap(), &test),
            32 => check(&Aes256Gcm::new_from_slice(&test.key).unwrap(), &test),
            _ => continue,
        }
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

fn tests_of<G, T>(groups: Vec<G>, tests: fn(G) -> Vec<T>) -> impl Iterator<Item = T> {
    groups.into_iter().flat_map(tests)
}

fn keys(encryption: Secret, authentication: Secret, iv: [u8; 16]) -> CipherKeys {
    CipherKeys {
        encryption,
        authentication,
        iv: Zeroizing::new(iv),
    }
}

/// A key or salt of at most 32 bytes. HMAC pads with zeros itself.
fn padded(bytes: &[u8]) -> Option<[u8; 32]> {
    let mut padded = [0; 32];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
