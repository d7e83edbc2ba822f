// Small parts that every page uses.
import { createStore, cx, html, useLayoutEffect, useRef, useState, useStore } from './ui.js';
import { Icon } from './icons.js';
import { CONTROLS, moveAmong } from './roving.js';
import { t } from './words.js';

export function Button({ icon, kind = 'plain', small, children, isBusy, label, class: more, ...rest }) {
  return html`<button type="button" class=${cx('button', kind, { small, 'icon-only': !children }, more)} disabled=${isBusy || rest.disabled}
    aria-busy=${isBusy ? 'true' : undefined} aria-label=${label} title=${children ? undefined : label} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${small ? 16 : 18} />`}${children && html`<span>${children}</span>`}</button>`;
}

let fieldCount = 0;
/** A labelled input. `kind`: text, textarea, select (with `options` as [value, words]). */
export function Field({ label, hint, error, kind = 'text', options = [], class: more, isHidden, ...rest }) {
  const [id] = useState(() => `field-${(fieldCount += 1)}`);
  const notes = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const common = { id, 'aria-describedby': notes, 'aria-invalid': error ? 'true' : undefined, ...rest };
  return html`<div class=${cx('field', more)}>
    <label for=${id} class=${cx({ 'visually-hidden': isHidden })}>${label}</label>
    ${kind === 'textarea' ? html`<textarea ...${common}></textarea>`
    : kind === 'select' ? html`<select ...${common}>${options.map(([value, words]) => html`<option value=${value} selected=${value === rest.value}>${words}</option>`)}</select>`
      : html`<input type=${kind} ...${common} />`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="fault" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}

export function Toggle({ label, isOn, onChange, hint }) {
  return html`<label class="toggle"><input type="checkbox" role="switch" checked=${isOn} onChange=${(event) => onChange(event.target.checked)} />
    <span class="track" aria-hidden="true"></span><span>${label}${hint && html`<small>${hint}</small>`}</span></label>`;
}

export const Badge = ({ kind = 'plain', children, ...rest }) => html`<span class=${`badge ${kind}`} ...${rest}>${children}</span>`;
export const Spinner = ({ label }) => html`<span class="spinner" role="status"><span class="visually-hidden">${label ?? t('loading')}</span></span>`;

export function Empty({ icon, title, children }) {
  return html`<div class="empty"><span class="cell"><${Icon} name=${icon} size=${28} /></span><h2>${title}</h2><div class="empty-text">${children}</div></div>`;
}

/** What went wrong, and a way to try again. */
export function Failure({ error, onRetry }) {
  return html`<div class="failure" role="alert"><${Icon} name="alert" /><div><strong>${t('failure.title')}</strong><p>${error.words ?? error.message}</p></div>
    ${onRetry && html`<${Button} icon="retry" small onClick=${onRetry}>${t('retry')}<//>`}</div>`;
}

/** A modal window with the browser's own dialog: focus stays inside, Escape closes it. */
export function Dialog({ title, onClose, children, footer, isWide }) {
  const box = useRef();
  // At once: the next key must not go to what stands behind it.
  useLayoutEffect(() => {
    const dialog = box.current;
    if (!dialog.open) dialog.showModal();
    return () => dialog.open && dialog.close();
  }, []);
  return html`<dialog ref=${box} class=${cx('dialog', { wide: isWide })} aria-label=${title}
    onCancel=${(event) => { event.preventDefault(); onClose(); }}
    onMouseDown=${(event) => event.target === box.current && onClose()}>
    <div class="dialog-body"><header><h2>${title}</h2><${Button} icon="close" kind="quiet" label=${t('close')} onClick=${onClose} /></header>
    <div class="dialog-content">${children}</div>${footer && html`<footer>${footer}</footer>`}</div></dialog>`;
}

/** A small panel beside its button; outside clicks, Escape and leaving it close it, arrows move in it, the focus goes back to the button. */
export function Popover({ button, children, align = 'start', up, class: more }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef();
  const panel = useRef();
  const goBack = () => box.current?.querySelector('button')?.focus();
  const close = () => {
    if (panel.current?.contains(document.activeElement)) goBack();
    setOpen(false);
  };
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const outside = (event) => box.current?.contains(event.target) || setOpen(false);
    const escape = (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      setOpen(false);
      goBack();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', escape, true);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', escape, true);
    };
  }, [isOpen]);
  const leave = (event) => { if (event.relatedTarget && !box.current.contains(event.relatedTarget)) setOpen(false); };
  const move = (event) => { if (panel.current) moveAmong([...panel.current.querySelectorAll(CONTROLS)], event); };
  return html`<div class=${cx('popover-anchor', more)} ref=${box} onfocusout=${leave} onKeyDown=${move}>
    ${button({ isOpen, toggle: () => setOpen(!isOpen), 'aria-expanded': isOpen ? 'true' : 'false' })}
    ${isOpen && html`<div class=${cx('popover', align, { up })} ref=${panel}>${typeof children === 'function' ? children(close) : children}</div>`}</div>`;
}

const toasts = createStore({ items: [] });
let toastCount = 0;
/** A short notice that goes by itself; failures stay a little longer. */
export function toast(words, kind = 'ok') {
  const id = (toastCount += 1);
  toasts.set((state) => ({ items: [...state.items, { id, words, kind }].slice(-4) }));
  setTimeout(() => toasts.set((state) => ({ items: state.items.filter((item) => item.id !== id) })), kind === 'bad' ? 9000 : 4000);
}
export const failed = (error) => error.name === 'AbortError' || toast(error.words ?? error.message, 'bad');

export function Toasts() {
  const { items } = useStore(toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${items.map((item) => html`<div key=${item.id} class=${`toast ${item.kind}`}><${Icon} name=${item.kind === 'bad' ? 'alert' : 'check'} size=${18} /><span>${item.words}</span></div>`)}</div>`;
}

/** Copy a text and say so. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('copied'));
  } catch {
    toast(t('copy.failed'), 'bad');
  }
}

/** Rows of `Cell`s under `columns`; on a phone each row is a card, and each cell says which column it is. */
export const Table = ({ label, columns, children, ...rest }) => html`<div class="table-box stacks" tabindex="0"><table role="table"><caption class="visually-hidden">${label}</caption>
  <thead role="rowgroup"><tr role="row">${columns.map((words) => html`<th role="columnheader" scope="col">${words || html`<span class="visually-hidden">${t('actions')}</span>`}</th>`)}</tr></thead><tbody role="rowgroup" ...${rest}>${children}</tbody></table></div>`;
export const Cell = ({ label, children, ...rest }) => html`<td role="cell" data-label=${label} ...${rest}>${children}</td>`;

/** A page with a heading, a sentence of what it is for, and actions. */
export function Page({ title, lead, actions, children, class: more }) {
  return html`<main class=${cx('page', more)} id="main" tabindex="0"><header class="page-head"><div><h1>${title}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>
    ${actions && html`<div class="actions">${actions}</div>`}</header>${children}</main>`;
}

export const Tabs = ({ label, tabs, chosen, onChoose }) => html`<div class="tabs" role="group" aria-label=${label}>
  ${tabs.map(([value, words, count]) => html`<button key=${value} type="button" class=${cx('tab', { chosen: value === chosen })} aria-pressed=${value === chosen ? 'true' : 'false'}
    onClick=${() => onChoose(value)}>${words}${count ? html` <span class="count">${count}</span>` : null}</button>`)}</div>`;
