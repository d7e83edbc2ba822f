// Who is signed in. The page keeps no key: the session is a cookie that scripts cannot read.
import { createStore } from './ui.js';
import { api, get, onSessionEnded, post } from './api.js';

export const session = createStore({ isKnown: false, signed_in: false, scopes: [], reason: null });
const TOUCH_MS = 60_000;
const LOOK_MS = 300_000;
const IDLE_S = 1800;

export const may = (scope) => session.get().scopes.includes(scope);
export const isSandbox = () => session.get().whatsapp === 'sandbox';

export async function look() {
  session.set({ ...(await get('/console/session')), isKnown: true });
}

export async function signIn(key) {
  session.set({ ...(await post('/console/session', { key })), isKnown: true, reason: null });
}

/** `everywhere`: in every browser that signed in with the same key. */
export async function signOut({ everywhere = false } = {}) {
  await api('DELETE', `/console/session${everywhere ? '?everywhere=true' : ''}`);
  session.set({ signed_in: false, scopes: [], reason: null });
}

onSessionEnded(() => {
  if (session.get().signed_in) session.set({ signed_in: false, scopes: [], reason: 'ended' });
});

/** People who touch the page stay signed in; a page that is only open ends its session and shows the sign-in page. */
export function keepAlive() {
  const idleMs = () => (session.get().idle_s ?? IDLE_S) * 1000;
  let touchedAt = Date.now();
  let timer = null;
  const check = async () => {
    clearTimeout(timer);
    if (session.get().signed_in) {
      await look().catch(() => {});
      if (!session.get().signed_in) session.set({ scopes: [], reason: 'ended' });
    }
    // Another tab may have been touched meanwhile: only the server knows, so it is asked again.
    timer = setTimeout(check, Math.max(1_000, Math.min(LOOK_MS, idleMs() / 4)));
  };
  const touch = () => {
    if (Date.now() - touchedAt < Math.min(TOUCH_MS, idleMs() / 5) || !session.get().signed_in) return;
    touchedAt = Date.now();
    post('/console/session/touch').catch(() => {});
  };
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, touch, { passive: true });
  addEventListener('visibilitychange', () => document.hidden || check());
  timer = setTimeout(check, Math.min(LOOK_MS, idleMs() / 4));
}
