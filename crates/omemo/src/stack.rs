//! Computations with secrets leave copies of them on the stack: in registers that were spilled, in values that were
//! moved. Types that are wiped when they are dropped do not reach those. Here the stack is overwritten afterwards.

use zeroize::optimization_barrier;

/// How far down the stack is overwritten, in bytes: more than anything here uses that handles secrets.
///
/// `cargo xtask omemo-secrets` looks whether it is enough. Without optimisation all takes much more room.
const DEPTH: usize = if cfg!(debug_assertions) {
    128 * 1024
} else {
    16 * 1024
};

/// Does something with secrets, and overwrites the stack that it has used. What it gives back must have its
/// secrets on the heap.
pub(crate) fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let done = apart(work);
    overwrite();
    done
}

/// In a frame of its own, so that all of it lies below its caller's.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// In a frame in the same place.
#[inline(never)]
fn overwrite() {
    let zeros = [0_u8; DEPTH];
    // Without it nobody would see the zeros, so the compiler would leave them out.
    optimization_barrier(&zeros);
}
