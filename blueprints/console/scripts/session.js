// Who is signed in. The page keeps no key: the session is a cookie that scripts cannot read.
import { createStore } from './ui.js';
import { api, get, onSessionEnded, post } from './api.js';

export const session = createStore({ isKnown: false, signed_in: false, scopes: [], reason: null });
const TOUCH_MS = 60_000;

export const may = (scope) => session.get().scopes.includes(scope);
export const isSandbox = () => session.get().whatsapp === 'sandbox';

export async function look() {
  session.set({ ...(await get('/console/session')), isKnown: true });
}

export async function signIn(key) {
  session.set({ ...(await post('/console/session', { key })), isKnown: true, reason: null });
}

export async function signOut() {
  await api('DELETE', '/console/session');
  session.set({ signed_in: false, scopes: [], reason: null });
}

onSessionEnded(() => {
  if (session.get().signed_in) session.set({ signed_in: false, scopes: [], reason: 'ended' });
});

/** People who touch the page stay signed in; a page that is only open does not. */
export function keepAlive() {
  let touchedAt = Date.now();
  const touch = () => {
    if (Date.now() - touchedAt < TOUCH_MS || !session.get().signed_in) return;
    touchedAt = Date.now();
    post('/console/session/touch').catch(() => {});
  };
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, touch, { passive: true });
  setInterval(() => session.get().signed_in && !document.hidden && look().catch(() => {}), 5 * TOUCH_MS);
}
