//! The module inside the real, packaged nginx: every test starts one, on an address of its own, and looks at it as a
//! visitor, an attacker or an administrator does. One file a behaviour.

mod nginx {
    mod harness;

    mod smoke;
}
