//! What every ledger does, by Redis: alone, and as a cluster.

use ngx_http_auth_gate_module::store::Ledger;

use super::contract::Store;
use super::fixture;
use super::servers::{Kind, Servers};

impl Store for Servers {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(fixture::store(self))
    }
}

mod alone {
    use super::{Kind, Servers};

    crate::contract::tests!(|_: &str| Servers::start(Kind::Tcp));
}

/// One cluster for a test each would take minutes; what is told of one of them is told of all.
mod cluster {
    use super::{Kind, Servers, Store};
    use crate::contract::{bans, late, sessions};

    #[test]
    fn what_touches_several_keys_works_across_nodes() {
        let servers = Servers::start(Kind::Cluster);
        let rules: [fn(&dyn Store); 8] = [
            sessions::the_sessions_of_a_user_end_but_one,
            sessions::all_sessions_end_at_once,
            sessions::what_takes_the_place_of_a_session_that_is_over_is_over,
            sessions::many_events_are_written_down_in_one_go,
            late::writing_down_once_more_does_no_harm,
            late::a_lost_session_that_was_ended_with_all_of_its_user_is_over,
            bans::a_ban_neither_hides_nor_shortens_another,
            bans::forgiving_somebody_forgets_bans_and_failures,
        ];
        for rule in rules {
            rule(&servers);
            for server in &servers.servers {
                server.cli(&["flushall"]);
            }
        }
    }
}
