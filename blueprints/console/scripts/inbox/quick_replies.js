// Sentences that are written often, shared by everybody who answers: chosen from a panel, or by a slash in the composer.
import { createStore, cx, html, useEffect, useState, useStore } from '../ui.js';
import { del, get, patch, post } from '../api.js';
import { Icon } from '../icons.js';
import { Button, Field, Spinner, failed } from '../widgets.js';
import { session } from '../session.js';
import { t } from '../words.js';

const ROOT = '/v1/quick-replies';
const EXAMPLES = ['quick.1', 'quick.2', 'quick.3'];
const store = createStore({ replies: null });

export const loadQuickReplies = () => get(ROOT).then((found) => store.set({ replies: found.data }), failed);

/** Those that serve this number; null before they are read. */
export function useQuickReplies(phoneNumberId) {
  useEffect(() => { if (!store.get().replies) loadQuickReplies(); }, []);
  const replies = useStore(store, (state) => state.replies);
  return replies?.filter((one) => !one.phone_number_id || one.phone_number_id === phoneNumberId) ?? null;
}

/** `{name}` becomes the customer's first name; without a name it goes, with the space before it. */
export const filledIn = (text, name) => text.replace(/ ?\{(name|nombre)\}/g, (found) => (name ? `${found.startsWith(' ') ? ' ' : ''}${name.split(' ')[0]}` : ''));

const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** What a slash and these letters find: shortcuts that begin so first, then texts that contain them. */
export function matching(replies, letters) {
  const wanted = plain(letters);
  const starts = replies.filter((one) => one.shortcut && plain(one.shortcut).startsWith(wanted));
  return [...starts, ...replies.filter((one) => !starts.includes(one) && plain(one.text).includes(wanted))].slice(0, 6);
}

function Edit({ reply, phoneNumberId, onDone }) {
  const [text, setText] = useState(reply?.text ?? '');
  const [shortcut, setShortcut] = useState(reply?.shortcut ?? '');
  const [isForOne, setForOne] = useState(Boolean(reply?.phone_number_id) || session.get().numbers?.length > 0);
  const [fault, setFault] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    const body = { text: text.trim(), shortcut: shortcut.trim() || null, phone_number_id: isForOne ? reply?.phone_number_id ?? phoneNumberId : null };
    try {
      await (reply ? patch(`${ROOT}/${reply.id}`, body) : post(ROOT, body));
      await loadQuickReplies();
      onDone();
    } catch (error) {
      setFault(error.words);
      setBusy(false);
    }
  };
  return html`<form class="quick-edit" onSubmit=${save}><h3>${t(reply ? 'quick.edit' : 'quick.new')}</h3>
    <${Field} label=${t('quick.text')} hint=${t('quick.text.hint')} kind="textarea" rows="3" maxlength="1024" autofocus required value=${text} error=${fault} onInput=${(event) => setText(event.target.value)} />
    <${Field} label=${t('quick.shortcut')} maxlength="32" placeholder=${t('quick.shortcut.hint')} value=${shortcut} onInput=${(event) => setShortcut(event.target.value.replace(/[^\p{L}\p{N}_-]/gu, ''))} />
    <label class="check"><input type="checkbox" checked=${isForOne} onChange=${(event) => setForOne(event.target.checked)} /><span>${t('quick.only_here')}</span></label>
    <footer><${Button} small onClick=${onDone}>${t('cancel')}<//><${Button} small kind="primary" type="submit" isBusy=${isBusy} disabled=${!text.trim()}>${t('save')}<//></footer></form>`;
}

export function QuickReplies({ phoneNumberId, onPick }) {
  const replies = useQuickReplies(phoneNumberId);
  const [editing, setEditing] = useState(null);
  const [ending, setEnding] = useState(null);
  useEffect(() => { loadQuickReplies(); }, []);
  const end = (reply) => del(`${ROOT}/${reply.id}`).then(loadQuickReplies, failed).then(() => setEnding(null));
  if (editing) return html`<div class="quick"><${Edit} reply=${editing.id ? editing : null} phoneNumberId=${phoneNumberId} onDone=${() => setEditing(null)} /></div>`;
  return html`<div class="quick"><header><h3>${t('quick')}</h3><${Button} icon="plus" small onClick=${() => setEditing({})}>${t('quick.add')}<//></header>
    ${!replies && html`<${Spinner} />`}
    ${replies?.length > 0 && html`<ul>${replies.map((reply) => html`<li key=${reply.id}>${ending === reply.id
      ? html`<p class="quick-end"><span>${t('quick.remove.ask')}</span><${Button} small onClick=${() => setEnding(null)}>${t('cancel')}<//><${Button} small kind="danger" onClick=${() => end(reply)}>${t('delete')}<//></p>`
      : html`<button type="button" class="menu-item" onClick=${() => onPick(reply.text)}><span class="quick-text">${reply.text}</span>${reply.shortcut && html`<kbd>/${reply.shortcut}</kbd>`}</button>
        <${Button} icon="edit" kind="quiet" small label=${t('quick.edit.of', { words: reply.text })} onClick=${() => setEditing(reply)} /><${Button} icon="trash" kind="quiet" small label=${t('quick.remove', { words: reply.text })} onClick=${() => setEnding(reply.id)} />`}</li>`)}</ul>
      <p class="hint">${t('quick.slash')}</p>`}
    ${replies?.length === 0 && html`<p class="hint">${t('quick.none')}</p><ul>${EXAMPLES.map((key) => html`<li key=${key}><button type="button" class="menu-item" onClick=${() => onPick(t(key))}>${t(key)}</button>
      <${Button} icon="plus" kind="quiet" small label=${t('quick.keep', { words: t(key) })} onClick=${() => post(ROOT, { text: t(key), phone_number_id: session.get().numbers?.length ? phoneNumberId : null }).then(loadQuickReplies, failed)} /></li>`)}</ul>`}</div>`;
}

/** What the composer shows above itself while its text is a slash and some letters. */
export function SlashMenu({ id, found, at, name, onPick }) {
  return html`<ul class="slash-menu" id=${id} role="listbox" aria-label=${t('quick')}>${found.map((reply, position) => html`<li key=${reply.id} id=${`${id}-${position}`} role="option" aria-selected=${position === at ? 'true' : 'false'}
    class=${cx('menu-item', { chosen: position === at })} onMouseDown=${(event) => { event.preventDefault(); onPick(reply); }}><${Icon} name="bolt" size=${16} /><span class="quick-text">${filledIn(reply.text, name)}</span>${reply.shortcut && html`<kbd>/${reply.shortcut}</kbd>`}</li>`)}</ul>`;
}
