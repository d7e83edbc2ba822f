// Webhook endpoints: who is told, whether they listen, every try, and telling them again.
import { html, useEvery, useLoad, useState } from '../ui.js';
import { del, get, patch, post } from '../api.js';
import { Icon } from '../icons.js';
import { Badge, Button, Cell, Dialog, Empty, Failure, Field, Page, Spinner, Table, Tabs, copy, failed, toast } from '../widgets.js';
import { go } from '../router.js';
import { ago, clockSeconds, moment, number, t, tn } from '../words.js';

const ROOT = '/v1/webhook-endpoints';
const EVENTS = ['*', 'message.*', 'message.received', 'conversation.*', 'contact.*', 'template.*', 'number.*', 'campaign.*'];
const KIND = { enabled: 'ok', paused: 'warn', disabled: 'bad' };

function Secret({ secret, onClose }) {
  return html`<${Dialog} title=${t('endpoint.secret')} onClose=${onClose} footer=${html`<${Button} kind="primary" onClick=${onClose}>${t('done')}<//>`}><p>${t('endpoint.secret.text')}</p>
    <div class="secret"><code>${secret}</code><${Button} icon="copy" label=${t('copy')} onClick=${() => copy(secret)} /></div><//>`;
}

function Edit({ endpoint, onClose, onSaved }) {
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [events, setEvents] = useState(endpoint?.events ?? ['*']);
  const [format, setFormat] = useState(endpoint?.format ?? 'panal');
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [fault, setFault] = useState(null);
  const flip = (one) => setEvents(one === '*' ? ['*'] : [...new Set(events.includes(one) ? events.filter((other) => other !== one) : [...events, one])].filter((other) => other !== '*'));
  const save = () => {
    const body = { url, events, description, ...(endpoint ? {} : { format }) };
    (endpoint ? patch(`${ROOT}/${endpoint.id}`, body) : post(ROOT, body)).then(onSaved, (error) => setFault(error.words));
  };
  return html`<${Dialog} title=${t(endpoint ? 'endpoint.edit' : 'endpoint.new')} onClose=${onClose} footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" disabled=${!url || !events.length} onClick=${save}>${t('save')}<//>`}>
    <${Field} label="URL" kind="url" autofocus placeholder="https://example.com/webhook" value=${url} error=${fault} onInput=${(event) => setUrl(event.target.value)} />
    <${Field} label=${t('endpoint.description')} value=${description} onInput=${(event) => setDescription(event.target.value)} />
    ${!endpoint && html`<${Field} label=${t('endpoint.format')} kind="select" hint=${t('endpoint.format.hint')} value=${format} onChange=${(event) => setFormat(event.target.value)} options=${[['panal', t('endpoint.format.panal')], ['meta', t('endpoint.format.meta')]]} />`}
    <fieldset><legend>${t('endpoint.events')}</legend><div class="scope-grid">${EVENTS.map((one) => html`<label key=${one}><input type="checkbox" checked=${events.includes(one)} onChange=${() => flip(one)} /><code>${one}</code></label>`)}</div></fieldset><//>`;
}

function Attempts({ endpoint }) {
  const [tab, setTab] = useState('attempts');
  const { data, error, isLoading, reload } = useLoad(() => get(`${ROOT}/${endpoint.id}/${tab}?limit=100`), [endpoint.id, tab]);
  const [open, setOpen] = useState(null);
  const again = (what) => post(`${ROOT}/${endpoint.id}/redeliver`, what).then(() => { toast(t('endpoint.redelivered')); setTimeout(reload, 800); }, failed);
  const rows = data?.data ?? [];
  return html`<section class="card"><header><div><h2>${t('endpoint.history')}</h2></div>${tab === 'dead-letters' && rows.length > 0 && html`<${Button} small icon="retry" onClick=${() => again({ dead_letters: true })}>${t('endpoint.redeliver.all')}<//>`}<${Button} small icon="retry" kind="quiet" label=${t('refresh')} onClick=${reload} /></header>
    <${Tabs} label=${t('endpoint.history')} chosen=${tab} onChoose=${setTab} tabs=${[['attempts', t('endpoint.attempts')], ['dead-letters', t('endpoint.dead')]]} />
    ${error && html`<${Failure} error=${error} onRetry=${reload} />`}${isLoading && !data && html`<${Spinner} />`}${!isLoading && !error && rows.length === 0 && html`<p class="muted">${t(tab === 'attempts' ? 'endpoint.attempts.none' : 'endpoint.dead.none')}</p>`}
    ${rows.length > 0 && html`<${Table} label=${t('endpoint.history')} columns=${[t('event'), t('time'), t('answer'), t('endpoint.try'), '']}>
      ${rows.map((row) => html`<tr role="row" key=${row.id ?? row.event_id}><${Cell}><strong>${row.event_type}</strong><small>#${row.seq}</small><//><${Cell} label=${t('time')} title=${moment(row.at)}>${clockSeconds(row.at)}<//>
        <${Cell} label=${t('answer')}><span>${tab === 'attempts' ? html`<${Badge} kind=${{ delivered: 'ok', retry: 'warn', dead: 'bad' }[row.outcome]}>${row.status ?? row.error ?? row.outcome}<//> <small>${number(row.duration_ms)} ms${row.next_at ? ` · ${t('endpoint.next', { time: clockSeconds(row.next_at) })}` : ''}</small>` : html`<${Badge} kind="bad">${row.last_status ?? row.reason}<//> <small>${row.reason}</small>`}
          ${open === row.id && row.response_body && html`<pre tabindex="0">${row.response_body}</pre>`}</span><//><${Cell} label=${t('endpoint.try')}>${row.attempt ?? row.attempts}<//>
        <${Cell}><div class="row-actions">${row.response_body && html`<${Button} small kind="quiet" aria-expanded=${open === row.id ? 'true' : 'false'} onClick=${() => setOpen(open === row.id ? null : row.id)}>${t('answer')}<//>`}<${Button} small icon="retry" onClick=${() => again({ event_id: row.event_id })}>${t('endpoint.redeliver')}<//></div><//></tr>`)}<//>`}</section>`;
}

function One({ endpoint, onChanged, onSecret }) {
  const [isEditing, setEditing] = useState(false);
  const [isEnding, setEnding] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const act = (work) => { setBusy(true); return work.then(onChanged, failed).finally(() => setBusy(false)); };
  const test = () => act(post(`${ROOT}/${endpoint.id}/test`).then((found) => toast(t('endpoint.tested', { answer: found.status ?? found.error }), found.outcome === 'delivered' ? 'ok' : 'bad')));
  return html`<section class="card endpoint"><header><span class="cell"><${Icon} name="webhooks" /></span><div><h2>${endpoint.url}</h2><p>${endpoint.description || t(`endpoint.format.${endpoint.format}`)}</p></div><${Badge} kind=${KIND[endpoint.status]}>${t(`endpoint.${endpoint.status}`)}<//></header>
    ${endpoint.reason === 'secret_unreadable' && html`<p class="notice warn"><${Icon} name="alert" size=${16} /><span>${t('endpoint.unreadable')}</span></p>`}
    ${endpoint.failing_since && html`<p class="notice warn"><${Icon} name="alert" size=${16} /><span>${t('endpoint.failing', { time: ago(endpoint.failing_since) })}${endpoint.reason ? ` ${endpoint.reason}` : ''}</span></p>`}
    <dl class="facts"><dt>${t('endpoint.events')}</dt><dd>${endpoint.events.map((one) => html`<code>${one}</code> `)}</dd><dt>id</dt><dd><code>${endpoint.id}</code></dd><dt>${t('endpoint.secrets')}</dt><dd>${tn('endpoint.secrets', endpoint.secrets.length)}</dd>
      ${endpoint.streams.map((stream) => html`<dt>${t('endpoint.cursor')}</dt><dd>#${stream.cursor}</dd>`)}</dl>
    <footer><${Button} icon="send" isBusy=${isBusy} onClick=${test}>${t('endpoint.test')}<//><${Button} onClick=${() => setEditing(true)}>${t('edit')}<//>
      <${Button} icon=${endpoint.status === 'enabled' ? 'pause' : 'play'} onClick=${() => act(post(`${ROOT}/${endpoint.id}/${endpoint.status === 'enabled' ? 'pause' : 'resume'}`))}>${t(endpoint.status === 'enabled' ? 'number.pause' : 'number.resume')}<//>
      <${Button} icon="retry" onClick=${() => act(post(`${ROOT}/${endpoint.id}/rotate-secret`).then((found) => onSecret(found.secret)))}>${t('endpoint.rotate')}<//><${Button} icon="trash" kind="danger" onClick=${() => setEnding(true)}>${t('delete')}<//></footer>
    ${isEditing && html`<${Edit} endpoint=${endpoint} onClose=${() => setEditing(false)} onSaved=${() => { setEditing(false); onChanged(); }} />`}
    ${isEnding && html`<${Dialog} title=${t('endpoint.delete')} onClose=${() => setEnding(false)} footer=${html`<${Button} onClick=${() => setEnding(false)}>${t('cancel')}<//><${Button} kind="danger" onClick=${() => del(`${ROOT}/${endpoint.id}`).then(() => { go('webhooks'); onChanged(); }, failed)}>${t('delete')}<//>`}><p>${t('endpoint.delete.text')}</p><//>`}</section>`;
}

export function EndpointsPage({ id }) {
  const [state, setState] = useState({});
  const [isMaking, setMaking] = useState(false);
  const [secret, setSecret] = useState(null);
  const load = () => get(ROOT).then((found) => setState({ endpoints: found.data }), (error) => setState((before) => ({ ...before, error })));
  useEvery(load, 5_000);
  const { endpoints, error } = state;
  const chosen = endpoints?.find((one) => one.id === id);
  const make = html`<${Button} icon="plus" kind="primary" onClick=${() => setMaking(true)}>${t('endpoint.new')}<//>`;
  return html`<${Page} title=${t('nav.webhooks')} lead=${t('endpoints.lead')} actions=${html`${id && html`<${Button} icon="back" onClick=${() => go('webhooks')}>${t('back')}<//>`}${make}`}>
    ${error && !endpoints && html`<${Failure} error=${error} onRetry=${load} />`}${!endpoints && !error && html`<${Spinner} />`}
    ${endpoints?.length === 0 && html`<${Empty} icon="webhooks" title=${t('endpoints.none')}><p>${t('endpoints.none.text')}</p><div>${make}</div><//>`}
    ${chosen ? html`<${One} endpoint=${chosen} onChanged=${load} onSecret=${setSecret} /><${Attempts} endpoint=${chosen} />` : html`<div class="cards">${(endpoints ?? []).map((one) => html`<article class="card" key=${one.id}><header><span class="cell"><${Icon} name="webhooks" /></span><div><h2 class="wrap">${one.url}</h2><p>${one.description || t(`endpoint.format.${one.format}`)}</p></div></header>
        <p><${Badge} kind=${KIND[one.status]}>${t(`endpoint.${one.status}`)}<//> ${one.failing_since && html`<${Badge} kind="bad">${t('endpoint.failing', { time: ago(one.failing_since) })}<//>`}</p><footer><${Button} onClick=${() => go('webhooks', one.id)}>${t('endpoint.history')}<//></footer></article>`)}</div>`}
    ${isMaking && html`<${Edit} onClose=${() => setMaking(false)} onSaved=${(made) => { setMaking(false); setSecret(made.secret); load(); go('webhooks', made.id); }} />`}
    ${secret && html`<${Secret} secret=${secret} onClose=${() => setSecret(null)} />`}<//>`;
}
