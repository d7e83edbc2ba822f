// What an error of WhatsApp means and what to do about it, in the chosen language.
import { word, locale } from './words.js';

let table = {};
let families = [];

export async function loadFailures() {
  const answer = await fetch(new URL('../whatsapp_errors.json', import.meta.url));
  table = await answer.json();
  families = Object.keys(table).filter((key) => key.includes('-')).map((key) => [...key.split('-').map(Number), table[key]]);
}

const rowOf = (code) => table[code] ?? families.find(([first, last]) => code >= first && code <= last)?.[2];

/** `{title, todo, told}` of an error with Meta's code, or null. `told` is what WhatsApp said beyond the usual. */
export function failureOf(error) {
  const row = error?.code != null && rowOf(error.code);
  if (!row) return null;
  const { now } = locale.get();
  return { title: row.title[now], todo: row.do[now], told: error.details && error.details !== row.usual ? error.details : null };
}

/** Why something waits: our own word for it, or WhatsApp's error. */
export function heldWords(reason) {
  const code = /^platform_(\d+)$/.exec(reason ?? '')?.[1];
  return (code && rowOf(Number(code))?.title[locale.get().now]) || word('held', reason);
}
