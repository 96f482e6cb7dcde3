//! How values are written.

/// Writes values for the second tier, and reads them.
///
/// What cannot be read is a miss, and is written anew; so are values with another fingerprint. A fleet in which some
/// processes write in another way than others costs loads, and never errors or wrong values.
///
/// `Json` and `Postcard`, behind the features `json` and `postcard`, write whatever implements serde's traits.
///
/// ```
/// use larder_redis::Codec;
///
/// /// Text as it is.
/// struct Text;
///
/// impl Codec<String> for Text {
///     fn fingerprint(&self) -> String {
///         "text/1".into()
///     }
///
///     fn write(&self, value: &String) -> Option<Vec<u8>> {
///         Some(value.clone().into_bytes())
///     }
///
///     fn read(&self, bytes: &[u8]) -> Option<String> {
///         String::from_utf8(bytes.to_vec()).ok()
///     }
/// }
/// assert_eq!(Text.read(&Text.write(&"larder".into()).unwrap()).as_deref(), Some("larder"));
/// ```
pub trait Codec<V>: Send + Sync + 'static {
    /// Returns what tells apart values that are written in different ways.
    ///
    /// It has to change whenever the format, the type or the meaning of what is written changes. Called once.
    fn fingerprint(&self) -> String;

    /// Writes a value; `None` if it cannot be written, and is not to be shared then.
    fn write(&self, value: &V) -> Option<Vec<u8>>;

    /// Reads a value; `None` if these bytes are none.
    fn read(&self, bytes: &[u8]) -> Option<V>;
}

macro_rules! serde_codec {
    ($name:ident, $feature:literal, $doc:literal, $write:expr, $read:expr) => {
        #[doc = $doc]
        ///
        /// The version is yours: change it whenever the type of the values changes in form or in meaning.
        ///
        /// ```
        #[doc = concat!("use larder_redis::{Codec, ", stringify!($name), "};")]
        ///
        #[doc = concat!("let codec = ", stringify!($name), "::new(\"user/1\");")]
        /// let bytes = codec.write(&(7, String::from("Ada"))).unwrap();
        /// assert_eq!(codec.read(&bytes), Some((7, String::from("Ada"))));
        /// ```
        #[cfg(feature = $feature)]
        #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
        #[derive(Clone, Debug)]
        pub struct $name {
            version: String,
        }

        #[cfg(feature = $feature)]
        impl $name {
            /// Writes values of this version.
            pub fn new(version: &str) -> Self {
                Self { version: version.into() }
            }
        }

        #[cfg(feature = $feature)]
        impl<V: serde::Serialize + serde::de::DeserializeOwned> Codec<V> for $name {
            fn fingerprint(&self) -> String {
                format!("{}:{}", $feature, self.version)
            }

            fn write(&self, value: &V) -> Option<Vec<u8>> {
                $write(value).ok()
            }

            fn read(&self, bytes: &[u8]) -> Option<V> {
                $read(bytes).ok()
            }
        }
    };
}

serde_codec!(Json, "json", "Writes JSON, by `serde_json`.", serde_json::to_vec, serde_json::from_slice);
serde_codec!(
    Postcard,
    "postcard",
    "Writes `postcard`'s format: small and fast, and not to be read by people.",
    postcard::to_allocvec,
    postcard::from_bytes
);
