// A list that draws only the rows in sight: ten thousand scroll like ten.
import { html, useEffect, useLayoutEffect, useRef, useState } from './ui.js';

const SPARE = 6;

/** `rowHeight` in px, all the same. `onEnd` is called near the end: there more may be loaded. */
export function VirtualList({ items, rowHeight, row, onEnd, label, focusIndex }) {
  const box = useRef();
  const [view, setView] = useState({ top: 0, height: 600 });
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
  useEffect(() => {
    if (focusIndex == null || focusIndex < 0) return;
    const element = box.current;
    const top = focusIndex * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
  }, [focusIndex]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  useEffect(() => {
    if (onEnd && items.length && last >= items.length - SPARE) onEnd();
  }, [last, items.length]);
  return html`<div class="virtual" ref=${box} role="list" aria-label=${label} tabindex="-1">
    <div style=${{ height: `${items.length * rowHeight}px`, position: 'relative' }}>
      ${items.slice(first, last).map((item, offset) => html`<div key=${item} role="listitem" aria-setsize=${items.length} aria-posinset=${first + offset + 1}
        style=${{ position: 'absolute', insetInline: '0', height: `${rowHeight}px`, transform: `translateY(${(first + offset) * rowHeight}px)` }}>${row(item, first + offset)}</div>`)}
    </div></div>`;
}
