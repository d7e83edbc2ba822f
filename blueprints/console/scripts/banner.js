// What is wrong with the installation, and what to do about it. Silent while all is well.
import { html, createStore, useEvery, useStore } from './ui.js';
import { Icon } from './icons.js';
import { get } from './api.js';
import { live } from './live.js';
import { heldWords } from './failures.js';
import { may } from './session.js';
import { t } from './words.js';

const health = createStore({ checks: {}, isAway: false, notes: [] });
const EVERY_MS = 5_000;

async function look() {
  try {
    const answer = await fetch('/console/health', { headers: { accept: 'application/json' } });
    const body = await answer.json();
    health.set({ isAway: false, checks: body.checks ?? {} });
  } catch {
    health.set({ isAway: true });
  }
  if (!may('numbers')) return;
  const numbers = await get('/v1/numbers').catch(() => ({ data: [] }));
  health.set({ numbers: numbers.data });
}

/** Every fault as [words, what to do]. */
export function faultsOf({ checks, isAway, numbers = [] }, isBroken) {
  if (isAway) return [[t('banner.away'), t('banner.away.do')]];
  const faults = [];
  if (checks.database && checks.database !== 'ok') faults.push([t('banner.database'), t('banner.database.do')]);
  if (checks.owner && checks.owner !== 'ok') faults.push([t('banner.owner'), t('banner.owner.do')]);
  if (checks.secrets && checks.secrets !== 'ok') faults.push([t('banner.secrets'), t('banner.secrets.do')]);
  if (checks.cluster && checks.cluster !== 'ok') faults.push([t('banner.cluster', { reason: checks.cluster }), t('banner.cluster.do')]);
  for (const number of numbers) {
    if (number.is_paused) faults.push([t('banner.paused', { number: number.display_phone_number }), t('banner.paused.do')]);
    else if (number.hold_reason) faults.push([t('banner.held', { number: number.display_phone_number, reason: heldWords(number.hold_reason) }), t('banner.held.do')]);
  }
  if (!faults.length && isBroken) faults.push([t('banner.stream'), t('banner.stream.do')]);
  return faults;
}

export function Banner() {
  useEvery(look, EVERY_MS);
  const state = useStore(health);
  const isBroken = useStore(live, (value) => value.state === 'broken');
  const faults = faultsOf(state, isBroken);
  return html`<div class="banners" role="status" aria-live="polite">${faults.map(([words, todo]) => html`<div class="banner" key=${words}><${Icon} name="alert" size=${18} /><p><strong>${words}</strong> ${todo}</p></div>`)}</div>`;
}
