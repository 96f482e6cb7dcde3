//! Looks straight into the second tier: nothing may be fresh there that is older than what was acknowledged before.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{
    plan::{KEYS, NAMESPACE, STORM, Writes},
    record::{Version, World},
    support::random,
};

/// The payload of a value that is fresh.
const FRESH: &str = r"
local v = redis.call('HMGET', KEYS[1], 'p', 'l', 's')
if not v[1] then return false end
if tonumber(v[2]) >= 0 and redis.call('PTTL', KEYS[1]) <= tonumber(v[3]) then return false end
return v[1]
";

/// Looks until it is dropped.
pub(crate) async fn watch(world: Arc<World>, url: String, writes: Writes) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = None;
    loop {
        if connection.is_none() {
            let made = timeout(Duration::from_millis(200), client.get_multiplexed_async_connection()).await;
            connection = made.ok().and_then(Result::ok);
        }
        let Some(link) = &mut connection else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let key = match writes {
            Writes::Storm => random(STORM),
            _ if random(3) == 0 => random(KEYS),
            _ => random(50),
        };
        let floor = world.floor.lock().unwrap()[usize::try_from(key).unwrap()];
        let mut look = redis::cmd("EVAL");
        look.arg(FRESH).arg(1).arg(format!("{NAMESPACE}:v:{{{key}}}"));
        match timeout(Duration::from_millis(300), look.query_async::<Option<String>>(link)).await {
            Ok(Ok(Some(payload))) => {
                let (version, _): Version = serde_json::from_str(&payload).unwrap();
                let mut record = world.record.lock().unwrap();
                record.looked_at += 1;
                if version < floor {
                    record.old_ones.push(format!("key {key}: {version} after {floor} was acknowledged"));
                }
            }
            Ok(Ok(None)) => {}
            _ => connection = None,
        }
        sleep(Duration::from_micros(500)).await;
    }
}
