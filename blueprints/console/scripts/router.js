// Which part of the page is shown: `/console/<part>/<id>`, with the browser's own history.
import { createStore, html, useStore } from './ui.js';

const ROOT = '/console';
/** Where an address leads that nobody can read: to no page. */
const NOWHERE = { part: 'nowhere', id: '', more: '' };
const read = () => {
  const [part = '', id = '', more = ''] = location.pathname.slice(ROOT.length).split('/').filter(Boolean);
  try {
    return { part: part || 'inbox', id: decodeURIComponent(id), more };
  } catch {
    return NOWHERE;
  }
};
export const place = createStore(read());
addEventListener('popstate', () => place.set(read()));

export const pathOf = (part, id = '') => [ROOT, part, id && encodeURIComponent(id)].filter(Boolean).join('/');

export function go(part, id = '', { replaces = false } = {}) {
  const path = pathOf(part, id);
  if (path === location.pathname) return;
  history[replaces ? 'replaceState' : 'pushState'](null, '', path);
  place.set(read());
}

export const usePlace = () => useStore(place);

/** A link inside the console; modified clicks stay the browser's. */
export function Link({ to, id, children, ...rest }) {
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(to, id);
  };
  return html`<a href=${pathOf(to, id)} onClick=${follow} ...${rest}>${children}</a>`;
}
