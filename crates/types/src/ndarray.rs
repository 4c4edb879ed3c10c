//! Multi-dimensional arrays of one element type, row-major.

/// An n-dimensional array; `elements.len()` is the product of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct NdArray<T> {
    shape: Box<[usize]>,
    elements: Box<[T]>,
}

impl<T> NdArray<T> {
    /// An array of this shape. `None` if the number of elements does not fit the shape.
    pub fn new(shape: impl Into<Box<[usize]>>, elements: impl Into<Box<[T]>>) -> Option<Self> {
        let (shape, elements) = (shape.into(), elements.into());
        (shape.iter().product::<usize>() == elements.len()).then_some(NdArray { shape, elements })
    }
    /// Length per dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    /// An array of the same shape.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> NdArray<U> {
        NdArray { shape: self.shape.clone(), elements: self.elements.iter().map(f).collect() }
    }
    /// The elements in row-major order.
    pub fn elements(&self) -> &[T] {
        &self.elements
    }
}
