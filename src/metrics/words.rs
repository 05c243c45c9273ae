//! The values of labels: whatever is counted is counted under one of these, never under something that
//! a visitor can choose.

/// An enum whose variants are the values of a label.
macro_rules! labels {
    ($($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The words for them, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }
        }
    )*};
}

labels! {
    /// What became of a request to a guarded location, or of a question to an authorization endpoint.
    Decided {
        /// It went on.
        Allow = "allow",
        /// The visitor was sent to the portal.
        Challenge = "challenge",
        /// It was refused.
        Forbid = "forbid",
        /// It could not be judged.
        Error = "error",
        /// It could not be judged for now.
        Unavailable = "unavailable",
    }

    /// What was asked of a visitor.
    Wanted {
        /// Nothing.
        Bypass = "bypass",
        /// One factor.
        OneFactor = "one_factor",
        /// Two factors.
        TwoFactor = "two_factor",
        /// What nobody can give.
        Deny = "deny",
        /// The request was not judged, so nothing is known to be asked.
        None = "none",
    }

    /// With what somebody shows who he is.
    Method {
        /// A password.
        Password = "password",
        /// A name and a password in a header.
        Basic = "basic",
        /// An app password in a header, with or without a name.
        AppPassword = "app_password",
        /// A passkey, without a name or password.
        Passkey = "passkey",
        /// A one-time code.
        Totp = "totp",
        /// A security key, beside the password.
        Webauthn = "webauthn",
        /// A code by mail, for leave to change something.
        Mail = "mail",
    }

    /// What came of an attempt.
    Outcome {
        /// It was right.
        Success = "success",
        /// It was wrong.
        Failure = "failure",
        /// It did not count, as there had been too many.
        Banned = "banned",
        /// There was too much to do.
        Busy = "busy",
        /// It was right, but something here does not work.
        Error = "error",
    }

    /// Whom a ban holds.
    Banned {
        /// A user.
        User = "user",
        /// An address.
        Address = "address",
    }

    /// What has brought a ban about.
    BannedFor {
        /// Wrong passwords.
        Password = "password",
        /// Wrong second factors.
        SecondFactor = "second_factor",
        /// An administrator's order.
        Administrator = "administrator",
    }

    /// How sessions were ended.
    Ended {
        /// Their user has signed out.
        SignOut = "sign_out",
        /// Their user has ended them from the list.
        List = "list",
    }

    /// A store.
    Store {
        /// The embedded one.
        Sqlite = "sqlite",
        /// The one that machines share.
        Redis = "redis",
    }

    /// What is asked of a store.
    Operation {
        /// To write down what happened.
        Record = "record",
        /// One session.
        Fetch = "fetch",
        /// A list of sessions.
        Sessions = "sessions",
        /// The bans.
        Bans = "bans",
        /// The failed attempts.
        Failures = "failures",
        /// To place an order.
        PlaceOrder = "place_order",
        /// The orders that came.
        Orders = "orders",
        /// The secret that all share.
        Secret = "secret",
        /// Whether it works.
        Probe = "probe",
    }

    /// What came of looking for a session that this machine did not know.
    Fetched {
        /// It was there.
        Found = "found",
        /// It was not.
        Absent = "absent",
        /// Nobody knows.
        Failed = "failed",
        /// Somebody was looking for it already.
        Shared = "shared",
        /// Too many were being looked for.
        Refused = "refused",
    }

    /// An order that was carried out.
    Ordered {
        /// The end of sessions.
        EndSessions = "end_sessions",
        /// A ban.
        Ban = "ban",
        /// The end of a ban.
        Unban = "unban",
        /// An attempt on another machine.
        Count = "count",
    }

    /// What became of a password that was to be checked or made into a hash.
    Hashed {
        /// It was.
        Done = "done",
        /// It had no place in the queue, or no thread.
        TurnedAway = "turned_away",
        /// Its visitor had gone.
        Abandoned = "abandoned",
    }

    /// A table in shared memory.
    Table {
        /// Sessions.
        Sessions = "sessions",
        /// Users with wrong passwords.
        PasswordUsers = "password_users",
        /// Addresses with wrong passwords.
        PasswordAddresses = "password_addresses",
        /// Users with wrong second factors.
        FactorUsers = "second_factor_users",
        /// Addresses with wrong second factors.
        FactorAddresses = "second_factor_addresses",
        /// Addresses that ask for what is limited.
        RateLimits = "rate_limits",
    }

    /// Something that goes up and down in each process.
    Level {
        /// Errands to the store, the mail or the users file that run.
        ErrandsRunning = "errands_running",
        /// Errands that wait for their turn.
        ErrandsWaiting = "errands_waiting",
        /// Letters that nobody waits for and that wait for their turn.
        LettersWaiting = "letters_waiting",
        /// What is not written down yet.
        EntriesWaiting = "entries_waiting",
        /// Sessions that are being looked for in the store.
        FetchesRunning = "fetches_running",
    }
}
