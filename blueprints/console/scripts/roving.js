// Many controls that are alike are one stop of the Tab key: arrows, Home and End go from one to the next.
import { useLayoutEffect, useRef } from './ui.js';

const WRITES = 'input:not([type=checkbox], [type=radio]), textarea, select';
export const CONTROLS = 'a[href], button:not(:disabled), input:not(:disabled), textarea, select, summary';

/** The next of `all` above or below, by where they stand: menus, grids and lists alike. */
function across(all, here, isDown) {
  const from = here.getBoundingClientRect();
  const way = all.map((one) => [one, one.getBoundingClientRect()]).filter(([, area]) => (isDown ? area.top >= from.bottom - 2 : area.bottom <= from.top + 2));
  const row = (area) => (isDown ? area.top : -area.bottom);
  const nearest = Math.min(...way.map(([, area]) => row(area)));
  const centre = (area) => Math.abs(area.left + area.width / 2 - from.left - from.width / 2);
  return way.filter(([, area]) => row(area) < nearest + 8).sort((a, b) => centre(a[1]) - centre(b[1]))[0]?.[0];
}

/** Move the focus among `all`; true when the key was for that. A text field keeps its keys. */
export function moveAmong(all, event) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || !all.length || event.target.matches(WRITES)) return false;
  const here = all.indexOf(document.activeElement);
  const next = {
    Home: () => all[0], End: () => all.at(-1),
    ArrowRight: () => all[here + 1], ArrowLeft: () => all[here - 1],
    ArrowDown: () => (here < 0 ? all[0] : across(all, all[here], true)), ArrowUp: () => (here < 0 ? all.at(-1) : across(all, all[here], false)),
  }[event.key];
  if (!next) return false;
  event.preventDefault();
  next()?.focus();
  return true;
}

/** For a container: `ref` and handlers. Of what `selector` finds in it one is a stop: the last used, else the first (or the last). */
export function useRoving(selector, { startsAtEnd = false, ref: given } = {}) {
  const own = useRef();
  const ref = given ?? own;
  const stop = useRef(null);
  const all = () => [...(ref.current?.querySelectorAll(selector) ?? [])];
  const mark = () => {
    const found = all();
    if (!found.includes(stop.current)) stop.current = null;
    const chosen = stop.current ?? (startsAtEnd ? found.at(-1) : found[0]);
    for (const one of found) if (one.tabIndex !== (one === chosen ? 0 : -1)) one.tabIndex = one === chosen ? 0 : -1;
  };
  useLayoutEffect(mark);
  return {
    ref,
    onfocusin: (event) => { if (event.target.matches(selector)) { stop.current = event.target; mark(); } },
    onKeyDown: (event) => { if (event.target.matches(selector)) moveAmong(all(), event); },
  };
}
