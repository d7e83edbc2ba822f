// The right column: who this is, labels, assignee, and notes.
import { html, useEffect, useRef, useState, useStore } from '../ui.js';
import { inbox, setFilter, update } from './state.js';
import { threadOf, threads } from './thread_state.js';
import { nameOf } from './list.js';
import { get } from '../api.js';
import { session } from '../session.js';
import { Avatar, Icon } from '../icons.js';
import { Badge, Button, Field, failed } from '../widgets.js';
import { day, moment, t } from '../words.js';

function Labels({ conversation }) {
  const [text, setText] = useState('');
  const save = (labels) => update(conversation.id, { labels }).catch(failed);
  const add = (event) => {
    event.preventDefault();
    const label = text.trim();
    if (label && !conversation.labels.includes(label)) save([...conversation.labels, label]);
    setText('');
  };
  return html`<section class="detail"><h3>${t('details.labels')}</h3><div class="labels">${conversation.labels.map((label) => html`<span class="label-chip" key=${label}><button type="button" onClick=${() => setFilter({ label })} title=${t('details.label.filter', { label })}>${label}</button>
    <button type="button" aria-label=${t('details.label.remove', { label })} onClick=${() => save(conversation.labels.filter((one) => one !== label))}><${Icon} name="close" size=${12} /></button></span>`)}</div>
    <form class="inline" onSubmit=${add}><input value=${text} maxlength="40" aria-label=${t('details.label.add')} placeholder=${t('details.label.add')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="plus" small type="submit" label=${t('details.label.add')} /></form></section>`;
}

function Assignee({ conversation }) {
  const me = useStore(session, (state) => state.name);
  const [agents, setAgents] = useState([]);
  useEffect(() => { get('/console/agents').then((found) => setAgents(found.data), () => {}); }, []);
  const names = [...new Set([...agents, me, conversation.assignee].filter(Boolean))].sort();
  const give = (assignee) => update(conversation.id, { assignee: assignee || null }).catch(failed);
  return html`<section class="detail"><${Field} label=${t('details.assignee')} kind="select" value=${conversation.assignee ?? ''} onChange=${(event) => give(event.target.value)} options=${[['', t('details.nobody')], ...names.map((name) => [name, name === me ? t('details.me', { name }) : name])]} />
    ${conversation.assignee !== me && html`<${Button} small icon="user" onClick=${() => give(me)}>${t('details.take')}<//>`}</section>`;
}

export function Details({ id, onClose }) {
  const conversation = useStore(inbox, (state) => state.byId[id]);
  const notes = useStore(threads, (state) => threadOf(state, id).notes);
  const first = useRef();
  useEffect(() => { first.current?.querySelector('button').focus({ preventScroll: true }); }, []);
  if (!conversation) return null;
  const name = nameOf(conversation);
  const turn = () => update(id, { status: conversation.status === 'open' ? 'closed' : 'open' }).catch(failed);
  return html`<div class="details-panel">
    <header class="panel-head" ref=${first}><h2>${t('details.title')}</h2><${Button} icon="close" kind="quiet" label=${t('close')} onClick=${onClose} /></header>
    <div class="panel-body"><div class="who"><${Avatar} name=${name} size=${72} /><h3>${name}</h3><p>${conversation.contact.wa_id ? `+${conversation.contact.wa_id}` : conversation.contact.user_id ?? conversation.contact.group_id}</p>
      <${Badge} kind=${conversation.status === 'open' ? 'ok' : 'plain'}>${t(`conversation.${conversation.status}`)}<//>
      <${Button} small icon=${conversation.status === 'open' ? 'archive' : 'retry'} onClick=${turn}>${t(conversation.status === 'open' ? 'thread.close' : 'thread.open')}<//></div>
    <${Assignee} conversation=${conversation} /><${Labels} conversation=${conversation} />
    <section class="detail"><h3>${t('details.facts')}</h3><dl class="facts"><dt>${t('details.since')}</dt><dd>${day(conversation.created_at)}</dd>
      <dt>${t('details.last_in')}</dt><dd>${conversation.last_inbound_at ? moment(conversation.last_inbound_at) : t('time.never')}</dd><dt>${t('details.last_out')}</dt><dd>${conversation.last_outbound_at ? moment(conversation.last_outbound_at) : t('time.never')}</dd>
      <dt>${t('details.number')}</dt><dd><code>${conversation.phone_number_id}</code></dd></dl></section>
    <section class="detail"><h3>${t('details.notes')}</h3>${notes.length === 0 ? html`<p class="muted">${t('details.notes.none')}</p>` : notes.map((note) => html`<div class="note-card" key=${note.id}><p>${note.text}</p><small>${note.by_name} · ${moment(note.at)}</small></div>`)}</section></div></div>`;
}
