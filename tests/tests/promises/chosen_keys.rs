//! Keys chosen to collide.

use std::{
    cell::Cell,
    hash::{Hash, Hasher},
    iter::repeat_n,
};

use larder::{Cache, DefaultHasher, ManualClock, Tuned, Tuning, parts::Local, policy::GatedFifo};
use larder_tests::*;

/// Words that are public in the sources of hashers: if one of them is combined with a key, the key can cancel it.
const PUBLIC: [u64; 33] = [
    // foldhash: its constants, of which the second six are the shared seed of its fixed state.
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    FOLDHASH,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
    0x2ffd_72db_d01a_dfb7,
    0xb8e1_afed_6a26_7e96,
    // What foldhash makes of the seed 0 for the shared seed, and sets in all of its words.
    FORCED,
    // splitmix64.
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    // rapidhash and wyhash.
    0x2d35_8dcc_aa6c_78a5,
    0x8bb8_4b93_962e_acc9,
    0x4b33_a62e_d433_d4a3,
    0x4d5a_2da5_1de1_aa47,
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
    0x90ed_1765_281c_388c,
    // ahash's multiplier, and SipHash's beginning.
    0x5851_f42d_4c95_7f2d,
    0x736f_6d65_7073_6575,
    0x646f_7261_6e64_6f6d,
    0x6c79_6765_6e65_7261,
    0x7465_6462_7974_6573,
    // Words that multiplication treats in a special way.
    0,
    1,
    u64::MAX,
    THIRD,
    1 << 63,
];

/// The word of foldhash's shared seed that is combined with the second word of 16 bytes.
const FOLDHASH: u64 = 0x3f84_d5b5_b547_0917;

/// The bits that are set in each word of a shared seed that foldhash derives.
const FORCED: u64 = 1 << 63 | 1 << 31 | 1;

/// A third of the largest word: three times it is a cycle for a multiplication whose halves are added.
const THIRD: u64 = u64::MAX / 3;

/// A key that hashes like a string, with any bytes.
struct Text(Vec<u8>);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
        state.write_u8(0xff);
    }
}

#[derive(Hash)]
struct Path {
    host: String,
    port: u16,
    path: Vec<u8>,
}

/// Hashers as caches use them: three with a random seed, and some with a given seed.
fn instances() -> Vec<DefaultHasher> {
    let random = || Tuned::<GatedFifo>::new().into_hasher().expect("there is randomness");
    let given = [0, 1, u64::MAX, FOLDHASH].map(DefaultHasher::with_seed);
    [random(), random(), random()].into_iter().chain(given).collect()
}

/// How many of them share one hash at most.
fn sharing(hashes: impl Iterator<Item = u64>) -> usize {
    let mut hashes = Vec::from_iter(hashes);
    hashes.sort_unstable();
    hashes.chunk_by(|one, next| one == next).map(<[u64]>::len).max().unwrap_or(0)
}

/// Unrestricted words, all different.
fn free(n: u64) -> u64 {
    n.wrapping_mul(0x0123_4567_89ab_cdef) ^ n.rotate_left(40)
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// C109: 16 bytes, of which the last eight are the word of foldhash's shared seed, spread under every seed. (D50)
#[test]
fn c109_the_word_of_foldhash() {
    for hasher in instances() {
        let keys = || (0..10_000).map(|n| bytes(&[n, FOLDHASH]));
        let array = |key: Vec<u8>| <[u8; 16]>::try_from(key).expect("16 bytes");
        assert!(sharing(keys().map(|key| hasher.hash_one(array(key)))) < 3);
        assert!(sharing(keys().map(|key| hasher.hash_one(key))) < 3);
        assert!(sharing(keys().map(|key| hasher.hash_one(Text(key)))) < 3);
    }
}

thread_local! {
    static COMPARED: Cell<u32> = const { Cell::new(0) };
}

/// Returns how often keys were compared.
#[derive(Clone, Eq)]
struct Counting([u8; 16]);

impl Hash for Counting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Counting {
    fn eq(&self, other: &Self) -> bool {
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

/// C109: a lookup among 16 000 of them costs the same as among other keys. (D50)
#[test]
fn c109_a_look_among_them() {
    let compared = |second: fn(u64) -> u64| {
        let builder = Cache::builder(Local::new(ManualClock::new())).capacity(20_000);
        let cache = builder.load_fn(|_: Counting| async { Err::<u64, _>(Boom(1)) }).build().expect("valid");
        let key = |n: u64| Counting(bytes(&[n, second(n)]).try_into().expect("16 bytes"));
        for n in 0..16_000 {
            cache.insert(key(n), n);
        }
        let before = COMPARED.get();
        for n in 0..1000 {
            assert_eq!(cache.get_if_present(&key(16 * n)), Some(16 * n));
        }
        COMPARED.get() - before
    };
    // Each is compared with itself, and seldom with another that has the same tag in the table.
    let others = compared(free);
    assert!((1000..1500).contains(&others), "{others}");
    let chosen = compared(|_| FOLDHASH);
    assert!((1000..1500).contains(&chosen), "{chosen}");
}

/// What a family tries to cancel: the word itself, or what it becomes on the way.
fn variants(word: u64) -> [u64; 10] {
    [
        word,
        !word,
        word.wrapping_neg(),
        word.swap_bytes(),
        word.rotate_left(16),
        word.rotate_left(32),
        word.rotate_left(48),
        // With the length of 16 bytes, or the end of a string.
        word ^ 16,
        word.wrapping_sub(16),
        word ^ 0xff,
    ]
}

/// C109: no public word makes keys collide, at any place of any kind of key. (D50)
#[test]
fn c109_every_public_word() {
    let hashers = [&instances()[0], &DefaultHasher::with_seed(7)];
    for (word, hasher) in PUBLIC.into_iter().flat_map(variants).flat_map(|word| hashers.map(|hasher| (word, hasher))) {
        let try_kind = |kind: &str, hash: &dyn Fn(u64) -> u64| {
            assert!(sharing((0..24).map(|n| hash(free(n)))) < 3, "{kind} of {word:#x}");
        };
        let hash = |key: Vec<u8>| hasher.hash_one(key);
        try_kind("u64", &|n| hasher.hash_one(word.wrapping_add(n)));
        try_kind("u64 by bits", &|n| hasher.hash_one(word ^ n));
        try_kind("u128, high", &|n| hasher.hash_one(u128::from(word) << 64 | u128::from(n)));
        try_kind("u128, low", &|n| hasher.hash_one(u128::from(n) << 64 | u128::from(word)));
        try_kind("(u64, u64), second", &|n| hasher.hash_one((n, word)));
        try_kind("(u64, u64), first", &|n| hasher.hash_one((word, n)));
        try_kind("(u64, u64, u64)", &|n| hasher.hash_one((n, word, word)));
        try_kind("[u64; 4]", &|n| hasher.hash_one([n, word, !n, word]));
        try_kind("(u32, u64, u8)", &|n| hasher.hash_one((n as u32, word, (n >> 32) as u8)));
        // Whole words in all places but one, and in one place only.
        for len in [2, 3, 4, 5, 8] {
            for place in 0..len {
                let with = |mine: u64, other: u64| {
                    let mut words = Vec::from_iter(repeat_n(other, len));
                    words[place] = mine;
                    bytes(&words)
                };
                try_kind("bytes, all but one place", &|n| hash(with(n, word)));
                try_kind("bytes, in one place", &|n| hash(with(word, n)));
                try_kind("text, in one place", &|n| hasher.hash_one(Text(with(word, n))));
                // The same with bytes before them, so that they are whole words only when counted from the end.
                try_kind("bytes, from the end", &|n| hash([vec![0; 5], with(word, n)].concat()));
            }
        }
        let array = |n: u64| <[u8; 16]>::try_from(bytes(&[n, word])).expect("16 bytes");
        try_kind("[u8; 16]", &|n| hasher.hash_one(array(n)));
        try_kind("(text, text)", &|n| hasher.hash_one((Text(array(n).into()), Text(array(!n).into()))));
        let ascii = |n: u64| String::from_utf8(bytes(&[n, word]).iter().map(|byte| byte & 0x7f).collect());
        let ascii = |n: u64| ascii(n & 0x7f7f_7f7f_7f7f_7f7f).expect("ASCII");
        try_kind("String", &|n| hasher.hash_one(ascii(n)));
        try_kind("(String, String)", &|n| hasher.hash_one((ascii(n), ascii(!n))));
        try_kind("a struct", &|n| {
            hasher.hash_one(Path { host: "larder.example".into(), port: n as u16, path: array(n).into() })
        });
        try_kind("a struct by its host", &|n| {
            hasher.hash_one(Path { host: ascii(n), port: 443, path: bytes(&[word]) })
        });
    }
}

/// The words that foldhash derives from one word for a shared seed.
fn derived(seed: u64) -> [u64; 6] {
    let mut word = seed;
    let mut next = || {
        for _ in 0..3 {
            let product = u128::from(word) * u128::from(PUBLIC[5]);
            word = product as u64 ^ (product >> 64) as u64;
        }
        word | FORCED
    };
    std::array::from_fn(|_| next())
}

/// C109: a seed that is a small number is not a word that keys cancel, nor is what foldhash derives from one. (D50)
#[test]
fn c109_small_seeds() {
    assert_eq!(format!("{:?}", foldhash::SharedSeed::from_u64(7)), format!("SharedSeed {{ seeds: {:?} }}", derived(7)));
    for seed in (0..8).chain([0x5eed, u64::from(u32::MAX), u64::MAX - 1, u64::MAX]) {
        let hashers = [DefaultHasher::with_seed(seed), instances().swap_remove(0)];
        for (hasher, word) in hashers.iter().flat_map(|hasher| derived(seed).map(|word| (hasher, word))) {
            let cancelling = [seed, word, word ^ seed, word & !FORCED].into_iter().flat_map(variants);
            for word in cancelling {
                let try_kind = |kind: &str, hash: &dyn Fn(u64) -> u64| {
                    assert!(sharing((0..24).map(hash)) < 3, "{kind} of {word:#x} by seed {seed}");
                };
                try_kind("(u64, u64), first", &|n| hasher.hash_one((word, n)));
                try_kind("(u64, u64), second", &|n| hasher.hash_one((n, word)));
                try_kind("(u64, u64, u64)", &|n| hasher.hash_one((seed, word, n)));
                try_kind("16 bytes, first", &|n| hasher.hash_one(bytes(&[word, n])));
                try_kind("16 bytes, second", &|n| hasher.hash_one(bytes(&[n, word])));
                try_kind("text, first", &|n| hasher.hash_one(Text(bytes(&[word, n]))));
                try_kind("text, second", &|n| hasher.hash_one(Text(bytes(&[n, word]))));
                try_kind("long bytes", &|n| hasher.hash_one(bytes(&[word, n, seed, word, n])));
                try_kind("long text", &|n| hasher.hash_one(Text(bytes(&[word, n, n, word]))));
            }
        }
    }
}

/// None of the secrets is shown. (D50)
#[test]
fn secrets_stay_secret() {
    assert_eq!(format!("{:?}", DefaultHasher::with_seed(7)), "DefaultHasher { .. }");
}

/// Hashes of keys of several kinds, made of one word.
fn kinds() -> [(&'static str, fn(&DefaultHasher, u64) -> u64); 6] {
    [
        ("u64", |hasher, n| hasher.hash_one(n)),
        ("u128", |hasher, n| hasher.hash_one(u128::from(n) << 64)),
        ("(u64, u64)", |hasher, n| hasher.hash_one((n, n.rotate_left(32)))),
        ("[u8; 16]", |hasher, n| hasher.hash_one(<[u8; 16]>::try_from(bytes(&[n, !n])).expect("16 bytes"))),
        ("String", |hasher, n| hasher.hash_one(format!("user {n}"))),
        ("Vec<u8>", |hasher, n| hasher.hash_one(bytes(&[n, n, n, n, n]))),
    ]
}

/// C109: keys that collide in one instance are ordinary in another. (D50)
#[test]
fn c109_found_in_one_instance() {
    for (kind, hash) in kinds() {
        // In the bits that choose a bucket, because equal hashes cannot be found by searching.
        let bucket = |hasher: &DefaultHasher, n: u64| hash(hasher, n) & 0xff;
        let mine = DefaultHasher::with_seed(2);
        let found = Vec::from_iter((0..1 << 18).map(free).filter(|n| bucket(&mine, *n) == 7).take(512));
        assert_eq!(found.len(), 512, "{kind}");
        for other in &instances() {
            let mut buckets = [0; 256];
            found.iter().for_each(|n| buckets[bucket(other, *n) as usize] += 1);
            let fullest = buckets.iter().max().copied().unwrap_or(0);
            assert!(fullest < 14, "{kind}: {fullest} of 512 in one of 256 buckets");
        }
    }
}

/// C109: similar keys spread under any seed, not only under lucky ones. (D50)
#[test]
fn c109_keys_in_a_row() {
    for (kind, hash) in kinds() {
        for (seed, shift) in (0..60).flat_map(|seed| [0, 20, 52].map(|shift| (seed, shift))) {
            let hasher = DefaultHasher::with_seed(seed);
            let mut buckets = [0; 256];
            (0..1024).for_each(|n| buckets[(hash(&hasher, n) >> shift & 0xff) as usize] += 1);
            let fullest = buckets.iter().max().copied().unwrap_or(0);
            assert!(fullest < 24, "{kind}: {fullest} of 1024 in one of 256 buckets, from bit {shift}, by seed {seed}");
        }
    }
}

/// C109: differences that suit a multiplication collide under none of many seeds. (D50)
#[test]
fn c109_differences() {
    for seed in 0..3000 {
        let hasher = DefaultHasher::with_seed(seed);
        let word = free(seed + 1);
        let alike =
            [word, !word, word.wrapping_neg(), word.wrapping_add(THIRD), word.wrapping_sub(THIRD), word ^ 1 << 63];
        let alike = || alike.into_iter().chain([word.swap_bytes(), word.rotate_left(32), 0]);
        let pairs = || alike().flat_map(|one| alike().map(move |other| (one, other)));
        assert!(sharing(alike().map(|one| hasher.hash_one(one))) == 1, "u64 by seed {seed}");
        assert!(sharing(pairs().map(|pair| hasher.hash_one(pair))) == 1, "(u64, u64) by seed {seed}");
        assert!(
            sharing(pairs().map(|(one, other)| hasher.hash_one(bytes(&[one, other])))) == 1,
            "bytes by seed {seed}"
        );
    }
}

/// C109: byte strings of different lengths differ, even if a key writes nothing else. (D50)
#[test]
fn c109_lengths() {
    struct Bare(Vec<u8>);
    impl Hash for Bare {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write(&self.0);
        }
    }
    for hasher in instances() {
        for byte in [0, 1, 0x7f, 0xff] {
            let hashes = (0..300).map(|len| hasher.hash_one(Bare(vec![byte; len])));
            assert_eq!(sharing(hashes), 1, "{byte}");
        }
    }
}
