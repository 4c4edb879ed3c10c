//! Finding bytes 64 at a time: one bit per byte of a block.

use wide::u8x16;

/// 64 bytes in vector registers.
pub(super) struct Block([u8x16; 4]);

impl Block {
    /// The first 64 bytes of `data`, which may be fewer: the rest is zero.
    #[inline]
    pub(super) fn load(data: &[u8]) -> Self {
        match data.first_chunk::<64>() {
            Some(bytes) => Block::whole(bytes),
            None => {
                let mut bytes = [0; 64];
                bytes[..data.len()].copy_from_slice(data);
                Block::whole(&bytes)
            }
        }
    }

    #[inline]
    fn whole(bytes: &[u8; 64]) -> Self {
        let part = |i: usize| {
            let mut lane = [0; 16];
            lane.copy_from_slice(&bytes[i * 16..i * 16 + 16]);
            u8x16::new(lane)
        };
        Block([part(0), part(1), part(2), part(3)])
    }

    /// A bit for each byte that equals `byte`.
    #[inline]
    pub(super) fn eq(&self, byte: u8) -> u64 {
        let wanted = u8x16::splat(byte);
        let [a, b, c, d] = self.0.map(|part| u64::from(part.simd_eq(wanted).to_bitmask()));
        a | b << 16 | c << 32 | d << 48
    }
}

/// The bits that stand for bytes of a block that has only `len` of them.
#[inline]
pub(super) fn valid(len: usize) -> u64 {
    if len >= 64 { u64::MAX } else { (1 << len) - 1 }
}
