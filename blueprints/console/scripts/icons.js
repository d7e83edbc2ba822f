// Icons as strokes on a 24 grid, drawn for this console.
import { html } from './ui.js';

const PATHS = {
  inbox: 'M4 5h16v11h-9l-4 4v-4H4z',
  cluster: 'M12 2.500l4.300 2.500v5L12 12.500 7.700 10V5zM7.700 11.500 12 14v5l-4.300 2.500L3.400 19v-5zM16.300 11.500l4.300 2.500v5l-4.300 2.500L12 19v-5z',
  numbers: 'M7 3h10v18H7zM10.500 18h3',
  webhooks: 'M9 8a3 3 0 1 1 4.500 2.600L17 17M15 17a3 3 0 1 0 3-3c-.6 0-1 .1-1.500.3M9 14a3 3 0 1 0 0 5c1-.6 1.500-1.500 1.500-2.500h5.500',
  templates: 'M5 3h14v18H5zM8.500 8h7M8.500 12h7M8.500 16h4',
  campaigns: 'M4 10v4h3l9 4V6l-9 4zM19 9.500a4 4 0 0 1 0 5M8 14l1 5h2',
  contacts: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20c.8-3.600 3.700-5.500 7.500-5.500s6.700 1.900 7.500 5.500',
  keys: 'M8 19a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM11.300 11.300 20 2.700M16 6.700l3.300 3.300M8 14.500h.01',
  events: 'M4 6h3M4 12h3M4 18h3M10 6h10M10 12h10M10 18h10',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  send: 'M4 12 20 4l-5 16-3.500-6.500z',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  clip: 'M19 11l-7.500 7.500a4.600 4.600 0 0 1-6.500-6.500L13 4a3 3 0 0 1 4.300 4.300l-7.800 7.800a1.500 1.500 0 0 1-2.100-2.100l7-7',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1.800 2.300 5.200 2.300 7 0M9 9.500h.01M15 9.500h.01',
  bolt: 'M13 3 5 14h6l-1 7 8-11h-6z',
  note: 'M5 4h14v10l-6 6H5zM13 20v-6h6',
  reply: 'M10 6 4 12l6 6M4 12h9c4 0 7 2 7 6',
  phone: 'M8 2.500h8v19H8zM11 18.500h2',
  more: 'M4.6 12h.8M11.6 12h.8M18.6 12h.8',
  check: 'M5 12.500l4.500 4.500L19 7',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  alert: 'M12 3.500 22 20H2zM12 10v4.500M12 17.200h.01',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.800h.01',
  retry: 'M19 12a7 7 0 1 1-2-4.900M19 3.500v4.500h-4.500',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500V5M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300 7 7M17 17l1.700 1.700M5.300 18.700 7 17M17 7l1.700-1.700',
  moon: 'M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z',
  auto: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 7h6.500M12 11h8.500M12 15h8M12 19h5',
  out: 'M10 4H5v16h5M14 8l4 4-4 4M18 12H9',
  user: 'M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.6-3.500 3.300-5.500 7-5.500s6.400 2 7 5.500',
  label: 'M4 4h8l8 8-8 8-8-8zM8.500 8.500h.01',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.500 19 12 7 19.500z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  edit: 'M4 20l1-4L16.500 4.500l3 3L8 19zM14.500 6.500l3 3',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  upload: 'M12 16V4M7 9l5-5 5 5M4 17v3h16v-3',
  download: 'M12 4v12M7 11l5 5 5-5M4 17v3h16v-3',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  pin: 'M12 21.500s-7-6.500-7-12a7 7 0 0 1 14 0c0 5.500-7 12-7 12zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  mic: 'M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.500a6 6 0 0 0 12 0M12 17.500V21',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
  archive: 'M3.500 5h17v4h-17zM5 9v11h14V9M10 13h4',
  online: 'M3 9a13 13 0 0 1 18 0M6 12.500a8.500 8.500 0 0 1 12 0M9 16a4 4 0 0 1 6 0M12 19.500h.01',
  block: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.600 5.600l12.800 12.800',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500h.01',
  filter: 'M4 5h16l-6.500 7.500V19l-3-1.500v-5z',
  template: 'M5 3h14v18H5zM8.500 8h7M8.500 12h7M8.500 16h4',
};

/** Decorative unless it has a `label`. */
export function Icon({ name, size = 20, label, ...rest }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="1.700" stroke-linecap="round" stroke-linejoin="round" focusable="false"
    role=${label ? 'img' : undefined} aria-label=${label} aria-hidden=${label ? undefined : 'true'} ...${rest}>
    <path d=${PATHS[name] ?? PATHS.info} /></svg>`;
}

/** The mark: one cell of the comb. */
export const Mark = ({ size = 32 }) => html`<svg width=${size} height=${size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
  <path class="mark-cell" d="M32 3 57 17.500v29L32 61 7 46.500v-29z" /><path class="mark-core" d="m32 18 12 7v14l-12 7-12-7V25z" /></svg>`;

const HEX = 'M50 2 92 26v48L50 98 8 74V26z';

/** A contact's initials in a cell; its tone comes from the name, so it is the same everywhere. */
export function Avatar({ name, size = 44 }) {
  const words = String(name || '?').replace(/[^\p{L}\p{N} ]/gu, '').trim().split(/\s+/);
  const isNumber = /^\d/.test(words[0] ?? '');
  const text = isNumber ? words[0].slice(-2) : words.slice(0, 2).map((part) => [...part][0] ?? '').join('').toUpperCase();
  const tone = [...String(name)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 6, 0);
  return html`<svg class=${`avatar tone-${tone}`} width=${size} height=${size} viewBox="0 0 100 100" aria-hidden="true" focusable="false">
    <path d=${HEX} /><text x="50" y="52" text-anchor="middle" dominant-baseline="central" font-size="34">${text || '?'}</text></svg>`;
}
