//! Two devices that talk while the input decides what is sent, lost, repeated, changed, and who restarts.
//! What arrives whole and for the first time is read; anything else changes nothing.
#![no_main]

use chappe_omemo::{Device, DeviceId, Encrypted, Flavour, Identity, Sessions};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

struct Side {
    device: Device,
    sessions: Sessions,
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, moves)) = data.split_first() else {
        return;
    };
    let flavour = [Flavour::Legacy, Flavour::Omemo2][usize::from(first & 1)];
    let mut rng = ChaCha20Rng::from_seed([first; 32]);
    let mut sides = [1, 2].map(|number| {
        let identity = Identity::generate(&mut rng);
        let id = DeviceId::new(number).unwrap();
        Side {
            device: Device::with_identity(&mut rng, flavour, identity, id, 1),
            sessions: Sessions::new(),
        }
    });
    let mut under_way: Vec<(usize, Encrypted, bool)> = Vec::new();
    let mut starts = 0;
    for &step in moves.iter().take(200) {
        let (which, value) = (usize::from(step & 1), usize::from(step >> 4));
        match step >> 1 & 7 {
            0 if starts < 6 => {
                let prekey = sides[1 - which].device.reserve_prekey(&mut rng).unwrap();
                let bundle = sides[1 - which].device.bundle().with_prekey(prekey);
                let Side { device, sessions } = &mut sides[which];
                let bundle = bundle.verify().unwrap();
                sessions.start(&mut rng, device, &bundle).unwrap();
                starts += 1;
            }
            1..=3 => {
                if let Ok(sent) = sides[which].sessions.encrypt(&mut rng, Some(&[step])) {
                    under_way.push((1 - which, sent, true));
                }
            }
            4 => {
                let Side { device, sessions } = &sides[which];
                let device = Device::from_bytes(&device.to_bytes()).unwrap();
                let sessions = Sessions::from_bytes(&sessions.to_bytes()).unwrap();
                sides[which] = Side { device, sessions };
            }
            _ if under_way.is_empty() => {}
            5 => {
                under_way.remove(value % under_way.len());
            }
            change => {
                let index = value % under_way.len();
                let (to, mut sent, fresh) = under_way[index].clone();
                if change == 7 {
                    // The registration id of a legacy key exchange is authenticated by nobody.
                    if sent.iv.is_some() && sent.key_exchange {
                        continue;
                    }
                    let at = value * 13 % sent.key.len();
                    sent.key[at] ^= 1 << (value % 8);
                } else {
                    under_way[index].2 = false;
                }
                let side = &mut sides[to];
                let before = (side.device.to_bytes(), side.sessions.to_bytes());
                let read = side.sessions.decrypt(&mut side.device, &sent.incoming());
                assert_eq!(read.is_ok(), fresh && change != 7);
                if read.is_err() {
                    assert!(before == (side.device.to_bytes(), side.sessions.to_bytes()));
                }
            }
        }
    }
});
