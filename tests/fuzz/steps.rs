//! As many steps as the input has bytes for.

use arbitrary::{Arbitrary, Result, Unstructured};

/// An arbitrary `Vec` decides at each item whether it goes on, so random bytes make short ones.
#[derive(Clone, Debug)]
pub struct Steps<T>(Vec<T>);

const MOST: usize = 300;

impl<T> Steps<T> {
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Steps<T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Steps<T>> {
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < MOST {
            steps.push(T::arbitrary(bytes)?);
        }
        Ok(Steps(steps))
    }
}
