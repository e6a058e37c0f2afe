//! What working on a message leaves on the stack: copies of a card number or a track, wherever a
//! value was moved. It owns that this is written over once the work of a turn is done; it must not
//! be relied on for values in the heap. A value's own drop wipes the last of its copies alone.

/// How deep the work of a turn goes; frames are larger where nothing is optimised.
const DEPTH: usize = if cfg!(debug_assertions) { 256 * 1024 } else { 16 * 1024 };

/// Writes over the stack below the caller. To be called from where the work was called from.
#[inline(never)]
pub(crate) fn scrub_stack() {
    let mut below = [0_u8; DEPTH];
    std::hint::black_box(&mut below);
}
