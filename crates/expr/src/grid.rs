//! The windows of a grid on whole numbers that there are: those whose borders are numbers of 64 bits.

/// The first and the last number of a window that starts at `hop * number + origin` and ends `span` later, where
/// both have 64 bits. Where numbers of windows have more, the least or the greatest that has not is left out: it
/// stands for them.
pub fn numbers_of_windows(hop: i64, span: i128, origin: i64) -> (i64, i64) {
    let [hop, origin] = [hop, origin].map(i128::from);
    let first = -(origin - i128::from(i64::MIN)).div_euclid(hop);
    let last = (i128::from(i64::MAX) - span - origin).div_euclid(hop);
    let first = i64::try_from(first).unwrap_or(i64::MIN + 1);
    (first, if last > i128::from(i64::MAX) { i64::MAX - 1 } else { clamped(last) })
}

/// A number, or the one of 64 bits that is next to it.
pub(crate) fn clamped(number: i128) -> i64 {
    number.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_have_64_bits() {
        let fits = |number: i128| i64::try_from(number).is_ok();
        for hop in [1, 2, 3, 7, 10, 1 << 40, i64::MAX] {
            for span in [1, 2, 9, i64::MAX] {
                for origin in [0, 3, -5, i64::MAX, i64::MIN, i64::MIN + 1] {
                    let (first, last) = numbers_of_windows(hop, span.into(), origin);
                    let start = |number: i128| i128::from(hop) * number + i128::from(origin);
                    let borders =
                        |number: i128| fits(start(number)) && fits(start(number) + i128::from(span));
                    for number in [first, last].map(i128::from) {
                        for near in number - 2..=number + 2 {
                            let stands = |end: i64, next: i128| near == end.into() && borders(near + next);
                            let exists =
                                fits(near) && borders(near) && !stands(i64::MIN, -1) && !stands(i64::MAX, 1);
                            let inside = near >= first.into() && near <= last.into();
                            assert_eq!(exists, inside, "{hop} {span} {origin}: {near}");
                        }
                    }
                }
            }
        }
    }
}
