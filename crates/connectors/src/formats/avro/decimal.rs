//! Decimals: big-endian integers in two's complement, divided by a power of ten.

/// Appends the number.
pub(super) fn write_decimal(bytes: &[u8], scale: usize, out: &mut Vec<u8>) {
    let is_negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
        out.push(b'-');
    }
    // The last digit first.
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in &mut magnitude {
            let value = rest * 256 + u32::from(*byte);
            (*byte, rest) = ((value / 10) as u8, value % 10);
        }
        digits.push(b'0' + rest as u8);
    }
    while digits.len() <= scale {
        digits.push(b'0');
    }
    let (fraction, whole) = digits.split_at(scale);
    out.extend(whole.iter().rev());
    if scale > 0 {
        out.push(b'.');
        out.extend(fraction.iter().rev());
    }
}
