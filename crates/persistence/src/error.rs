//! What goes wrong with stored objects.

/// A store or an object in it does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be used as it is configured.
    #[error("the store {store} cannot be used: {cause}")]
    Unusable {
        /// Where the store is.
        store: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Reading or writing failed.
    #[error("{action} of {object} failed: {cause}")]
    Failed {
        /// What was being done.
        action: &'static str,
        /// The object, with the place of its store.
        object: String,
        /// What the store said.
        cause: String,
    },
    /// An object that was to be new is there.
    #[error(
        "{0} was written by another run, which uses the same store at the same time: one of them has to end"
    )]
    Taken(String),
    /// An object that belongs to a checkpoint is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// An object is not what was written.
    #[error("{object} is damaged: {cause}")]
    Damaged {
        /// The object, with the place of its store.
        object: String,
        /// How that shows.
        cause: String,
    },
}

impl StoreError {
    pub(crate) fn damaged(object: impl Into<String>, cause: impl ToString) -> StoreError {
        StoreError::Damaged { object: object.into(), cause: cause.to_string() }
    }
}
