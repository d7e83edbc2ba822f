// The left column: search, views, and every conversation by last activity.
import { cx, html, useEffect, useRef, useState, useStore } from '../ui.js';
import { Link, go } from '../router.js';
import { inbox, loadList, setFilter, VIEWS } from './state.js';
import { Avatar, Icon } from '../icons.js';
import { Badge, Button, Empty, Failure, Spinner } from '../widgets.js';
import { VirtualList } from '../virtual.js';
import { unmarked } from './content.js';
import { Ticks } from './ticks.js';
import { NewChat } from './new_chat.js';
import { FirstSteps } from './first_steps.js';
import { t, when, word } from '../words.js';

const ROW_PX = 76;
const TYPING_MS = 220;

export const nameOf = ({ contact }) => (contact.name && contact.name !== contact.wa_id ? contact.name : null) || (contact.wa_id ? `+${contact.wa_id}` : contact.user_id) || (contact.group_id ? `# ${contact.group_id.slice(-8)}` : '?');

function Row({ id, isChosen, isStop }) {
  const conversation = useStore(inbox, (state) => state.byId[id]);
  if (!conversation) return null;
  const last = conversation.last_message;
  const name = nameOf(conversation);
  const words = last ? unmarked(last.text) || word('kind', last.type) : t('inbox.empty_thread');
  return html`<${Link} to="inbox" id=${id} class=${cx('row', { chosen: isChosen, unread: conversation.unread_count > 0 })} aria-current=${isChosen ? 'true' : undefined} tabindex=${isStop ? 0 : -1} data-conversation=${id}>
    <${Avatar} name=${name} /><span class="row-main"><span class="row-top"><span class="row-name">${name}</span><time datetime=${last?.at}>${when(last?.at ?? conversation.created_at)}</time></span>
    <span class="row-bottom"><span class="row-text">${last?.direction === 'out' && (last.status ? html`<${Ticks} status=${last.status} size=${15} isQuiet />` : html`<${Icon} name="reply" size=${14} label=${t('you')} />`)}${last && last.type !== 'text' && html`<${Icon} name=${{ image: 'image', audio: 'mic', video: 'play', document: 'file', location: 'pin', template: 'template', contacts: 'user', interactive: 'list' }[last.type] ?? 'info'} size=${14} />`}${words}</span>
    ${conversation.assignee && html`<span class="row-tag" title=${t('inbox.assigned', { name: conversation.assignee })}>${conversation.assignee.slice(0, 10)}</span>`}
    ${conversation.labels.slice(0, 1).map((label) => html`<span class="row-tag label">${label}</span>`)}
    ${conversation.unread_count > 0 && html`<${Badge} kind="count" aria-label=${t('inbox.unread', { count: conversation.unread_count })}>${conversation.unread_count > 99 ? '99+' : conversation.unread_count}<//>`}</span></span><//>`;
}

function Search() {
  const search = useStore(inbox, (state) => state.search);
  const [text, setText] = useState(search);
  const timer = useRef();
  const box = useRef();
  const type = (value) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setFilter({ search: value.trim() }), TYPING_MS);
  };
  useEffect(() => {
    const key = (event) => {
      const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (((event.key === '/' && !isTyping) || (event.key === 'k' && (event.metaKey || event.ctrlKey)))) {
        event.preventDefault();
        box.current?.focus();
      }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return html`<div class="search" role="search"><${Icon} name="search" size=${18} />
    <input ref=${box} type="search" value=${text} placeholder=${t('inbox.search')} aria-label=${t('inbox.search')} onInput=${(event) => type(event.target.value)} />
    ${text && html`<${Button} icon="close" kind="quiet" small label=${t('inbox.search.clear')} onClick=${() => type('')} />`}</div>`;
}

export function ConversationList({ chosen }) {
  const { order, isLoading, hasLoaded, error, view, search, label, cursor } = useStore(inbox);
  const [isStarting, setStarting] = useState(false);
  useEffect(() => { loadList(); }, []);
  const isEmpty = hasLoaded && !isLoading && order.length === 0;
  const isPlain = view === 'open' && !search && !label;
  return html`<section class="list" aria-label=${t('inbox.list')}>
    <header class="list-head"><h1>${t('nav.inbox')}</h1><${Button} icon="plus" kind="primary" small onClick=${() => setStarting(true)}>${t('inbox.new')}<//></header>
    <${Search} />
    <div class="views" role="group" aria-label=${t('inbox.views')}>${VIEWS.map((name) => html`<button key=${name} type="button" class=${cx('chip', { chosen: view === name })} aria-pressed=${view === name ? 'true' : 'false'} onClick=${() => setFilter({ view: name })}>${t(`view.${name}`)}</button>`)}
      ${label && html`<button type="button" class="chip chosen" onClick=${() => setFilter({ label: '' })} aria-label=${t('inbox.label.clear', { label })}><${Icon} name="label" size=${14} />${label} ×</button>`}</div>
    ${error && html`<${Failure} error=${error} onRetry=${() => loadList()} />`}
    ${!hasLoaded && !error && html`<div class="skeletons" aria-hidden="true">${[1, 2, 3, 4, 5, 6].map((n) => html`<div key=${n} class="skeleton-row"><i></i><span></span></div>`)}</div>`}
    ${isEmpty && (isPlain ? html`<${FirstSteps} onNew=${() => setStarting(true)} />` : html`<${Empty} icon=${search ? 'search' : 'inbox'} title=${t(search ? 'inbox.none.search' : 'inbox.none')}><p>${t(search ? 'inbox.none.search.text' : 'inbox.none.text')}</p><//>`)}
    ${order.length > 0 && html`<${VirtualList} items=${order} rowHeight=${ROW_PX} label=${t('inbox.list')} chosen=${chosen} row=${(id, isStop) => html`<${Row} id=${id} isChosen=${id === chosen} isStop=${isStop} />`} onEnd=${() => cursor && loadList({ isMore: true })} />`}
    ${isLoading && hasLoaded && html`<div class="list-loading"><${Spinner} /></div>`}
    ${isStarting && html`<${NewChat} onClose=${() => setStarting(false)} onStarted=${(id) => { setStarting(false); go('inbox', id); }} />`}
  </section>`;
}
