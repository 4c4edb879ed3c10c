//! Stores of cloud providers: S3 and what speaks its protocol, Azure Blob Storage, Google Cloud Storage.

use std::sync::Arc;

use object_store::parse_url_opts;
use url::Url;

use crate::{Store, StoreError};

impl Store {
    /// Objects of a bucket or container whose names begin with the path of `url`: `s3://bucket/path`,
    /// `az://container/path` or `gs://bucket/path`. Options have the names that `object_store` gives them, for
    /// instance `aws_access_key_id`, `azure_storage_account_name`, `google_service_account`.
    ///
    /// # Errors
    /// If the URL or the options make no sense. Whether the place is there shows when it is used.
    pub fn cloud(url: &str, options: &[(String, String)]) -> Result<Store, StoreError> {
        let unusable = |cause: String| StoreError::Unusable { store: url.to_owned(), cause };
        // Where another part of the program has chosen a provider of TLS, that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parsed = Url::parse(url).map_err(|error| unusable(error.to_string()))?;
        let (objects, root) =
            parse_url_opts(&parsed, options.iter().cloned()).map_err(|error| unusable(error.to_string()))?;
        Store::new(Arc::from(objects), root.as_ref(), url.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn option(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_place_is_named_by_its_url() {
        let keys = [
            option("aws_access_key_id", "id"),
            option("aws_secret_access_key", "hush"),
            option("aws_region", "here"),
        ];
        let store = Store::cloud("s3://bucket/some/path", &keys).unwrap();
        assert_eq!(store.full_name("manifests/1"), "s3://bucket/some/path/manifests/1");
        assert!(!format!("{store:?}").contains("hush"), "{store:?}");
        let account =
            [option("azure_storage_account_name", "me"), option("azure_storage_account_key", "c2VjcmV0")];
        Store::cloud("az://container/path", &account).unwrap();
        Store::cloud("gs://bucket", &[option("google_skip_signature", "true")]).unwrap();
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["somewhere", "ftp://host/path"] {
            let error = Store::cloud(url, &[]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the store {url} cannot be used")), "{error}");
        }
    }
}
