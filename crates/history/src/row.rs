//! The blob that holds a row's values: one after the other, in the order of the row's layout,
//! each as a zigzag LEB128 number (so that small ones of either sign take one byte).
//!
//! What the values mean stands in the layout, which rows of the same shape share.

/// Appends the values to `blob`.
pub(crate) fn encode(values: impl Iterator<Item = i64>, blob: &mut Vec<u8>) {
    for value in values {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            blob.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        blob.push(rest as u8);
    }
}

/// The values of a blob; ends early where the blob is damaged.
pub(crate) fn decode(blob: &[u8]) -> impl Iterator<Item = i64> {
    let mut bytes = blob.iter();
    std::iter::from_fn(move || {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *bytes.next()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_are_small() {
        let mut blob = Vec::new();
        encode([0, -1, 63, -64, 64].into_iter(), &mut blob);
        assert_eq!(blob, [0, 1, 126, 127, 128, 1]);
    }

    #[test]
    fn a_damaged_blob_ends_and_does_not_panic() {
        assert_eq!(decode(&[2, 0x80]).collect::<Vec<_>>(), [1]);
        assert_eq!(decode(&[0xff; 30]).count(), 0);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(values: Vec<i64>) {
            let mut blob = Vec::new();
            encode(values.iter().copied(), &mut blob);
            prop_assert_eq!(decode(&blob).collect::<Vec<_>>(), values);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes).count();
        }
    }
}
