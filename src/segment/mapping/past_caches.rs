//! A copy that goes past the caches, where the processor has such stores.

use std::ptr;

#[cfg(all(target_arch = "x86_64", not(miri)))]
const LINE: usize = super::LINE as usize;

/// Copy `data` to `to`. Whole cache lines go past the caches.
///
/// # Safety
/// As many bytes as `data` has may be written from `to` on.
pub(super) unsafe fn copy(data: &[u8], to: *mut u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let (before, rest) = data.split_at(to.align_offset(LINE).min(data.len()));
        let (lines, after) = rest.as_chunks();
        let first = to.wrapping_add(before.len());
        let behind = to.wrapping_add(data.len() - after.len());
        // SAFETY: as the caller promises. The lines begin at a cache line, or there are none.
        unsafe {
            stream(first.cast(), lines);
            ptr::copy_nonoverlapping(before.as_ptr(), to, before.len());
            ptr::copy_nonoverlapping(after.as_ptr(), behind, after.len());
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    // SAFETY: as the caller promises.
    unsafe {
        ptr::copy_nonoverlapping(data.as_ptr(), to, data.len());
    }
}

/// Write whole cache lines past the caches. Others see them before any store that follows.
///
/// # Safety
/// The lines from `to` on may be written, and `to` is a multiple of 16 unless there is no line.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn stream(mut to: *mut std::arch::x86_64::__m128i, lines: &[[u8; LINE]]) {
    use std::arch::x86_64::{_mm_loadu_si128, _mm_sfence, _mm_stream_si128};
    for line in lines {
        let (quarters, _) = line.as_chunks::<16>();
        for quarter in quarters {
            // SAFETY: as the caller promises.
            unsafe { _mm_stream_si128(to, _mm_loadu_si128(quarter.as_ptr().cast())) };
            to = to.wrapping_add(1);
        }
    }
    // Without it, these stores may become visible later than those that follow.
    // SAFETY: every x86_64 has it.
    unsafe { _mm_sfence() };
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use crate::segment::mapping::{Bytes, LINE};

    #[test]
    fn a_write_past_the_caches_writes_what_it_is_given_and_nothing_beside() {
        let all: Vec<u8> = (0..1000u32).map(|at| (at % 251 + 1) as u8).collect();
        for begin in 0..2 * LINE as usize {
            for len in [0, 1, 15, 63, 64, 65, 127, 128, 400, 863] {
                let mut memory = [0u8; 1024];
                let room = Bytes {
                    address: memory.as_mut_ptr().wrapping_add(begin),
                    room: len,
                    mapping: PhantomData,
                };
                // The source is aligned in another way.
                let data = &all[begin % 7..][..len];
                assert_eq!(room.write_past_caches(data), Ok(()));
                assert_eq!(&memory[begin..begin + len], data);
                let beside = [&memory[..begin], &memory[begin + len..]].concat();
                assert!(beside.iter().all(|byte| *byte == 0), "{begin}, {len}");
                let shorter = Bytes {
                    room: len.saturating_sub(1),
                    ..room
                };
                let fits = shorter.write_past_caches(data);
                assert_eq!(fits.is_ok(), len == 0, "{begin}, {len}");
            }
        }
    }
}
