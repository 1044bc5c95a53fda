//! Two people compare 30 digits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_envelope::{SafetyNumber, SafetyNumberError};

#[test]
fn it_depends_on_both_keys_and_not_on_their_order() {
    let keys: [[u8; 32]; 3] = [[1; 32], [2; 32], [3; 32]];
    let number = SafetyNumber::of(&keys[0], &keys[1]);
    assert_eq!(number, SafetyNumber::of(&keys[1], &keys[0]));
    assert_ne!(number, SafetyNumber::of(&keys[0], &keys[2]));
    assert_ne!(number, SafetyNumber::of(&keys[2], &keys[1]));
}

#[test]
fn one_bit_of_a_key_changes_every_group() {
    let mut key = [2; 32];
    let number = SafetyNumber::of(&[1; 32], &key).to_string();
    key[31] ^= 1;
    let other = SafetyNumber::of(&[1; 32], &key).to_string();
    assert!(
        number
            .split(' ')
            .zip(other.split(' '))
            .all(|(one, other)| one != other)
    );
}

#[test]
fn it_reads_as_six_groups_of_five() {
    let text = SafetyNumber::of(&[1; 32], &[2; 32]).to_string();
    let groups: Vec<_> = text.split(' ').collect();
    assert_eq!(groups.len(), 6);
    assert!(
        groups
            .iter()
            .all(|g| g.len() == 5 && g.bytes().all(|b| b.is_ascii_digit()))
    );
}

#[test]
fn it_is_read_with_white_space_anywhere_and_nothing_else() {
    let number = SafetyNumber::of(&[1; 32], &[2; 32]);
    let text = number.to_string();
    let digits = text.replace(' ', "");
    assert_eq!(digits.parse(), Ok(number));
    assert_eq!(
        format!("\t{}\n {}\n", &digits[..7], &digits[7..]).parse(),
        Ok(number)
    );

    let parse = |text: &str| text.parse::<SafetyNumber>().unwrap_err();
    assert_eq!(parse(""), SafetyNumberError::Length);
    assert_eq!(parse(&digits[1..]), SafetyNumberError::Length);
    assert_eq!(parse(&format!("{digits}0")), SafetyNumberError::Length);
    assert_eq!(
        parse(&format!("x{}", &digits[1..])),
        SafetyNumberError::NotADigit('x')
    );
    assert_eq!(
        parse(&format!("٣{}", &digits[1..])),
        SafetyNumberError::NotADigit('٣')
    );
}

#[test]
fn one_wrong_digit_is_another_number() {
    let number = SafetyNumber::of(&[1; 32], &[2; 32]);
    let digits = number.to_string().replace(' ', "");
    for at in 0..30 {
        let mut wrong = digits.clone().into_bytes();
        wrong[at] = b'0' + (wrong[at] - b'0' + 1) % 10;
        assert_ne!(String::from_utf8(wrong).unwrap().parse(), Ok(number));
    }
}
