// One stream of numbered events: read by fetch until it ends, and how long to wait before it is opened again.
import { query } from './api.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const LONGEST_ASKED_MS = 60_000;
const OPEN_MS = 15_000;
/** The server says something every 15 s. */
const SILENT_MS = 40_000;
const open = new Set();

/** What ended a stream or kept it from opening. `status` 0: the network; `retryMs`: the server asked for that pause. */
export class StreamEnd extends Error {
  constructor(status, retryMs = 0) {
    super(`stream ${status}`);
    this.status = status;
    this.retryMs = retryMs;
  }
}

/** Read one number's events after `after` until the stream ends; throws a StreamEnd, whatever ended it. */
export async function readStream(number, after, { isOver, onOpen, onEvent }) {
  const stop = new AbortController();
  open.add(stop);
  let timer = setTimeout(() => stop.abort(), OPEN_MS);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), SILENT_MS);
  };
  try {
    const answer = await fetch(`/v1/events/stream${query({ phone_number_id: number })}`, {
      credentials: 'same-origin', cache: 'no-store', signal: stop.signal, headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
    });
    if (!answer.ok) throw new StreamEnd(answer.status, secondsOf(answer.headers.get('retry-after')) * 1000);
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) throw new StreamEnd(502);
    alive();
    onOpen();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done || isOver()) throw new StreamEnd(200);
      alive();
      const frames = (rest + value).split(/\r?\n\r?\n/);
      rest = frames.pop();
      for (const event of frames.map(eventOf)) {
        // A page whose session has been renewed meanwhile is let in again at once; the server says if it is not.
        if (event?.type === 'goodbye') throw new StreamEnd(200, event.reason === 'key_revoked' ? 0 : event.retry_ms);
        if (event?.seq) onEvent(event);
      }
    }
  } catch (error) {
    throw error instanceof StreamEnd ? error : new StreamEnd(0);
  } finally {
    clearTimeout(timer);
    open.delete(stop);
    stop.abort();
  }
}

/** End every stream that is open: the network has gone, or somebody signed out. */
export const endStreams = () => open.forEach((stop) => stop.abort());

/** How long to wait before the next try: longer with each failure in a row, and at least as the server asked. */
export function pauseMs(failures, askedMs = 0, random = Math.random()) {
  const own = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (1 + random / 2);
  return Math.max(own, Math.min(askedMs || 0, LONGEST_ASKED_MS));
}

/** Wait so long, or until the network is back or somebody looks at the page again. */
export function pause(ms) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      document.removeEventListener('visibilitychange', end);
      done();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    document.addEventListener('visibilitychange', end);
  });
}

const secondsOf = (text) => (/^\d{1,6}$/.test(text ?? '') ? Number(text) : 0);

function eventOf(frame) {
  const data = frame.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
  return data ? JSON.parse(data) : null;
}
