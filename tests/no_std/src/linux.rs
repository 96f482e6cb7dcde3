//! The few things that this program asks the kernel for, and what a program without start files must bring along.

use core::{arch::asm, arch::global_asm, panic::PanicInfo};

use larder::{Clock, Instant};

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("this check speaks to Linux on x86_64 directly");

const WRITE: usize = 1;
const EXIT: usize = 60;
const CLOCK_GETTIME: usize = 228;
const CLOCK_MONOTONIC: usize = 1;
const STDERR: usize = 2;

// The stack pointer is aligned as the calling convention asks before anything is called.
global_asm!(".global _start", "_start:", "xor ebp, ebp", "and rsp, -16", "call {main}", "ud2", main = sym start);

extern "C" fn start() -> ! {
    exit(match crate::run() {
        Ok(()) => 0,
        Err(reason) => {
            print(reason);
            1
        }
    })
}

/// Writes a line to the standard error.
pub fn print(line: &str) {
    for text in [line, "\n"] {
        // SAFETY: the kernel only reads `text`.
        unsafe { syscall(WRITE, STDERR, text.as_ptr() as usize, text.len()) };
    }
}

/// The kernel's monotonic clock.
#[derive(Clone, Copy)]
pub struct Kernel;

impl Clock for Kernel {
    fn now(&self) -> Instant {
        let mut time = [0_u64; 2];
        // SAFETY: the kernel writes seconds and nanoseconds, 16 bytes, into `time`.
        unsafe { syscall(CLOCK_GETTIME, CLOCK_MONOTONIC, time.as_mut_ptr() as usize, 0) };
        Instant::from_nanos(time[0] * 1_000_000_000 + time[1])
    }
}

fn exit(code: usize) -> ! {
    loop {
        // SAFETY: this call takes no pointers and does not return.
        unsafe { syscall(EXIT, code, 0, 0) };
    }
}

/// Calls the kernel.
///
/// # Safety
///
/// Pointers among the arguments must be valid for what the kernel does with them.
unsafe fn syscall(number: usize, first: usize, second: usize, third: usize) -> usize {
    let result;
    // SAFETY: the registers are those of the kernel's convention, which changes no others than `rcx` and `r11`.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

// With anything in the tree that uses std, this handler is there twice, and the program does not build (E0152).
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(info.message().as_str().unwrap_or("a panic"));
    exit(1)
}

/// Named by the compiled `alloc`, which may unwind; here nothing does.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Named for the same reason.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(1)
}
