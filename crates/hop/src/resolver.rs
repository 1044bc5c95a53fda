//! The cryptography that snow uses: X25519, ChaCha20-Poly1305, SHA-256, and random bytes from a seed.

use alloc::boxed::Box;

use sha2::{Digest as _, Sha256};
use snow::{
    Error,
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::CryptoResolver,
    types::{Cipher, Dh, Hash, Random},
};
use subtle::ConstantTimeEq as _;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::cipher::{NoiseKey, TAG_LEN};

/// Resolves the one suite of a hop, `25519_ChaChaPoly_SHA256`, and no other.
pub struct Resolver {
    seed: Zeroizing<[u8; 32]>,
}

impl Resolver {
    /// A resolver whose random bytes follow from `seed`, which must be secret and used for one handshake.
    pub fn new(seed: Zeroizing<[u8; 32]>) -> Self {
        Self { seed }
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom {
            seed: self.seed.clone(),
            blocks: 0,
        }))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(X25519::new([0; 32])) as Box<_>)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        matches!(choice, HashChoice::SHA256).then(|| Box::new(HashSha256::default()) as Box<_>)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        matches!(choice, CipherChoice::ChaChaPoly)
            .then(|| Box::new(ChaChaPoly(NoiseKey::new(&[0; 32]))) as Box<_>)
    }
}

/// Blocks of SHA-256(label, seed, counter).
struct SeededRandom {
    seed: Zeroizing<[u8; 32]>,
    blocks: u64,
}

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        for part in dest.chunks_mut(32) {
            let mut hash = Sha256::new_with_prefix(b"chappe hop random");
            hash.update(*self.seed);
            hash.update(self.blocks.to_le_bytes());
            self.blocks = self.blocks.checked_add(1).ok_or(Error::Rng)?;
            let block = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
            part.iter_mut()
                .zip(block.iter())
                .for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

/// X25519 (RFC 7748) that refuses points of low order.
struct X25519 {
    secret: StaticSecret,
    public: PublicKey,
}

impl X25519 {
    fn new(secret: [u8; 32]) -> Self {
        let secret = StaticSecret::from(secret);
        let public = PublicKey::from(&secret);
        Self { secret, public }
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, privkey: &[u8]) {
        // snow hands in exactly `priv_len` bytes; anything else leaves a key that agrees with nobody.
        let mut secret = Zeroizing::new([0; 32]);
        secret
            .iter_mut()
            .zip(privkey)
            .for_each(|(to, from)| *to = *from);
        *self = Self::new(*secret);
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut secret = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *secret)?;
        *self = Self::new(*secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn privkey(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let theirs: [u8; 32] = *pubkey.first_chunk().ok_or(Error::Dh)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(theirs));
        // All zero means that the point was of low order (RFC 7748, section 6.1).
        if shared.as_bytes().ct_eq(&[0; 32]).into() {
            return Err(Error::Dh);
        }
        *out.first_chunk_mut().ok_or(Error::Dh)? = *shared.as_bytes();
        Ok(())
    }
}

struct ChaChaPoly(NoiseKey);

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = NoiseKey::new(key);
    }

    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        // snow has checked that `out` is long enough. If it were not, nothing would be written.
        let Some((buffer, rest)) = out.split_at_mut_checked(plaintext.len()) else {
            return 0;
        };
        let Some(tag_space) = rest.first_chunk_mut::<TAG_LEN>() else {
            return 0;
        };
        buffer.copy_from_slice(plaintext);
        match self.0.seal_in_place(nonce, authtext, buffer) {
            Some(tag) => *tag_space = tag,
            None => buffer.fill(0),
        }
        plaintext.len().saturating_add(TAG_LEN)
    }

    fn decrypt(
        &self,
        nonce: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        self.0
            .open(nonce, authtext, ciphertext, out)
            .map(<[u8]>::len)
            .ok_or(Error::Decrypt)
    }
}

#[derive(Default)]
struct HashSha256(Sha256);

impl Hash for HashSha256 {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Sha256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let digest = self.0.finalize_reset();
        out.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    }
}
