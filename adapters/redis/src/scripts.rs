//! The protocol: three keys for each of ours, all in one hash slot, and six scripts.
//!
//! * `ns:v:{id}`, the value, a hash: `f` fingerprint, `n` name (if a hash of it stands between the braces), `k` kind (`v`
//!   value, `x` none: each process loads its own), `p` payload, `l` milliseconds of its life that are fresh, those before
//!   it came here included (-1: all), `s` milliseconds after that in which it is stale, `w` its weight, if its load has said
//!   so. It expires after both.
//! * `ns:l:{id}`, the lease: the random token of its holder, with `*` behind it once somebody waits; `!` while a failure is
//!   cooling down. It expires with the lease.
//! * `ns:e:{id}`, the epoch, which is what lies between two writes, a hash: `id` random, `n` attempts begun, `p` the latest
//!   one that was published. It expires some time after the last lease.
//! * `ns:n:i:{id}`, `ns:n:x:{id}`, `ns:n:w:{id}` are touched and never there: notices that a value is gone, that it is
//!   stale, that a lease has ended that somebody waited for. Touched, not deleted, since the deletion of a key that is
//!   not there is heard by nobody.
//!
//! No script reads a clock: lives are the server's expiry. Tokens are compared for being equal, and nothing else.

use std::{borrow::Cow, sync::OnceLock};

use sha1_smol::Sha1;

/// A script, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// KEYS v l e; ARGV token, lease ms, fingerprint, name, ms of age from which a fresh value is to be loaded anew (empty: of
    /// none), 1 if we would wait, ms of the epoch's memory, 1 if it is to be loaded in any case: then an endless value, whose
    /// age is not known, is not enough, and another's load is waited for, whatever is there. Returns the letter of a state (`decide::found`), ms of fresh life left, age
    /// in ms, ms left of the lease, kind, payload, epoch, attempt, weight.
    Lookup,
    /// KEYS v l w e; ARGV token, fingerprint, name, kind, payload, fresh ms (-1: for ever), stale ms, epoch, attempt, age in
    /// ms, weight (0: not said).
    /// Returns 1 if it is stored; 0 if a write or a later attempt came first, or the epoch is forgotten. That the lease is
    /// over does not matter; afterwards it is.
    Publish,
    /// KEYS v l w; ARGV token, ms of cooling down. The load failed or was dropped.
    Release,
    /// KEYS v l i e. The value is gone and every attempt is void.
    Invalidate,
    /// KEYS v l x e. The same, but the value stays, stale.
    Expire,
    /// KEYS v l i e; ARGV token, lease ms, ms of the epoch's memory. Invalidates, and begins an epoch whose first attempt is
    /// the writer's own. The value follows by `Publish`, so that one which is late cannot undo what was written since.
    Store,
}

const ALL: [Script; 6] =
    [Script::Lookup, Script::Publish, Script::Release, Script::Invalidate, Script::Expire, Script::Store];

impl Script {
    pub(crate) fn text(self) -> &'static str {
        &self.made().0
    }

    /// By what the server finds it again.
    pub(crate) fn hash(self) -> &'static str {
        &self.made().1
    }

    fn made(self) -> &'static (Cow<'static, str>, String) {
        static MADE: OnceLock<[(Cow<'static, str>, String); 6]> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            ALL.map(|script| {
                let text = crate::mutant::script(script.source());
                let hash = Sha1::from(&*text).digest().to_string();
                (text, hash)
            })
        });
        &made[self as usize]
    }

    const fn source(self) -> &'static str {
        match self {
            Self::Lookup => LOOKUP,
            Self::Publish => PUBLISH,
            Self::Release => RELEASE,
            Self::Invalidate => INVALIDATE,
            Self::Expire => EXPIRE,
            Self::Store => STORE,
        }
    }
}

const LOOKUP: &str = r"
local v = redis.pcall('HMGET', KEYS[1], 'f', 'n', 'l', 's', 'k', 'p', 'w')
local there = not v.err and v[1] == ARGV[3] and (v[2] or '') == ARGV[4]
local left, age, kind, payload, weight, endless = 0, 0, '', '', '0', false
if there then
  local life = tonumber(v[3])
  kind, payload, weight, endless = v[5], v[6], v[7] or '0', life < 0
  if endless then
    left = -1
  else
    left = redis.call('PTTL', KEYS[1]) - tonumber(v[4])
    age = life - left
  end
  local enough = endless or left > 0
  if ARGV[5] ~= '' then enough = enough and (endless and ARGV[8] == '0' or not endless and age < tonumber(ARGV[5])) end
  if enough then return {'F', left, age, 0, kind, payload, '', 0, weight} end
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('HSETNX', KEYS[3], 'id', ARGV[1])
  local attempt = redis.call('HINCRBY', KEYS[3], 'n', 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
  if endless then left = 0 end
  return {there and 'R' or 'L', left, age, tonumber(ARGV[2]), kind, payload, redis.call('HGET', KEYS[3], 'id'), attempt, weight}
end
local lease = redis.call('PTTL', KEYS[2])
if there and ARGV[8] == '0' then return {(endless or left > 0) and 'F' or 'S', left, age, lease, kind, payload, '', 0, weight} end
local holder = redis.call('GET', KEYS[2])
if holder == '!' then return {'C', 0, 0, lease, '', '', '', 0, weight} end
if ARGV[6] == '1' and string.sub(holder, -1) ~= '*' then redis.call('APPEND', KEYS[2], '*') end
return {'W', 0, 0, lease, '', '', '', 0, weight}
";

const PUBLISH: &str = r"
local holder = redis.call('GET', KEYS[2])
local ours = holder and string.sub(holder, 1, #ARGV[1]) == ARGV[1]
local e = redis.call('HMGET', KEYS[4], 'id', 'p')
local stored = e[1] == ARGV[8] and tonumber(ARGV[9]) >= tonumber(e[2] or '0')
if stored then
  redis.call('HSET', KEYS[4], 'p', ARGV[9])
  redis.call('DEL', KEYS[1])
  local fresh = tonumber(ARGV[6])
  local life = fresh < 0 and -1 or fresh + tonumber(ARGV[10])
  redis.call('HSET', KEYS[1], 'f', ARGV[2], 'k', ARGV[4], 'p', ARGV[5], 'l', life, 's', ARGV[7])
  if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'n', ARGV[3]) end
  if ARGV[11] ~= '0' then redis.call('HSET', KEYS[1], 'w', ARGV[11]) end
  if fresh >= 0 then redis.call('PEXPIRE', KEYS[1], fresh + tonumber(ARGV[7])) end
end
if ours then redis.call('DEL', KEYS[2]) end
if (stored or ours) and string.sub(holder or '', -1) == '*' then redis.call('SET', KEYS[3], ''); redis.call('DEL', KEYS[3]) end
return stored and 1 or 0
";

const RELEASE: &str = r"
local holder = redis.call('GET', KEYS[2])
if not holder or string.sub(holder, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[2], '!', 'PX', ARGV[2]) else redis.call('DEL', KEYS[2]) end
if string.sub(holder, -1) == '*' then redis.call('SET', KEYS[3], ''); redis.call('DEL', KEYS[3]) end
return 1
";

const INVALIDATE: &str = r"
redis.call('DEL', KEYS[1], KEYS[2], KEYS[4])
redis.call('SET', KEYS[3], '')
redis.call('DEL', KEYS[3])
return 1
";

const EXPIRE: &str = r"
local v = redis.pcall('HMGET', KEYS[1], 'l', 's')
local stale = not v.err and tonumber(v[2] or '0') or 0
if stale > 0 then
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 or left > stale then redis.call('PEXPIRE', KEYS[1], stale) end
  if tonumber(v[1]) < 0 then redis.call('HSET', KEYS[1], 'l', 0) end
else
  redis.call('DEL', KEYS[1])
end
redis.call('DEL', KEYS[2], KEYS[4])
redis.call('SET', KEYS[3], '')
redis.call('DEL', KEYS[3])
return 1
";

const STORE: &str = r"
redis.call('DEL', KEYS[1], KEYS[4])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[4], 'id', ARGV[1], 'n', 1)
redis.call('PEXPIRE', KEYS[4], ARGV[3])
redis.call('SET', KEYS[3], '')
redis.call('DEL', KEYS[3])
return 1
";
