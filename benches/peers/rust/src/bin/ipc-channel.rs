//! ipc-channel, as bytes. It has no limit of its own: it is full when the kernel's socket buffers
//! are.

use std::ffi::c_int;
use std::slice;

use ipc_channel::ipc::{bytes_channel, IpcBytesReceiver, IpcBytesSender};
use peers::{run, Local, Peer, Setup};

static ENDS: [Local<(IpcBytesSender, IpcBytesReceiver)>; 2] = [const { Local::empty() }; 2];

/// The processes inherit both ends.
unsafe extern "C" fn create(setup: &'static Setup) {
    for ends in &ENDS[..setup.channels as usize] {
        ends.set(bytes_channel().unwrap());
    }
}

unsafe extern "C" fn join(_channel: c_int, _role: c_int, _index: c_int) {}

unsafe extern "C" fn put(channel: c_int, data: *const u8, len: usize) {
    let (sender, _) = ENDS[channel as usize].get();
    sender.send(slice::from_raw_parts(data, len)).unwrap();
}

unsafe extern "C" fn get(channel: c_int, buf: *mut u8, cap: usize) -> usize {
    let (_, receiver) = ENDS[channel as usize].get();
    let message = receiver.recv().unwrap();
    slice::from_raw_parts_mut(buf, cap)[..message.len()].copy_from_slice(&message);
    message.len()
}

#[no_mangle]
#[allow(non_upper_case_globals)]
static peer: Peer = Peer {
    put: Some(put),
    get: Some(get),
    ..Peer::new(c"ipc-channel", create, join)
};

fn main() {
    run()
}
