//! Closed vocabularies: the code a file holds and the words a person reads, side by side. A code that is not
//! in its list is a fault wherever it stands, so that nothing unknown is ever passed over.

/// A closed list of codes, for readers that take any of them.
pub trait Vocabulary: Copy + 'static {
    const ALL: &'static [Self];

    /// The code as a file holds it.
    fn code(self) -> &'static str;
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $words:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Each code with its words, in the order of [`Self::ALL`].
            pub const WORDS: &'static [(&'static str, &'static str)] = &[$(($code, $words)),+];

            /// The code as a file holds it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The words as a page shows them.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::model::Vocabulary for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn code(self) -> &'static str {
                self.as_str()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(super) use vocabulary;
