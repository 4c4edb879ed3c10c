//! A port of this machine, on which pages are served.

use std::net::{SocketAddr, TcpListener};

use axum::Router;

use crate::http::NotServed;

/// A port that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// Listens on an address; on any free port, if that is 0.
    ///
    /// # Errors
    /// If the port is taken or may not be used.
    pub(crate) fn on(address: SocketAddr) -> Result<Listener, NotServed> {
        let taken = |error| NotServed::Address { address, error };
        let listener = TcpListener::bind(address).map_err(taken)?;
        listener.set_nonblocking(true).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Listener { listener, address })
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the system fails.
    pub(crate) fn serve(&self, router: Router) -> Result<(), NotServed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NotServed::System)?;
        let served = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
            axum::serve(listener, router).await
        });
        served.map_err(NotServed::System)
    }
}
