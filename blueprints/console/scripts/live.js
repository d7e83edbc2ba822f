// The numbered events as they happen: one stream a number, read by fetch, taken up again where it broke off.
import { createStore } from './ui.js';
import { get, query } from './api.js';
import { session } from './session.js';

const handlers = new Set();
export const live = createStore({ state: 'connecting', lastAt: null });
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const SILENT_MS = 60_000;
const OVERLAP = 20;
/** The number of the newest event of each phone number that this tab was told of. */
const seen = new Map();
const open = new Set();
let turn = 0;
let channel = null;
let leaving = null;

/** Called with every event, and with null when some may have been missed: then read again what is shown. */
export function onEvent(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

/** Where each log ends now. What is read after this is completed by the events after it, so nothing falls between;
    a few more are told again, since documents may be behind the log. */
export async function prepare() {
  const found = await get('/console/tails').catch(() => ({ data: [] }));
  seen.clear();
  for (const one of found.data) seen.set(one.phone_number_id, Math.max(0, one.last_seq - OVERLAP));
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

function setState(state) {
  live.set({ state });
  channel?.postMessage({ state });
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
    else if ('event' in data) deliver(data.event);
    else live.set({ state: data.state });
  };
  channel.postMessage({ hello: true });
  await navigator.locks.request(name, { signal: leaving.signal }, async () => {
    leads = true;
    await lead(isOver);
  }).catch(() => {});
}

const lead = (isOver) => Promise.all([...seen.keys()].map((number) => follow(number, isOver)));

export function goQuiet() {
  turn += 1;
  leaving?.abort();
  channel?.close();
  channel = null;
  for (const stop of open) stop.abort();
}

async function follow(number, isOver) {
  let failures = 0;
  while (!isOver()) {
    try {
      await stream(number, isOver, () => {
        failures = 0;
        setState('live');
      });
    } catch (error) {
      if (error.status === 401 || isOver()) return;
      failures += 1;
      if (error.status === 422) {
        await prepare();
        tell(null);
      }
    }
    if (isOver()) return;
    if (failures > 1) setState('broken');
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    await new Promise((done) => setTimeout(done, pauseMs * (1 + Math.random() / 2)));
  }
}

async function stream(number, isOver, onOpen) {
  const stop = new AbortController();
  open.add(stop);
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), SILENT_MS);
  };
  try {
    alive();
    const answer = await fetch(`/v1/events/stream${query({ phone_number_id: number })}`, {
      credentials: 'same-origin', signal: stop.signal, headers: { accept: 'text/event-stream', 'last-event-id': String(seen.get(number) ?? 0) },
    });
    if (!answer.ok) throw Object.assign(new Error('stream'), { status: answer.status });
    onOpen();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done || isOver()) return;
      alive();
      const frames = (rest + value).split(/\r?\n\r?\n/);
      rest = frames.pop();
      for (const frame of frames) {
        const data = frame.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
        const event = data ? JSON.parse(data) : null;
        if (event?.type === 'goodbye') {
          if (event.reason === 'key_revoked') throw Object.assign(new Error('revoked'), { status: 401 });
        } else if (event?.seq) tell(event);
      }
    }
  } finally {
    clearTimeout(timer);
    open.delete(stop);
    stop.abort();
  }
}
