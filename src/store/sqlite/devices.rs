//! What tables of devices have in common: a row has a number, one owner, and a name that the owner
//! gave it.

use rusqlite::{Connection, params};

use super::{good_name, or_taken};
use crate::store::StoreError;
use crate::store::error::Fault;

/// A table of devices.
#[derive(Clone, Copy)]
pub(super) enum Devices {
    Totp,
    Webauthn,
}

impl Devices {
    const fn table(self) -> &'static str {
        match self {
            Devices::Totp => "totp_devices",
            Devices::Webauthn => "webauthn_credentials",
        }
    }

    pub(super) fn rename(
        self,
        connection: &Connection,
        user: &str,
        id: i64,
        name: &str,
    ) -> Result<bool, Fault> {
        let table = self.table();
        let update = format!("UPDATE {table} SET name = ?3 WHERE id = ?2 AND user = ?1");
        let changed = connection
            .execute(&update, params![user, id, good_name(name)?])
            .map_err(or_taken(StoreError::NameTaken))?;
        Ok(changed == 1)
    }

    pub(super) fn remove(
        self,
        connection: &Connection,
        user: &str,
        id: i64,
    ) -> Result<bool, Fault> {
        let delete = format!("DELETE FROM {} WHERE id = ?2 AND user = ?1", self.table());
        Ok(connection.execute(&delete, params![user, id])? == 1)
    }
}
