//! What others put and got while one was stopped, message by message.

use std::collections::HashMap;
use std::sync::Mutex;

/// The messages that others put, and those that they consumed for good.
#[derive(Default)]
pub struct Tally {
    put: Mutex<Vec<Vec<u8>>>,
    over: Mutex<Vec<Vec<u8>>>,
}

impl Tally {
    pub fn put(&self, message: &[u8]) {
        self.put.lock().unwrap().push(message.to_vec());
    }

    pub fn over(&self, message: Vec<u8>) {
        self.over.lock().unwrap().push(message);
    }

    /// Each message that others put is over once, but for as many as those can have got who are gone.
    pub fn check(&self, gone: u64) {
        let mut count = HashMap::new();
        for message in self.over.lock().unwrap().iter() {
            *count.entry(message.clone()).or_insert(0) += 1;
        }
        let put = self.put.lock().unwrap();
        let times = |message: &Vec<u8>| count.get(message).copied().unwrap_or(0);
        let lost = put.iter().filter(|message| times(message) == 0).count();
        let twice = put.iter().find(|message| times(message) > 1);
        assert!(twice.is_none(), "duplicated: {twice:?}");
        assert!(
            lost as u64 <= gone,
            "lost: {lost} messages of others, {gone} were got by the stopped one"
        );
    }
}
