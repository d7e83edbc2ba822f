// The numbered events as they happen: one stream a number, taken up again where it broke off, whatever ended it.
import { createStore } from './ui.js';
import { get } from './api.js';
import { endStreams, pause, pauseMs, readStream } from './live_stream.js';
import { look, may, session } from './session.js';

const handlers = new Set();
export const live = createStore({ state: 'connecting', lastAt: null });
const OVERLAP = 20;
/** A stream that ends sooner counts as a failure: it is not opened again at once for ever. */
const SETTLED_MS = 5_000;
/** The number of the newest event of each phone number that this tab was told of. */
const seen = new Map();
/** How each number's stream is: `live`, `connecting` (it ended, or begins), `broken` (a try has failed). */
const states = new Map();
let turn = 0;
let channel = null;
let leaving = null;

/** Called with every event, and with null when some may have been missed: then read again what is shown. */
export function onEvent(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

/** Where each log ends now. What is read after this is completed by the events after it, so nothing falls between;
    a few more are told again, since documents may be behind the log. False: the server did not say. */
export async function prepare() {
  const found = await get('/console/tails').catch(() => null);
  if (!found) return false;
  seen.clear();
  for (const one of found.data) seen.set(one.phone_number_id, Math.max(0, one.last_seq - OVERLAP));
  return true;
}

function deliver(event) {
  if (event && event.seq <= (seen.get(event.phone_number_id) ?? 0)) return;
  if (event) seen.set(event.phone_number_id, event.seq);
  live.set({ lastAt: Date.now() });
  for (const handler of [...handlers]) handler(event);
}

function tell(event) {
  deliver(event);
  channel?.postMessage({ event });
}

/** The page is as live as the worst of its streams. */
function setState(number, state) {
  states.set(number, state);
  const all = [...states.values()];
  const worst = ['broken', 'connecting'].find((one) => all.includes(one)) ?? 'live';
  live.set({ state: worst });
  channel?.postMessage({ state: worst });
}

/** The server refused the stream's session: is it over? Then every tab shows the sign-in page. */
async function lookAgain() {
  await look().catch(() => {});
  if (session.get().signed_in) return;
  channel?.postMessage({ look: true });
  session.set({ scopes: [], reason: 'ended' });
}

/** Browsers allow few connections to one host, so of many open tabs one listens and tells the others. */
export async function goLive() {
  const mine = (turn += 1);
  const isOver = () => mine !== turn || !session.get().signed_in;
  if (!navigator.locks || !globalThis.BroadcastChannel) return lead(isOver);
  const name = `panal-live-${session.get().key_id}`;
  channel?.close();
  channel = new BroadcastChannel(name);
  leaving = new AbortController();
  let leads = false;
  channel.onmessage = ({ data }) => {
    if (isOver()) return;
    if (data.hello) leads && channel.postMessage({ state: live.get().state });
    else if (data.look) lookAgain();
    else if ('event' in data) deliver(data.event);
    else live.set({ state: data.state });
  };
  channel.postMessage({ hello: true });
  await navigator.locks.request(name, { signal: leaving.signal }, async () => {
    leads = true;
    await lead(isOver);
  }).catch(() => {});
}

async function lead(isOver) {
  if (!may('events:read')) return;
  states.clear();
  for (let failures = 0; !seen.size && !isOver(); failures += 1) {
    if (await prepare()) {
      if (failures) tell(null);
      break;
    }
    setState('', 'broken');
    await pause(pauseMs(failures));
  }
  states.delete('');
  await Promise.all([...seen.keys()].map((number) => follow(number, isOver)));
}

export function goQuiet() {
  turn += 1;
  leaving?.abort();
  channel?.close();
  channel = null;
  seen.clear();
  endStreams();
}

addEventListener('offline', endStreams);

async function follow(number, isOver) {
  let failures = 0;
  setState(number, 'connecting');
  while (!isOver()) {
    let end;
    let openedAt = Infinity;
    const onOpen = () => {
      openedAt = Date.now();
      setState(number, 'live');
    };
    try {
      await readStream(number, seen.get(number) ?? 0, { isOver, onOpen, onEvent: tell });
    } catch (error) {
      end = error;
    }
    if (isOver()) return;
    failures = Date.now() - openedAt > SETTLED_MS ? 0 : failures + 1;
    setState(number, end.status === 200 ? 'connecting' : 'broken');
    if (end.status === 401) await lookAgain();
    if (end.status === 422 && await prepare()) tell(null);
    if (isOver()) return;
    await pause(pauseMs(failures, end.retryMs));
  }
}
