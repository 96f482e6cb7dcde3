//! The cases of all machines.

use alloc::{boxed::Box, string::ToString};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use larder::parts::Local;
use larder_scenario::{Checked, of_caches, of_pages, of_slots, tasks::on_wake, time::Ticks};

use crate::{heap::live, print, wake};

/// The cases, begun.
pub struct Cases(Pin<Box<dyn Future<Output = Checked>>>);

#[unsafe(no_mangle)]
pub extern "C" fn begin_cases() -> Box<Cases> {
    on_wake(|| wake());
    Box::new(Cases(Box::pin(async {
        of_caches(|| Local::new(Ticks), live).await?;
        of_slots(|| Local::new(Ticks), live).await?;
        of_pages(|| Local::new(Ticks), live).await
    })))
}

/// Polls them: 0 if they are not over, 1 if all of them held, 2 if not.
#[unsafe(no_mangle)]
pub extern "C" fn poll_cases(cases: &mut Cases) -> u32 {
    match cases.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => 0,
        Poll::Ready(Ok(())) => 1,
        Poll::Ready(Err(broken)) => {
            print(&broken.to_string());
            2
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn end_cases(cases: Option<Box<Cases>>) {
    drop(cases);
}
