// Every word on the page, in the chosen language, and numbers and times as that language writes them.
import { createStore, useStore } from './ui.js';
import { remember, remembered } from './remembering.js';

export const LOCALES = ['es', 'en'];
export const locale = createStore({ now: 'es' });
let table = {};

export async function loadWords() {
  const answer = await fetch(new URL('../words.json', import.meta.url));
  table = await answer.json();
  const wanted = remembered('locale', document.documentElement.lang);
  choose(LOCALES.includes(wanted) ? wanted : 'en');
}

function choose(code) {
  locale.set({ now: code });
  document.documentElement.lang = code;
}

export function setLocale(code) {
  remember('locale', code);
  choose(code);
}

/** Draw again when the language changes. */
export const useLocale = () => useStore(locale, (state) => state.now);

/** The words for a key; `{name}` is replaced. A key that is missing shows itself: a test finds it before people do. */
export function t(key, values = {}) {
  const words = table[key]?.[locale.get().now] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** One of two forms, by number: `key.one` or `key.many`. */
export const tn = (key, count, values = {}) => t(`${key}.${count === 1 ? 'one' : 'many'}`, { count: number(count), ...values });

/** A word of the platform (a state, a role) if we have one for it, else the word itself. */
export const word = (group, name) => (table[`${group}.${name}`] ? t(`${group}.${name}`) : String(name ?? '').replaceAll('_', ' '));

export const number = (value, digits = 0) => new Intl.NumberFormat(locale.get().now, { maximumFractionDigits: digits }).format(value ?? 0);

export function bytes(value) {
  if (value < 1024) return `${number(value)} B`;
  const units = ['kB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log(value) / Math.log(1024)), units.length);
  return `${number(value / 1024 ** power, power > 1 ? 1 : 0)} ${units[power - 1]}`;
}

const date = (value, options) => (value ? new Intl.DateTimeFormat(locale.get().now, options).format(new Date(value)) : '');
export const clock = (value) => date(value, { hour: '2-digit', minute: '2-digit' });
export const clockSeconds = (value) => date(value, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const day = (value) => date(value, { day: 'numeric', month: 'short', year: 'numeric' });
export const moment = (value) => date(value, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const dayStart = (value) => new Date(value).setHours(0, 0, 0, 0);
const daysAgo = (value) => Math.round((dayStart(Date.now()) - dayStart(value)) / 86_400_000);

/** For lists: the time today, the weekday this week, else the date. */
export function when(value) {
  if (!value) return '';
  const days = daysAgo(value);
  if (days <= 0) return clock(value);
  if (days === 1) return t('time.yesterday');
  if (days < 7) return date(value, { weekday: 'short' });
  return date(value, { day: 'numeric', month: 'short' });
}

/** For the lines between days of a thread. */
export function dayName(value) {
  const days = daysAgo(value);
  if (days <= 0) return t('time.today');
  if (days === 1) return t('time.yesterday');
  return date(value, { weekday: 'long', day: 'numeric', month: 'long' });
}

/** A length of time in its two largest units. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

export const ago = (value) => (value ? t('time.ago', { time: duration((Date.now() - new Date(value)) / 1000) }) : t('time.never'));
