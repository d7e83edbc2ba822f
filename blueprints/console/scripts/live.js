// The numbered events as they happen: one stream a number, read by fetch, taken up again where it broke off.
import { createStore } from './ui.js';
import { get, query } from './api.js';
import { session } from './session.js';

const handlers = new Set();
export const live = createStore({ state: 'connecting', lastAt: null });
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const SILENT_MS = 60_000;
const open = new Set();
let turn = 0;

/** Called with every event, and with null when some may have been missed: then read again what is shown. */
export function onEvent(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

function tell(event) {
  live.set({ lastAt: Date.now() });
  for (const handler of [...handlers]) handler(event);
}

export async function goLive() {
  const mine = (turn += 1);
  const isOver = () => mine !== turn || !session.get().signed_in;
  const numbers = await get('/v1/numbers').then((found) => found.data.map((one) => one.phone_number_id), () => []);
  if (!isOver()) await Promise.all(numbers.map((number) => follow(number, isOver)));
}

export function goQuiet() {
  turn += 1;
  for (const stop of open) stop.abort();
}

async function follow(number, isOver) {
  const at = { after: null };
  let failures = 0;
  let isFirst = true;
  while (!isOver()) {
    try {
      await stream(number, at, isOver, () => {
        failures = 0;
        live.set({ state: 'live' });
        // Without a number to go on from, nobody can tell what was missed in between.
        if (!isFirst && at.after === null) tell(null);
        isFirst = false;
      });
    } catch (error) {
      if (error.status === 401 || isOver()) return;
      if (error.status === 422) at.after = null;
      failures += 1;
    }
    if (isOver()) return;
    if (failures > 1) live.set({ state: 'broken' });
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    await new Promise((done) => setTimeout(done, pauseMs * (1 + Math.random() / 2)));
  }
}

async function stream(number, at, isOver, onOpen) {
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
      credentials: 'same-origin', signal: stop.signal, headers: { accept: 'text/event-stream', ...(at.after === null ? {} : { 'last-event-id': String(at.after) }) },
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
          at.after = event.after ?? at.after;
          if (event.reason === 'key_revoked') throw Object.assign(new Error('revoked'), { status: 401 });
        } else if (event?.seq > (at.after ?? 0)) {
          at.after = event.seq;
          tell(event);
        }
      }
    }
  } finally {
    clearTimeout(timer);
    open.delete(stop);
    stop.abort();
  }
}
