// Runs the program on a time that this file owns: a wait ends at once when nothing else is left to be done, so no run takes
// longer than another. Ends with 0 if everything held, with 1 if not.
import { readFile } from "node:fs/promises";

let now = 0;
let isWoken = false;
const timers = []; // of the host: { at, end }
const promises = new Map(); // loads under way, by their addresses: AbortController
const callers = new Map(); // by number: { resolve, reject }
const loads = []; // each one's key and signal

const after = (millis, signal) => new Promise((resolve, reject) => {
  const timer = { at: now + millis, end: resolve };
  timers.push(timer);
  signal?.addEventListener("abort", () => { timers.splice(timers.indexOf(timer), 1); reject(signal.reason); });
});

// In place of `fetch`: twice the key after 20 milliseconds; 404 is nowhere.
const origin = async (key, signal) => {
  loads.push({ key, signal });
  await after(20, signal);
  if (key === 404) throw new Error("nowhere");
  return 2 * key;
};

const host = {
  wake: () => { isWoken = true; },
  load: (promise, key) => {
    const controller = new AbortController();
    promises.set(promise, controller);
    const settled = (isOk, value) => { promises.delete(promise); wasm.settled(promise, isOk, value); };
    origin(key, controller.signal).then((value) => settled(1, value), () => settled(0, key));
  },
  abort: (promise) => promises.get(promise).abort(),
  settle: (caller, isOk, value) => {
    const { resolve, reject } = callers.get(caller);
    callers.delete(caller);
    if (isOk) resolve(value); else reject(new Error(`no value: ${value}`));
  },
  log: (at, length) => console.log(new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, at, length))),
};
const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), { host });
const wasm = instance.exports;

const settle = () => new Promise((resolve) => setImmediate(resolve)); // all that is to be done at this instant

// Lets time pass until `isOver` says so.
async function run(turn, isOver) {
  for (;;) {
    do { isWoken = false; turn(); await settle(); } while (isWoken);
    if (isOver()) return;
    const ends = [...timers.map((timer) => timer.at), wasm.next_deadline()].filter((at) => at >= 0);
    if (ends.length === 0) check(false, "somebody waits for nothing");
    const next = Math.max(now, Math.min(...ends));
    wasm.tick(next - now);
    now = next;
    for (const timer of timers.filter((timer) => timer.at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.end();
    }
    await settle();
  }
}

let checks = 0;
function check(holds, what) {
  checks += 1;
  if (holds) return;
  console.log(`does not hold: ${what}`);
  process.exit(1);
}

// What a page would call: a promise, and an `AbortSignal` if it likes.
let last = 0;
function get(page, key, signal) {
  const caller = (last += 1);
  return new Promise((resolve, reject) => {
    callers.set(caller, { resolve, reject });
    signal?.addEventListener("abort", () => {
      if (!callers.delete(caller)) return;
      wasm.leave(page, caller);
      reject(signal.reason);
    });
    wasm.get(page, caller, key);
  });
}

async function pages() {
  const page = wasm.open(1000);
  const all = async (...calls) => {
    let told;
    Promise.allSettled(calls).then((outcomes) => { told = outcomes; });
    await run(() => wasm.turn(page), () => told);
    return told.map((outcome) => outcome.value ?? outcome.reason);
  };
  check((await all(get(page, 7), get(page, 7), get(page, 7))).every((value) => value === 14), "three have the value");
  check(loads.length === 1, "three share a promise");
  const before = now;
  check((await all(get(page, 7)))[0] === 14 && now === before && loads.length === 1, "the fourth does not wait");

  const first = new AbortController();
  const calls = [get(page, 8, first.signal), get(page, 8)];
  wasm.turn(page);
  first.abort();
  const [aborted, served] = await all(...calls);
  check(aborted.name === "AbortError", "who aborts is told so");
  check(served === 16 && loads.length === 2 && !loads[1].signal.aborted, "the load goes on for the others");

  const lone = new AbortController();
  const call = get(page, 9, lone.signal);
  wasm.turn(page);
  check(loads.length === 3 && !loads[2].signal.aborted, "a load is under way");
  lone.abort();
  check(loads[2].signal.aborted, "nobody waits: it is aborted");
  check((await all(call))[0].name === "AbortError", "the last one is told, too");
  check((await all(get(page, 9)))[0] === 18 && loads.length === 4, "a later one begins anew");

  const failed = await all(get(page, 404), get(page, 404), get(page, 404));
  check(failed.every((error) => error.message === "no value: 404") && loads.length === 5, "three share a failure");

  await all(after(1000));
  check((await all(get(page, 7)))[0] === 14 && loads.length === 6, "a value expires by the time of the host");
  check(wasm.loads(page) === loads.length, "the cache counts the same");
  wasm.close(page);
}

async function cases() {
  const begun = wasm.begin_cases();
  let state = 0;
  await run(() => { state ||= wasm.poll_cases(begun); }, () => state);
  wasm.end_cases(begun);
  check(state === 1, "the cases of all machines");
}

await cases();
await pages();
await settle();
check(promises.size === 0 && callers.size === 0, "nothing is under way any more");
check(wasm.live() === 0, `no memory stays behind: ${wasm.live()} bytes`);
console.log(`wasm32: ${checks} checks held`);
