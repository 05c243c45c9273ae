//! What is written down of sessions, bans and attempts, and the orders to the workers: what every
//! ledger does, and what this one does besides.

use ngx_http_auth_gate_module::store::{Ledger, Sqlite};

use super::contract::Store;
use super::fixture::{open, store};

impl Store for Sqlite {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(open(self.path()).unwrap())
    }
}

crate::contract::tests!(store);
