// A list that draws only the rows in sight: ten thousand scroll like ten.
import { html, useEffect, useLayoutEffect, useRef, useState } from './ui.js';

const SPARE = 6;

/** `rowHeight` in px, all the same. `onEnd` is called near the end: there more may be loaded. `row` gets an item, and
    whether it is the one stop of the Tab key: the last one used, else `chosen`, else the first in sight. */
export function VirtualList({ items, rowHeight, row, onEnd, label, chosen }) {
  const box = useRef();
  const [view, setView] = useState({ top: 0, height: 600 });
  const [used, setUsed] = useState(null);
  const wanted = useRef(null);
  const held = useRef(null);
  useLayoutEffect(() => {
    const element = box.current;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      watcher.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  useEffect(() => {
    if (onEnd && items.length && last >= items.length - SPARE) onEnd();
  }, [last, items.length]);
  const shown = items.slice(first, last);
  const top = Math.min(items.length - 1, Math.ceil(view.top / rowHeight));
  const stop = shown.includes(used) ? used : shown.includes(chosen) ? chosen : items[top];
  const rowOf = (item) => box.current.querySelector(`[data-item="${CSS.escape(item)}"] :is(a, button)`);
  const focusOn = (index) => {
    const element = box.current;
    const at = index * rowHeight;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = at + rowHeight - element.clientHeight;
    setView({ top: element.scrollTop, height: element.clientHeight });
    wanted.current = items[index];
    setUsed(items[index]);
  };
  useEffect(() => {
    const found = wanted.current != null && rowOf(wanted.current);
    if (!found) return;
    wanted.current = null;
    found.focus({ preventScroll: true });
  });
  // A row that goes to another place loses the focus on its way: it gets it back.
  useLayoutEffect(() => {
    if (held.current !== null && document.activeElement === document.body) rowOf(held.current)?.focus({ preventScroll: true });
  });
  useEffect(() => {
    const letGo = () => { held.current = null; };
    addEventListener('pointerdown', letGo, true);
    return () => removeEventListener('pointerdown', letGo, true);
  }, []);
  const come = (event) => {
    held.current = event.target.closest('[data-item]')?.dataset.item ?? null;
    if (held.current !== null) setUsed(held.current);
  };
  const leave = (event) => { if (event.relatedTarget) held.current = null; };
  const move = (event) => {
    const here = items.indexOf(event.target.closest('[data-item]')?.dataset.item);
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -items.length, End: items.length }[event.key];
    if (here < 0 || !step) return;
    event.preventDefault();
    focusOn(Math.max(0, Math.min(items.length - 1, here + step)));
  };
  return html`<div class="virtual" ref=${box} role="list" aria-label=${label} tabindex="-1" onKeyDown=${move} onfocusin=${come} onfocusout=${leave}>
    <div style=${{ height: `${items.length * rowHeight}px`, position: 'relative' }}>
      ${shown.map((item, offset) => html`<div key=${item} data-item=${item} role="listitem" aria-setsize=${items.length} aria-posinset=${first + offset + 1}
        style=${{ position: 'absolute', insetInline: '0', height: `${rowHeight}px`, transform: `translateY(${(first + offset) * rowHeight}px)` }}>${row(item, item === stop)}</div>`)}
    </div></div>`;
}
