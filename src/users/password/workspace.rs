//! Memory that verifications use one after the other: what the system takes to hand out 64 MiB page
//! by page is a third of the time of a hash. Whoever keeps it says for how long; it holds what the
//! last hash left, which is no more than what a freed block would hold.

use ::argon2::Block;

/// Memory for one verification at a time, as much as the largest so far took. Only argon2 uses it.
#[derive(Default)]
pub struct Workspace {
    blocks: Vec<Block>,
}

impl Workspace {
    /// So many blocks, with anything in them; `None` where the machine has not the memory.
    pub(super) fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if self.blocks.len() < count {
            // The old ones go first: both together are more than one hash may take.
            self.blocks = Vec::new();
            self.blocks.try_reserve_exact(count).ok()?;
            self.blocks.resize(count, Block::new());
        }
        self.blocks.get_mut(..count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::password::PasswordHash;

    /// "password" with 64 KiB and 1 pass, with 16 KiB and 2 passes.
    const LARGE: &str = "$argon2id$v=19$m=64,t=1,p=4$SUBwGlWtNyVT9I5zDT16dQ$fs1dIAgmKk/ium8NBR8yzRRCPKAHTapTIDLKuWDsSSU";
    const SMALL: &str = "$argon2id$v=19$m=16,t=2,p=1$jXQHDknZnz9zS53bcI0PIw$LeQBdUy4eAa+X4HsXZ/MpLQMaUCELCt7ijN8bSd6Hx0";

    #[test]
    fn what_a_hash_leaves_behind_changes_no_other() {
        let mut workspace = Workspace::default();
        for text in [SMALL, LARGE, SMALL, LARGE, LARGE] {
            let hash = PasswordHash::parse(text).unwrap();
            assert!(hash.verify_in(b"password", &mut workspace), "{text}");
            assert!(!hash.verify_in(b"passwore", &mut workspace), "{text}");
            assert!(!hash.decoy().verify_in(b"password", &mut workspace));
        }
    }

    #[test]
    fn it_holds_what_the_largest_hash_took() {
        let mut workspace = Workspace::default();
        for (text, held) in [(SMALL, 16), (LARGE, 64), (SMALL, 64)] {
            assert!(
                PasswordHash::parse(text)
                    .unwrap()
                    .verify_in(b"password", &mut workspace)
            );
            assert_eq!(workspace.blocks.len(), held);
        }
    }

    #[test]
    fn memory_that_is_not_there_is_said_and_not_taken() {
        let mut workspace = Workspace::default();
        assert!(workspace.blocks(usize::MAX >> 12).is_none());
        assert!(workspace.blocks(8).is_some());
    }
}
